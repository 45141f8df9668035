"""Titles by a model: made after the first answer, short, billed, and never over a person's."""

import logging
import time
import unicodedata
import uuid
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, cast

from django.db import OperationalError, connections
from gevent.lock import BoundedSemaphore

from chat import prompts, provider
from chat.errors import ProviderError
from chat.generation import billing, leaving
from chat.models import Conversation, Deployment, DeploymentGrant, Generation, UsageEntry
from chat.prompts import PromptMessage
from chat.provider import Piece, Usage
from tenants.logcontext import logging_about
from tenants.models import Membership
from tenants.scope import platform_scope, tenant_scope

logger = logging.getLogger(__name__)

TitleBy = Conversation.TitleBy

# That one process makes at once: beside the answers' slots, in the room that Celery has for itself.
_AT_ONCE = 8
_TITLE_CHARS = 60
# Of what was asked and answered, this much is shown to the model.
_CHARS_SHOWN = 2000
# What is longer is no title, and needs no more reading; the call ends.
_CHARS_READ = 300
_SECONDS_READ = 30.0
_STORE_TRIES = 30

_TASK = (
    "You name conversations. Answer with a title of at most six words, in the language of the"
    " conversation, with nothing before or after it and without quotation marks."
)
_QUOTES = "\"'`*#_ “”„«»"


class _Naming(NamedTuple):
    """What is to be named, and by which model."""

    conversation: Conversation
    deployment: Deployment
    messages: list[PromptMessage]


def is_due(generation: Generation, status: str) -> bool:
    """Whether an answer that has just ended so is the first, after which a title is made."""
    conversation = generation.conversation
    if status != Generation.Status.COMPLETED or conversation.title_by != TitleBy.FIRST_WORDS:
        return False
    if not generation.tenant.generates_titles:
        return False
    earlier = conversation.generations.filter(status=Generation.Status.COMPLETED)
    return not earlier.exclude(pk=generation.pk).exists()


def generate_title(conversation_id: uuid.UUID) -> bool:
    """Have the tenant's default model name the conversation; False when this process is too busy.

    Keeps the first words when anything is missing or fails. Never raises.
    """
    if not _slots().acquire(blocking=False):
        return False
    try:
        if not leaving.has_begun():
            _generate(conversation_id)
    except Exception:
        logger.exception("no title")
    finally:
        connections.close_all()
        _slots().release()
    return True


@cache
def _slots() -> BoundedSemaphore:
    return BoundedSemaphore(_AT_ONCE)


def _generate(conversation_id: uuid.UUID) -> None:
    with platform_scope("title: whose conversation it is"):
        found = Conversation.objects.filter(pk=conversation_id)
        tenant_id = found.values_list("tenant_id", flat=True).first()
    if tenant_id is None:
        return
    with logging_about(tenant=str(tenant_id), conversation=str(conversation_id)):
        with tenant_scope(tenant_id):
            naming = _naming(conversation_id)
        connections.close_all()  # none is held while the model answers
        if naming:
            _name(naming)


def _naming(conversation_id: uuid.UUID) -> _Naming | None:
    """What to ask whom; None when there is no title to be made (any more)."""
    nameable = Conversation.objects.filter(
        pk=conversation_id, title_by=TitleBy.FIRST_WORDS, tenant__generates_titles=True
    )
    conversation = nameable.select_related("tenant").first()
    if conversation is None or not _is_wanted(conversation):
        return None
    deployment = _default_deployment(conversation)
    messages = _messages(conversation)
    return _Naming(conversation, deployment, messages) if deployment and messages else None


def _is_wanted(conversation: Conversation) -> bool:
    """Whether its owner may use the tenant (still), and no call has been paid for yet."""
    usable = Membership.objects.usable()
    mine = usable.filter(tenant=conversation.tenant_id, user=conversation.owner_id)
    is_billed = UsageEntry.objects.filter(generation_id=conversation.pk).exists()
    return mine.exists() and not is_billed


