"""How views answer: redirects after a form, and refusals."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from chat import services
from chat.errors import ChatError
from chat.models import Generation
from chat.views.finding import address_of, conversation_in
from chat.views.page import page
from tenants.access import MemberRequest, is_fetch


class SeeOther(HttpResponseRedirect):
    """303: read the result of a form post at this address."""

    status_code = 303


def refusals_shown(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Tell a refusal: our script as JSON, a plain form on its page with the typed text kept.

    One that says when to try again says so in Retry-After, too.
    """

    @wraps(view)
    def shown(request: MemberRequest, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, **kwargs)
        except ChatError as refusal:
            if is_fetch(request):
                response: HttpResponse = JsonResponse(_described(refusal), status=refusal.status)
            else:
                conversation = conversation_in(request, **kwargs)
                response = page(request, conversation, refusal=refusal, **kwargs)
            if refusal.retry_after_seconds is not None:
                response["Retry-After"] = str(refusal.retry_after_seconds)
            return response

    return shown


def _described(refusal: ChatError) -> dict[str, dict[str, str | int | None]]:
    error: dict[str, str | int | None] = {"code": refusal.code, "message": str(refusal)}
    if refusal.retry_after_seconds is not None:
        error["retry_after_seconds"] = refusal.retry_after_seconds
    return {"error": error}


def exchange(request: MemberRequest, generation: Generation, *, with_prompt: bool) -> HttpResponse:
    """201 with the fragment of a new answer (and its prompt); for a plain form 303 to the page."""
    if not is_fetch(request):
        return SeeOther(address_of(request, generation.conversation))
    turns = [services.read_turn(generation)]
    if with_prompt:
        prompt = generation.prompt
        turns.insert(0, services.Turn("user", prompt.content, prompt))
    return render(request, "chat/_exchange.html", {"turns": turns}, status=201)
