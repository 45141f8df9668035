"""PostgreSQL itself keeps the rows of tenants apart, and references inside a tenant."""

from django.db import migrations

from tenants.isolation import isolated, referable, same_tenant


class Migration(migrations.Migration):
    dependencies = [("chat", "0003_library_and_investigations")]
    operations = [
        referable("chat_conversation"),
        referable("chat_message"),
        same_tenant("chat_conversation", "head_id", "chat_message"),
        same_tenant("chat_message", "conversation_id", "chat_conversation"),
        same_tenant("chat_message", "parent_id", "chat_message"),
        same_tenant("chat_generation", "conversation_id", "chat_conversation"),
        same_tenant("chat_generation", "prompt_id", "chat_message"),
        same_tenant("chat_generation", "reply_id", "chat_message"),
        same_tenant("chat_investigation", "conversation_id", "chat_conversation"),
        isolated("chat_deploymentgrant"),
        isolated("chat_conversation"),
        isolated("chat_message"),
        isolated("chat_generation"),
        isolated("chat_usageentry"),
        isolated("chat_libraryprompt"),
        isolated("chat_investigation"),
    ]
