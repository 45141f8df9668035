"""Pages, fragments and the stream of one tenant. Every object enters through `visible_to`."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.db.models.functions import Left
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from chat import services, sse
from chat.errors import ChatError
from chat.events import END_ID
from chat.forms import RetryForm, SendForm, StartForm, TitleForm, read
from chat.models import Conversation, Deployment, Generation, LibraryPrompt
from tenants import logos
from tenants.access import MemberRequest, is_fetch, member_required

# Of the library: how many prompts a page shows, and how long a text it holds by itself.
_MOST_PROMPTS = 100
_MOST_STARTER_CHARS = 2000


class SeeOther(HttpResponseRedirect):
    """303: read the result of a form post at this address."""

    status_code = 303


def refusals_shown(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Tell a refusal: our script as JSON, a plain form on its page with the typed text kept."""

    @wraps(view)
    def shown(request: MemberRequest, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, **kwargs)
        except ChatError as refusal:
            if is_fetch(request):
                error = {"code": refusal.code, "message": str(refusal)}
                return JsonResponse({"error": error}, status=refusal.status)
            conversation = _conversation_of(request, **kwargs)
            return _page(request, conversation, error=str(refusal), status=refusal.status)

    return shown


# ── Pages ──────────────────────────────────────────────────────────────────────────────────────
@require_safe
@member_required
def new_conversation(request: MemberRequest) -> HttpResponse:
    """The empty page, ready for a first message: one of the library (`prompt`), or none yet."""
    return _page(request, None, draft=_library_text(request))


@require_safe
@member_required
def show_conversation(request: MemberRequest, conversation_id: uuid.UUID) -> HttpResponse:
    """A conversation with its branch that is shown."""
    return _page(request, _mine(request, conversation_id))


@require_safe
@member_required
def list_conversations(request: MemberRequest) -> HttpResponse:
    """The list by recency, searched by title (`q`), from a cursor on (`after`)."""
    if is_fetch(request):
        return render(request, "chat/_conversation_rows.html", _sidebar(request))
    return _page(request, None)


@require_safe
@member_required
def show_logo(request: MemberRequest) -> HttpResponseBase:
    """The tenant's logo, or 404."""
    return logos.serve(request, request.membership.tenant)


# ── Conversations ──────────────────────────────────────────────────────────────────────────────
@require_POST
@member_required
@refusals_shown
def start_conversation(request: MemberRequest) -> HttpResponse:
    """A new conversation from its first message; 201 or 303 to its page."""
    sent = read(StartForm, request)
    conversation = services.start_conversation(
        actor=request.membership,
        text=sent["message"],
        request_id=sent["request_id"],
        deployment_id=sent["deployment"],
    )
    address = _address(request, conversation)
    if is_fetch(request):
        return HttpResponse(status=201, headers={"Location": address})
    return SeeOther(address)


@require_POST
@member_required
@refusals_shown
def send_message(request: MemberRequest, conversation_id: uuid.UUID) -> HttpResponse:
    """A further message; the fragment of the new exchange."""
    conversation = _mine(request, conversation_id)
    sent = read(SendForm, request)
    generation = services.send_message(
        actor=request.membership,
        conversation=conversation,
        text=sent["message"],
        request_id=sent["request_id"],
    )
    if not is_fetch(request):
        return SeeOther(_address(request, conversation))
    turns = [
        services.Turn("user", generation.prompt.content, generation.prompt),
        services.read_turn(generation),
    ]
    return render(request, "chat/_exchange.html", {"turns": turns}, status=201)


@require_POST
@member_required
@refusals_shown
def rename_conversation(request: MemberRequest, conversation_id: uuid.UUID) -> HttpResponse:
    """A new title; the fragment of the list's row."""
    conversation = services.rename_conversation(
        conversation=_mine(request, conversation_id), title=read(TitleForm, request)["title"]
    )
    if not is_fetch(request):
        return SeeOther(_address(request, conversation))
    return render(request, "chat/_conversation_row.html", {"row": conversation})


@require_POST
@member_required
def delete_conversation(request: MemberRequest, conversation_id: uuid.UUID) -> HttpResponse:
    """The conversation is gone; its usage stays."""
    conversation = _mine(request, conversation_id)
    services.delete_conversation(actor=request.membership, conversation=conversation)
    if is_fetch(request):
        return HttpResponse(status=204)
    return SeeOther(reverse("chat:new_conversation", args=[request.membership.tenant.slug]))


