"""The words of the messages that were there before. In batches, each a transaction of its own.

Two versions of the application may go on meanwhile: what they write has its words already, and a
conversation that one of them deletes waits for a batch at most. Broken off, it may begin anew.
"""

from django.db import migrations

from tenants.scope import platform_scope

BATCH = 1000
FIRST = "00000000-0000-0000-0000-000000000000"

# Conversations that are being deleted meanwhile are waited for, and left out.
FILL = """
WITH batch AS MATERIALIZED (SELECT id FROM chat_message WHERE id > %s ORDER BY id LIMIT %s),
filled AS (
    INSERT INTO chat_searchentry (message_id, tenant_id, owner_id, conversation_id, words)
    SELECT message.id, message.tenant_id, owner_id, conversation.id,
        array_to_tsvector(atrium_words(content))
    FROM batch JOIN chat_message AS message USING (id)
    JOIN chat_conversation AS conversation ON conversation.id = conversation_id
    FOR KEY SHARE OF conversation
    ON CONFLICT DO NOTHING
)
SELECT id FROM batch ORDER BY id DESC LIMIT 1
"""


def fill(apps, schema_editor):
    last = FIRST
    while last:
        with platform_scope("words of all messages"), schema_editor.connection.cursor() as cursor:
            cursor.execute(FILL, [last, BATCH])
            row = cursor.fetchone()
        last = row[0] if row else None


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("chat", "0007_search")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
