"""Generations: the answer as it is written, and what can be done about it."""

import uuid
from collections.abc import Callable

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from chat import services, sse
from chat.events import END_ID
from chat.forms import RetryForm, SendForm, StopForm, read
from chat.models import Generation
from chat.views.answers import SeeOther, exchange, refusals_shown
from chat.views.finding import address_of, my_generation
from tenants.access import MemberRequest, is_fetch, member_required


@require_safe
@member_required
def show_generation(request: MemberRequest, generation_id: uuid.UUID) -> HttpResponse:
    """The fragment of the assistant's turn as it is now, with an earlier answer if it has none."""
    turn = services.read_turn(my_generation(request, generation_id))
    return render(request, "chat/_exchange.html", {"turns": _with_answer_in_sight(turn)})


def _with_answer_in_sight(turn: services.Turn) -> list[services.Turn]:
    """The reply that the page still shows, where an attempt to replace it brought nothing."""
    generation = turn.generation
    if generation is None or generation.is_live or turn.text:
        return [turn]
    shown = services.read_turns(generation.conversation)[-2:]
    is_second = len(shown) == 2 and shown[1].generation == generation
    return shown if is_second and shown[0].role == turn.role else [turn]


@require_safe
@member_required
def stream_generation(request: MemberRequest, generation_id: uuid.UUID) -> HttpResponseBase:
    """The answer as server-sent events (chat/events.py); 204 when there is nothing more to come."""
    generation = services.settled(my_generation(request, generation_id))
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
@refusals_shown
def stop_generation(request: MemberRequest, generation_id: uuid.UUID) -> HttpResponse:
    """Ask for the end of the answer where the person sees it; the end event says the rest."""
    generation = my_generation(request, generation_id)
    services.stop_generation(generation=generation, seen_chars=read(StopForm, request)["seen"])
    if is_fetch(request):
        return HttpResponse(status=202)
    return SeeOther(address_of(request, generation.conversation))


@require_POST
@member_required
@refusals_shown
def retry_generation(request: MemberRequest, generation_id: uuid.UUID) -> HttpResponse:
    """Answer the same prompt once more; the fragment of the new turn."""
    return _ask_again(request, generation_id, services.retry_generation)


@require_POST
@member_required
@refusals_shown
def continue_generation(request: MemberRequest, generation_id: uuid.UUID) -> HttpResponse:
    """Go on where an unfinished answer ended; the fragment of the new turn."""
    return _ask_again(request, generation_id, services.continue_generation)


def _ask_again(
    request: MemberRequest, generation_id: uuid.UUID, ask: Callable[..., Generation]
) -> HttpResponse:
    generation = ask(
        actor=request.membership,
        generation=my_generation(request, generation_id),
        request_id=read(RetryForm, request)["request_id"],
    )
    return exchange(request, generation, with_prompt=False)


@require_POST
@member_required
@refusals_shown
def edit_generation(request: MemberRequest, generation_id: uuid.UUID) -> HttpResponse:
    """Send the prompt of an answer that never came in other words; the new exchange's fragment."""
    sent = read(SendForm, request)
    generation = services.resend_edited(
        actor=request.membership,
        generation=my_generation(request, generation_id),
        text=sent["message"],
        request_id=sent["request_id"],
    )
    return exchange(request, generation, with_prompt=True)
