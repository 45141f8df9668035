"""The path of one message, with a real worker."""

import uuid

from chat import services
from chat.models import Conversation, Generation, UsageEntry
from tenants.models import Membership
from tests.stack import Stack, wait_until
from tests.upstream import Upstream


def ended(generation: Generation) -> bool:
    """Whether the generation has ended, asked of the database."""
    generation.refresh_from_db()
    return not generation.is_live


def test_a_sent_message_is_answered_stored_and_billed_once(
    stack: Stack, conversation: Conversation, upstream: Upstream
) -> None:
    generation = conversation.generations.get()

    wait_until(lambda: ended(generation), what="the answer")

    assert generation.status == Generation.Status.COMPLETED
    assert generation.reply is not None
    assert generation.reply.content == "Hello from the model."
    entry = UsageEntry.objects.get(generation_id=generation.pk)
    assert (entry.input_tokens, entry.output_tokens) == (
        upstream.requests[0].input_tokens,
        upstream.requests[0].output_tokens,
    )
    assert not entry.is_estimate
