"""Conversations: their pages, and what is done with them."""

import uuid

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from chat import services
from chat.forms import SendForm, StartForm, TitleForm, read
from chat.views.answers import SeeOther, exchange, refusals_shown
from chat.views.finding import address_of, asked_before, my_conversation
from chat.views.page import library_text, page, sidebar
from tenants import logos
from tenants.access import MemberRequest, is_fetch, member_required


@require_safe
@member_required
def new_conversation(request: MemberRequest) -> HttpResponse:
    """The empty page, ready for a first message: one of the library (`prompt`), or none yet."""
    return page(request, None, draft=library_text(request))


@require_safe
@member_required
def show_conversation(request: MemberRequest, conversation_id: uuid.UUID) -> HttpResponse:
    """A conversation with the last turns of its branch, or with those `before` a message."""
    conversation = my_conversation(request, conversation_id)
    return page(request, conversation, before=asked_before(request, conversation))


@require_safe
@member_required
def list_turns(request: MemberRequest, conversation_id: uuid.UUID) -> HttpResponse:
    """The fragment of the last turns, or of those `before` a message, with the way upward."""
    conversation = my_conversation(request, conversation_id)
    turns = services.read_turns(conversation, before=asked_before(request, conversation))
    context = {
        "conversation": conversation,
        "turns": turns,
        "earlier": services.earlier_turns(turns),
    }
    return render(request, "chat/_turns.html", context)


@require_safe
@member_required
def list_conversations(request: MemberRequest) -> HttpResponse:
    """The list by recency, or what was searched for (`q`), from a cursor on (`after`)."""
    if is_fetch(request):
        return render(request, "chat/_conversation_rows.html", sidebar(request))
    return page(request, None)


@require_safe
@member_required
def show_row(request: MemberRequest, conversation_id: uuid.UUID) -> HttpResponse:
    """The fragment of the list's row, as it is now."""
    rows = [my_conversation(request, conversation_id)]
    return render(request, "chat/_conversation_row.html", {"rows": rows})


@require_safe
@member_required
def show_logo(request: MemberRequest) -> HttpResponseBase:
    """The tenant's logo, or 404."""
    return logos.serve(request, request.membership.tenant)


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
    address = address_of(request, conversation)
    if is_fetch(request):
        return HttpResponse(status=201, headers={"Location": address})
    return SeeOther(address)


@require_POST
@member_required
@refusals_shown
def send_message(request: MemberRequest, conversation_id: uuid.UUID) -> HttpResponse:
    """A further message; the fragment of the new exchange."""
    conversation = my_conversation(request, conversation_id)
    sent = read(SendForm, request)
    generation = services.send_message(
        actor=request.membership,
        conversation=conversation,
        text=sent["message"],
        request_id=sent["request_id"],
    )
    return exchange(request, generation, with_prompt=True)


@require_POST
@member_required
@refusals_shown
def rename_conversation(request: MemberRequest, conversation_id: uuid.UUID) -> HttpResponse:
    """A new title; the fragment of the list's row."""
    conversation = services.rename_conversation(
        conversation=my_conversation(request, conversation_id),
        title=read(TitleForm, request)["title"],
    )
    if not is_fetch(request):
        return SeeOther(address_of(request, conversation))
    return render(request, "chat/_conversation_row.html", {"rows": [conversation]})


@require_POST
@member_required
def delete_conversation(request: MemberRequest, conversation_id: uuid.UUID) -> HttpResponse:
    """The conversation is gone; its usage stays."""
    conversation = my_conversation(request, conversation_id)
    services.delete_conversation(actor=request.membership, conversation=conversation)
    if is_fetch(request):
        return HttpResponse(status=204)
    return SeeOther(reverse("chat:new_conversation", args=[request.membership.tenant.slug]))
