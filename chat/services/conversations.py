"""Reading, renaming and deleting conversations."""

from dataclasses import dataclass, replace

from django.db import transaction

from chat import generation as worker
from chat.errors import ConversationGone, EmptyMessage
from chat.models import Conversation, Generation, Message
from tenants.models import Membership
from tenants.services import record

# A page shows so many messages at first, and with each step upward.
TURNS_PER_PAGE = 20


@dataclass(frozen=True)
class Turn:
    """What one side said, as the page shows it: a message, or an answer without one (yet).

    A superseded one is in sight because a later answer to the same prompt brought nothing; what is
    to be done now belongs to that later one.
    """

    role: str
    text: str
    message: Message | None = None
    generation: Generation | None = None
    is_superseded: bool = False


def read_turns(conversation: Conversation, *, before: Message | None = None) -> list[Turn]:
    """The last turns of the branch that is shown, oldest first, with its live answer last.

    At most TURNS_PER_PAGE messages: the last ones, or those that lead to the message `before`.
    """
    end = before.parent_id if before else conversation.head_id
    branch = Message.objects.branch(end, limit=TURNS_PER_PAGE)
    generations = {
        generation.reply_id: generation
        for generation in Generation.objects.filter(
            reply__in=[m.pk for m in branch if m.role == Message.Role.ASSISTANT]
        ).select_related("deployment", "stands_in_for")
    }
    turns = [
        Turn(message.role, message.content, message, generations.get(message.pk))
        for message in branch
    ]
    if branch and branch[-1].role == Message.Role.USER and before is None:
        turns += _unanswered(branch[-1])
    return turns


def earlier_turns(turns: list[Turn]) -> Message | None:
    """Before which message `read_turns` goes on upward from these turns; None at the beginning."""
    first = turns[0].message if turns else None
    return first if first and first.parent_id else None


def _unanswered(prompt: Message) -> list[Turn]:
    """The latest generation for a prompt that has no reply on the branch: live, or without text.

    When it ended without text, the reply that it was to replace stays in sight before it.
    """
    related = prompt.generations.select_related(
        "deployment", "stands_in_for", "conversation", "prompt", "reply"
    )
    latest, *earlier = [*related.order_by("-queued_at")]
    turn = read_turn(latest)
    with_reply = [read_turn(generation) for generation in earlier if generation.reply_id]
    replies = [replace(reply, is_superseded=True) for reply in with_reply[:1]]
    return [*replies, turn] if not (turn.text or latest.is_live) else [turn]


def settled(generation: Generation) -> Generation:
    """This generation as it is, ended or requeued first when its worker is silent."""
    if worker.settle_if_stale(generation):
        generation.refresh_from_db()
    return generation


def read_turn(generation: Generation) -> Turn:
    """The assistant's turn of this generation."""
    generation = settled(generation)
    if generation.reply:
        return Turn(Message.Role.ASSISTANT, generation.reply.content, generation.reply, generation)
    return Turn(Message.Role.ASSISTANT, generation.partial_text, None, generation)


def rename_conversation(*, conversation: Conversation, title: str) -> Conversation:
    """Give the conversation this title for good, cut to 200 characters; EmptyMessage if blank."""
    words = " ".join(title.split())[:200]
    if not words:
        raise EmptyMessage("A title needs at least one character.")
    conversation.title, conversation.title_by = words, Conversation.TitleBy.PERSON
    renamed = Conversation.objects.filter(pk=conversation.pk)
    if not renamed.update(title=words, title_by=Conversation.TitleBy.PERSON):
        raise ConversationGone("This conversation was deleted.")
    return conversation


@transaction.atomic
def delete_conversation(*, actor: Membership, conversation: Conversation) -> None:
    """Delete the conversation with its messages; what it used stays in the ledger."""
    mine = Conversation.objects.visible_to(actor).select_for_update()
    locked = mine.filter(pk=conversation.pk).first()
    if locked is None:
        return
    live_ones = locked.generations.live().select_for_update(of=("self",))
    for live in live_ones.select_related("deployment", "conversation"):
        worker.end_with_conversation(live)
    subject = Conversation(pk=locked.pk)
    locked.delete()
    record("conversation.deleted", subject=subject, actor=actor.user, tenant=actor.tenant)
