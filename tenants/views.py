"""Where a person lands after signing in, and the way in by invitation."""

import logging
from collections.abc import Callable
from functools import wraps

from allauth.account.utils import perform_login
from allauth.core import ratelimit
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.http import require_http_methods, require_safe

from tenants import services
from tenants.access import memberships_of, sign_in_first
from tenants.errors import AlreadyExists, LinkNotWorking
from tenants.forms import NewAccountForm
from tenants.logcontext import logging_about
from tenants.models import Invitation, Membership, User
from tenants.rights import AdminAccess

logger = logging.getLogger(__name__)

InvitationView = Callable[[HttpRequest, str], HttpResponse]


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The tenants of this person: with only one, straight on to it; 403 with none."""
    assert isinstance(request.user, User)  # noqa: S101  # signed in
    memberships = memberships_of(request.user)
    if len(memberships) == 1:
        return _enter(memberships[0])
    may_administer = AdminAccess(request.user, memberships).may_enter
    context = {"memberships": memberships, "may_administer": may_administer}
    return render(request, "tenants/choose.html", context, status=200 if memberships else 403)


# ── Invitations ────────────────────────────────────────────────────────────────────────────────
def secret_address(view: InvitationView) -> InvitationView:
    """Of a view whose address is a secret: no cache keeps its pages, and no link tells it on.

    A link that does not work gets one and the same page, whatever the cause; the log has it.
    """

    @wraps(view)
    def guarded(request: HttpRequest, token: str) -> HttpResponse:
        try:
            response = view(request, token)
        except LinkNotWorking as refusal:
            logger.info("invitation refused: %s", refusal.reason)
            response = render(request, "tenants/invitation_gone.html", status=404)
        response["Cache-Control"] = "no-store, private"
        # Not "no-referrer": browsers then send `Origin: null` with the page's forms, which the
        # check against cross-site posts refuses. This tells our own pages the host and no path.
        response["Referrer-Policy"] = "strict-origin"
        return response

    return guarded


@require_http_methods(["GET", "HEAD", "POST"])
@secret_address
def accept_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Show what the link is for; a POST joins. Programs that only follow links change nothing."""
    invitation = services.find_invitation(token)
    with logging_about(tenant=invitation.tenant.slug):
        if request.method == "POST":
            limited: HttpResponse | None = ratelimit.consume_or_429(request, action="signup")
            if limited is not None:
                return limited
        if request.user.is_authenticated:
            return _with_account(request, token, invitation)
        if User.objects.filter(email=invitation.email).exists():
            return _after_signing_in(request, invitation)
        return _with_new_account(request, token, invitation)


def _with_account(request: HttpRequest, token: str, invitation: Invitation) -> HttpResponse:
    """Signed in: one button for whom it is for; others can sign out, and the link stays."""
    assert isinstance(request.user, User)  # noqa: S101  # signed in
    is_theirs = request.user.email == invitation.email
    if request.method == "POST" and is_theirs:
        return _enter(services.accept(token=token, user=request.user))
    context = {"invitation": invitation, "is_theirs": is_theirs}
    status = 403 if request.method == "POST" else 200
    return render(request, "tenants/invitation.html", context, status=status)


def _after_signing_in(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """The address has an account: its person signs in and comes back."""
    if request.method == "POST":
        return sign_in_first(request, back_to=request.path)
    return render(request, "tenants/invitation.html", {"invitation": invitation})


def _with_new_account(request: HttpRequest, token: str, invitation: Invitation) -> HttpResponse:
    """The address has no account: name and password make one."""
    sent = request.POST if request.method == "POST" else None
    form = NewAccountForm(sent, email=invitation.email)
    if not form.is_valid():
        context = {"invitation": invitation, "form": form}
        return render(request, "tenants/invitation_new.html", context)
    name, password = form.cleaned_data["name"], form.cleaned_data["password"]
    try:
        membership = services.accept_with_new_account(token=token, name=name, password=password)
    except AlreadyExists:
        return redirect(request.path)
    response: HttpResponse = perform_login(
        request, membership.user, redirect_url=_address_of(membership)
    )
    return response


def _enter(membership: Membership) -> HttpResponse:
    return redirect(_address_of(membership))


def _address_of(membership: Membership) -> str:
    return resolve_url("chat:new_conversation", tenant=membership.tenant.slug)