def _default_deployment(conversation: Conversation) -> Deployment | None:
    """The tenant's default, unless it is paused."""
    grants = DeploymentGrant.objects.filter(
        tenant=conversation.tenant_id,
        is_default=True,
        is_offered=True,
        deployment__is_active=True,
        deployment__pause=None,
    )
    grant = grants.select_related("deployment").first()
    return grant.deployment if grant else None


def _messages(conversation: Conversation) -> list[PromptMessage]:
    """The request for a title, of the first question and its answer."""
    answered = conversation.generations.filter(status=Generation.Status.COMPLETED)
    texts = answered.exclude(reply=None).order_by("queued_at")
    first = texts.values_list("prompt__content", "reply__content").first()
    if first is None:
        return []
    asked, answer = (str(text)[:_CHARS_SHOWN] for text in first)
    return [
        PromptMessage(role="system", content=_TASK),
        PromptMessage(role="user", content=f"Question:\n{asked}\n\nAnswer:\n{answer}\n\nTitle:"),
    ]


@dataclass
class _Said:
    """What the model said, the provider's figures if they came, and whether it came to an end."""

    text: str = ""
    usage: Usage | None = None
    is_whole: bool = False


def _name(naming: _Naming) -> None:
    said = _Said()
    try:
        _listen(naming, said)
    except ProviderError as error:
        logger.info("no title: %s", error.code)
    _store(naming, said, _clean(said.text) if said.is_whole else "")


def _listen(naming: _Naming, said: _Said) -> None:
    """Read until the model has said enough, or all."""
    ends_at = time.monotonic() + _SECONDS_READ
    reply = provider.stream_reply(naming.deployment, naming.messages)
    with closing(cast(Generator[Piece], reply)):  # ends the call
        for piece in reply:
            said.text += piece.text
            said.usage = piece.usage or said.usage
            if piece.finish_reason:
                said.is_whole = piece.finish_reason != "content_filter"
            elif len(said.text) > _CHARS_READ:
                said.is_whole = True
                return
            if time.monotonic() > ends_at:
                return


def _clean(text: str) -> str:
    """The first line that says something, as a title: printable, unquoted, not too long."""
    line = next((line for line in text.splitlines() if line.strip(_QUOTES)), "")
    printable = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in line)
    words = " ".join(printable.split()).strip(_QUOTES)
    if len(words) <= _TITLE_CHARS:
        return words
    return words[: _TITLE_CHARS - 1].rsplit(" ", 1)[0] + "…"


def _store(naming: _Naming, said: _Said, title: str) -> None:
    """Store bill and title, also when the database is away for a moment."""
    for _ in range(_STORE_TRIES):
        try:
            with tenant_scope(naming.conversation.tenant_id):
                _store_in_scope(naming, said, title)
        except OperationalError:
            logger.warning("title not stored yet", exc_info=True)
            connections.close_all()
            time.sleep(1.0)
        else:
            return


def _store_in_scope(naming: _Naming, said: _Said, title: str) -> None:
    conversation = naming.conversation
    usage = said.usage or (_estimate(naming, said.text) if said.text else None)
    if usage:
        billing.write(
            tenant_id=conversation.tenant_id,
            user_id=conversation.owner_id,
            deployment=naming.deployment,
            subject_id=conversation.pk,
            usage=usage,
            is_estimate=said.usage is None,
            purpose=UsageEntry.Purpose.TITLE,
        )
    if title:
        untitled = Conversation.objects.filter(pk=conversation.pk, title_by=TitleBy.FIRST_WORDS)
        untitled.update(title=title, title_by=TitleBy.MODEL)


def _estimate(naming: _Naming, text: str) -> Usage:
    asked = prompts.estimate_input_tokens(naming.messages)
    return Usage(asked, prompts.estimate_tokens(text))