# ── Generations ────────────────────────────────────────────────────────────────────────────────
@require_safe
@member_required
def show_generation(request: MemberRequest, generation_id: uuid.UUID) -> HttpResponse:
    """The fragment of the assistant's turn as it is now."""
    turn = services.read_turn(_my_generation(request, generation_id))
    return render(request, "chat/_turn.html", {"turn": turn})


@require_safe
@member_required
def stream_generation(request: MemberRequest, generation_id: uuid.UUID) -> HttpResponseBase:
    """The answer as server-sent events (chat/events.py); 204 when there is nothing more to come."""
    generation = services.settled(_my_generation(request, generation_id))
    after = request.headers.get("Last-Event-ID", "")
    if generation.is_live:
        frames = services.follow_generation(
            generation,
            reader=request.membership,
            session_key=request.session.session_key or "",
            after=after,
        )
        return sse.response(frames)
    if after == END_ID:
        return sse.nothing_more()
    return sse.response(sse.at_once(services.ended_frames(generation)))


@require_POST
@member_required
def stop_generation(request: MemberRequest, generation_id: uuid.UUID) -> HttpResponse:
    """Ask for the end of the answer; the stream's end event says the rest."""
    generation = _my_generation(request, generation_id)
    services.stop_generation(generation=generation)
    if is_fetch(request):
        return HttpResponse(status=202)
    return SeeOther(_address(request, generation.conversation))


@require_POST
@member_required
@refusals_shown
def retry_generation(request: MemberRequest, generation_id: uuid.UUID) -> HttpResponse:
    """Answer the same prompt once more; the fragment of the new turn."""
    generation = services.retry_generation(
        actor=request.membership,
        generation=_my_generation(request, generation_id),
        request_id=read(RetryForm, request)["request_id"],
    )
    if not is_fetch(request):
        return SeeOther(_address(request, generation.conversation))
    turn = services.read_turn(generation)
    return render(request, "chat/_turn.html", {"turn": turn}, status=201)


# ── What the views share ───────────────────────────────────────────────────────────────────────
def _mine(request: MemberRequest, conversation_id: uuid.UUID) -> Conversation:
    mine = Conversation.objects.visible_to(request.membership).select_related("deployment")
    return get_object_or_404(mine, pk=conversation_id)


def _my_generation(request: MemberRequest, generation_id: uuid.UUID) -> Generation:
    mine = Generation.objects.visible_to(request.membership)
    related = mine.select_related("conversation", "deployment", "prompt", "reply")
    return get_object_or_404(related, pk=generation_id)


def _conversation_of(
    request: MemberRequest,
    conversation_id: uuid.UUID | None = None,
    generation_id: uuid.UUID | None = None,
) -> Conversation | None:
    if generation_id:
        return _my_generation(request, generation_id).conversation
    return _mine(request, conversation_id) if conversation_id else None


def _address(request: MemberRequest, conversation: Conversation) -> str:
    return reverse("chat:show_conversation", args=[request.membership.tenant.slug, conversation.pk])


def _sidebar(request: MemberRequest) -> dict[str, object]:
    query = request.GET.get("q", "").replace("\0", "")
    mine = Conversation.objects.visible_to(request.membership).titled(query)
    return {"query": query, "conversations": mine.page(after=request.GET.get("after", ""))}


def _library_text(request: MemberRequest) -> str:
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


def _page(
    request: MemberRequest,
    conversation: Conversation | None,
    *,
    error: str = "",
    draft: str = "",
    status: int = 200,
) -> HttpResponse:
    deployments = list(Deployment.objects.visible_to(request.membership))
    chosen = conversation.deployment if conversation else next(iter(deployments), None)
    context = {
        **_sidebar(request),
        "conversation": conversation,
        "turns": services.read_turns(conversation) if conversation else [],
        "disclosures": services.find_disclosures(conversation) if conversation else [],
        "prompts": [] if conversation else _library(request),
        "logo": logos.digest_of(request.membership.tenant)[:12],
        "deployments": deployments,
        "deployment": chosen,
        "request_id": uuid.uuid4(),
        "error": error,
        "draft": request.POST.get("message", "") if error else draft,
        "max_starter_chars": _MOST_STARTER_CHARS,
        "max_message_chars": settings.CHAT_MAX_MESSAGE_CHARS,
    }
    return render(request, "chat/conversation.html", context, status=status)
