"""PostgreSQL itself keeps the rows of tenants apart."""

from django.db import migrations

from tenants.isolation import isolated, require_scope


class Migration(migrations.Migration):
    dependencies = [("tenants", "0004_audit_chain")]
    operations = [
        require_scope(),
        isolated("tenants_tenant", column="id"),
        isolated("tenants_tenantlogo"),
        isolated("tenants_membership"),
        isolated("tenants_invitation"),
        isolated("tenants_auditevent"),
        isolated("tenants_audithead"),
    ]
