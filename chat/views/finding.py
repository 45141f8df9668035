"""What an address names, if it is the member's."""

import uuid

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse

from chat.models import Conversation, Generation, Message
from tenants.access import MemberRequest


def my_conversation(request: MemberRequest, conversation_id: uuid.UUID) -> Conversation:
    """This conversation of the member, or 404."""
    mine = Conversation.objects.visible_to(request.membership).select_related("deployment")
    return get_object_or_404(mine, pk=conversation_id)


def asked_before(request: MemberRequest, conversation: Conversation) -> Message | None:
    """The message `before` which turns are asked for, if one is; 404 when it is not in there."""
    if "before" not in request.GET:
        return None
    try:
        return get_object_or_404(conversation.messages, pk=uuid.UUID(request.GET["before"]))
    except ValueError:
        raise Http404 from None


def my_generation(request: MemberRequest, generation_id: uuid.UUID) -> Generation:
    """This generation that the member asked for, or 404."""
    mine = Generation.objects.visible_to(request.membership)
    related = mine.select_related(
        "conversation", "deployment", "prompt", "reply", "continues", "stands_in_for"
    )
    return get_object_or_404(related, pk=generation_id)


def conversation_in(
    request: MemberRequest,
    conversation_id: uuid.UUID | None = None,
    generation_id: uuid.UUID | None = None,
) -> Conversation | None:
    """The conversation that an address is about, if it is about one."""
    if generation_id:
        return my_generation(request, generation_id).conversation
    return my_conversation(request, conversation_id) if conversation_id else None


def address_of(request: MemberRequest, conversation: Conversation) -> str:
    """Where its page is."""
    return reverse("chat:show_conversation", args=[request.membership.tenant.slug, conversation.pk])
