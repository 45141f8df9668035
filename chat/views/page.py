"""The one page: the list beside a conversation, or beside the empty page."""

import uuid

from django.conf import settings
from django.db.models.functions import Left
from django.http import HttpResponse
from django.shortcuts import render

from chat import services
from chat.errors import ChatError
from chat.models import Conversation, Deployment, Generation, LibraryPrompt, Message
from tenants import logos
from tenants.access import MemberRequest

# Of the library: how many prompts a page shows, and how long a text it holds by itself.
_MOST_PROMPTS = 100
_MOST_STARTER_CHARS = 2000


def page(
    request: MemberRequest,
    conversation: Conversation | None,
    *,
    draft: str = "",
    before: Message | None = None,
    refusal: ChatError | None = None,
    generation_id: uuid.UUID | None = None,
    **_address: object,
) -> HttpResponse:
    """The page of a conversation, or the empty one; after a refusal with what was typed.

    It shows the last turns, or those `before` a message.
    What was typed about a generation (`generation_id`) stays in its own form.
    """
    deployments = list(Deployment.objects.visible_to(request.membership))
    typed = request.POST.get("message", "") if refusal else ""
    turns = services.read_turns(conversation, before=before) if conversation else []
    context = {
        **sidebar(request),
        "conversation": conversation,
        "awaits_title": conversation is not None and _awaits_title(request, conversation),
        "turns": turns,
        "earlier": services.earlier_turns(turns),
        "is_past": before is not None,
        "waiting": _waiting(turns),
        "disclosures": services.find_disclosures(conversation) if conversation else [],
        "prompts": [] if conversation else _library(request),
        "logo": logos.digest_of(request.membership.tenant)[:12],
        "deployments": deployments,
        "deployment": _chosen(request, conversation, deployments),
        "request_id": uuid.uuid4(),
        "error": str(refusal or ""),
        "draft": draft or (typed if generation_id is None else ""),
        "edited": typed if generation_id else "",
        "max_starter_chars": _MOST_STARTER_CHARS,
        "max_message_chars": settings.CHAT_MAX_MESSAGE_CHARS,
    }
    status = refusal.status if refusal else 200
    return render(request, "chat/conversation.html", context, status=status)


def sidebar(request: MemberRequest) -> dict[str, object]:
    """The list by recency, or what was searched for (`q`), from a cursor on (`after`)."""
    query, after = request.GET.get("q", "").replace("\0", ""), request.GET.get("after", "")
    if query.strip():
        found = services.find_conversations(actor=request.membership, query=query, after=after)
        return {"query": query, "conversations": found.page, "snippets": found.snippets}
    mine = Conversation.objects.visible_to(request.membership)
    return {"query": "", "conversations": mine.page(after=after)}


def library_text(request: MemberRequest) -> str:
    """The text of the prompt that is asked for, if the library of the tenant has it."""
    try:
        prompt_id = uuid.UUID(request.GET.get("prompt", ""))
    except ValueError:
        return ""
    chosen = LibraryPrompt.objects.visible_to(request.membership).filter(pk=prompt_id).first()
    return chosen.text if chosen else ""


def _library(request: MemberRequest) -> list[LibraryPrompt]:
    """What an empty page offers, each with its `beginning`: the page links to the longer texts."""
    library = LibraryPrompt.objects.visible_to(request.membership).defer("text")
    return list(library.annotate(beginning=Left("text", _MOST_STARTER_CHARS + 1))[:_MOST_PROMPTS])


def _awaits_title(request: MemberRequest, conversation: Conversation) -> bool:
    """Whether a model may still give it one."""
    has_first_words = conversation.title_by == Conversation.TitleBy.FIRST_WORDS
    return has_first_words and request.membership.tenant.generates_titles


def _waiting(turns: list[services.Turn]) -> services.Waiting | None:
    """What the live answer waits for, if no worker has it."""
    live = turns[-1].generation if turns else None
    is_queued = live is not None and live.status == Generation.Status.QUEUED
    return services.look_within(live) if live and is_queued else None


def _chosen(
    request: MemberRequest, conversation: Conversation | None, deployments: list[Deployment]
) -> Deployment | None:
    """The conversation's model; before there is one, what was chosen, or else the default."""
    if conversation:
        return conversation.deployment
    wanted = request.POST.get("deployment", "")
    chosen = [deployment for deployment in deployments if str(deployment.pk) == wanted]
    return next(iter([*chosen, *deployments]), None)
