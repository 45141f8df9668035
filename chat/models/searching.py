"""The words of messages, by which their owners find them."""

from typing import Self

from django.db import connection, models
from django.db.models import F, Func, Value

from chat.models.conversations import Conversation
from tenants.models import Membership, Tenant, User


class WordsField(models.TextField):  # type: ignore[type-arg]  # it takes none at run time
    """A set of words, as PostgreSQL's full-text search compares them."""

    def db_type(self, connection: object) -> str:  # noqa: ARG002  # Django passes it
        """PostgreSQL's type."""
        return "tsvector"


class Fulfils(Func):
    """Whether a set of words fulfils a condition like `'some':* & 'word':*`."""

    arg_joiner = " @@ "
    template = "(%(expressions)s::tsquery)"
    output_field = models.BooleanField()


class SearchEntryQuerySet(models.QuerySet["SearchEntry"]):
    """Entries, narrowed."""

    def visible_to(self, member: Membership) -> Self:
        """Entries of messages that this member may read: of their own conversations here."""
        return self.filter(tenant=member.tenant_id, owner=member.user_id)

    def beginning_with(self, words: list[str]) -> Self:
        """Those that have, for each of these, a word that is it or begins with it."""
        quoted = (word.replace("\\", r"\\").replace("'", "''") for word in words)
        condition = " & ".join(f"'{word}':*" for word in quoted)
        return self.filter(Fulfils(F("words"), Value(condition)))


class SearchEntry(models.Model):
    """The words of one message, beside whose it is. Written by the database with the message.

    A table of its own, narrow and in parts by owner: under row-level security no index on words can
    be used, so that a search reads all entries of its member, which should lie close together
    (docs/decisions/0014-search.md). Goes with its conversation.
    """

    message_id = models.UUIDField(primary_key=True)
    tenant = models.ForeignKey(
        Tenant, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    owner = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    words = WordsField()

    objects = SearchEntryQuerySet.as_manager()

    def __str__(self) -> str:
        return f"words of message {self.message_id}"


def words_of(text: str) -> list[str]:
    """The words of this text as entries have them: in small letters, without accents."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT atrium_words(%s)", [text])
        words: list[str] = cursor.fetchone()[0]
    return words
