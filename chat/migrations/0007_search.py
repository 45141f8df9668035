"""Search in messages: the words of each, in a narrow table that the database fills by itself.

Two versions of the application may run on one database: a trigger writes for both of them. Whoever
uses conversations waits while their constraint gets its index, a second for a million of them.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import chat.models.searching
from tenants.isolation import isolated

PARTS = 32

# What separates words, in any script; everything else is part of one. Spelled out, because what a
# letter is to PostgreSQL depends on the locale of the database.
_SEPARATOR = (
    r"[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf"
    r"\u00d7\u00f7\u060c\u061b\u061f\u06d4\u0964\u0965\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff"
    r"\u3000-\u3004\u3008-\u303f\u30fb]+"
)
_ACCENTS = r"[\u0300-\u036f]"
# Scripts that are written without spaces: Thai, Lao, Burmese, Khmer, Japanese, Chinese.
_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff\u3400-\u9fff"
    r"\U00020000-\U0003134f"
)

# Of an unspaced run its words are all pairs of neighbours, and the last character: so any part of
# it is found. The limits keep a set of words far below the megabyte that it may have.
WORDS = rf"""
CREATE FUNCTION atrium_words(content text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    folded text := lower(left(content, 100000));
    words text[] := '{{}}';
BEGIN
    IF octet_length(folded) > length(folded) THEN
        folded := regexp_replace(normalize(folded, NFKD), '{_ACCENTS}', '', 'g');
        folded := left(lower(normalize(folded, NFC)), 100000);
    END IF;
    IF octet_length(folded) > length(folded) AND folded ~ '[{_UNSPACED}]' THEN
        words := ARRAY(
            SELECT letter || lead(letter, 1, '') OVER (PARTITION BY run ORDER BY place)
            FROM regexp_matches(folded, '[{_UNSPACED}]+', 'g') WITH ORDINALITY AS runs (text, run),
                string_to_table(text[1], NULL) WITH ORDINALITY AS letters (letter, place)
        );
        folded := regexp_replace(folded, '[{_UNSPACED}]+', ' ', 'g');
    END IF;
    RETURN words || ARRAY(
        SELECT left(word, 64) FROM regexp_split_to_table(folded, '{_SEPARATOR}') AS word
        WHERE word <> ''
    );
END $$;
"""

# The parts are nobody's to name: whoever asks goes through the table, and so through its policy.
TABLE = f"""
CREATE TABLE chat_searchentry (
    message_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    owner_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    words tsvector NOT NULL,
    PRIMARY KEY (owner_id, tenant_id, conversation_id, message_id)
) PARTITION BY HASH (owner_id);
CREATE SCHEMA atrium_parts;
REVOKE ALL ON SCHEMA atrium_parts FROM PUBLIC;
DO $$ BEGIN
    FOR part IN 0..{PARTS - 1} LOOP
        EXECUTE format(
            'CREATE TABLE atrium_parts.chat_searchentry_%s PARTITION OF public.chat_searchentry'
            ' FOR VALUES WITH (MODULUS {PARTS}, REMAINDER %s)', part, part);
    END LOOP;
END $$;
ALTER TABLE chat_conversation ADD CONSTRAINT chat_conversation_of_owner
    UNIQUE (id, tenant_id, owner_id);
ALTER TABLE chat_searchentry ADD CONSTRAINT chat_searchentry_conversation_id_same_owner
    FOREIGN KEY (conversation_id, tenant_id, owner_id)
    REFERENCES chat_conversation (id, tenant_id, owner_id) ON DELETE CASCADE ON UPDATE CASCADE;
"""

TRIGGER = """
CREATE FUNCTION atrium_note_words() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO chat_searchentry (message_id, tenant_id, owner_id, conversation_id, words)
    SELECT NEW.id, NEW.tenant_id, owner_id, id, array_to_tsvector(atrium_words(NEW.content))
    FROM chat_conversation WHERE id = NEW.conversation_id;
    RETURN NULL;
END $$;
CREATE TRIGGER chat_message_words AFTER INSERT ON chat_message
    FOR EACH ROW EXECUTE FUNCTION atrium_note_words();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0006_lifecycle"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(sql=WORDS, reverse_sql="DROP FUNCTION atrium_words(text);"),
        migrations.RunSQL(
            sql=TABLE,
            reverse_sql="""
            DROP TABLE chat_searchentry;
            DROP SCHEMA atrium_parts;
            ALTER TABLE chat_conversation DROP CONSTRAINT chat_conversation_of_owner;
            """,
            state_operations=[
                migrations.CreateModel(
                    name="SearchEntry",
                    fields=[
                        ("message_id", models.UUIDField(primary_key=True, serialize=False)),
                        ("words", chat.models.searching.WordsField()),
                        (
                            "conversation",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="chat.conversation",
                            ),
                        ),
                        (
                            "owner",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "tenant",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="tenants.tenant",
                            ),
                        ),
                    ],
                ),
            ],
        ),
        isolated("chat_searchentry"),
        migrations.RunSQL(
            sql=TRIGGER,
            reverse_sql="""
            DROP TRIGGER chat_message_words ON chat_message;
            DROP FUNCTION atrium_note_words();
            """,
        ),
    ]
