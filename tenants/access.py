"""The guard of every tenant page: who is asking, as a membership of the tenant in the address."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils.cache import patch_cache_control

from tenants.logcontext import logging_about
from tenants.models import Membership, User
from tenants.rights import AdminAccess
from tenants.scope import narrow_scope, platform_scope


class MemberRequest(HttpRequest):
    """A request whose person may use the tenant named in its address."""

    user: User
    membership: Membership
    memberships: list[Membership]  # all that let them in somewhere, by tenant name
    admin_access: AdminAccess


def access_of(request: HttpRequest) -> AdminAccess:
    """What the person may do in the admin; read once for a request."""
    access: AdminAccess | None = getattr(request, "admin_access", None)
    if access is None:
        access = _read_access(request)
        setattr(request, "admin_access", access)  # noqa: B010  # Django's class has no such name
    return access


def _read_access(request: HttpRequest) -> AdminAccess:
    user = request.user
    if not isinstance(user, User):
        return AdminAccess(User(is_active=False), [])
    return AdminAccess(user, memberships_of(user))


def is_fetch(request: HttpRequest) -> bool:
    """Whether our own script asks (it then takes fragments and JSON errors), not a plain form."""
    return request.headers.get("X-Requested-With") == "fetch"


def memberships_of(user: User) -> list[Membership]:
    """The memberships that let this person in somewhere, with their tenants, by tenant name."""
    with platform_scope("which tenants this person belongs to"):
        return _read_memberships(user)


def _read_memberships(user: User) -> list[Membership]:
    return list(Membership.objects.usable().of(user.pk))


def member_required(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let members of the tenant in, with `request.membership` set, in the scope of that tenant.

    The view is one transaction, with the look at who is asking. What a streaming response does
    after it sets a scope of its own.
    Anonymous people are sent to the sign-in page (401 for our scripts); everyone else gets the same
    404 whether the tenant exists or not.
    """

    @wraps(view)
    def guarded(request: HttpRequest, tenant: str, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return sign_in_first(request)
        member_request = cast(MemberRequest, request)
        with platform_scope("which tenants this person belongs to"):
            membership = _enter(member_request, tenant)
            narrow_scope(membership.tenant)
            with logging_about(tenant=membership.tenant.slug):
                response = view(member_request, **kwargs)
        if not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, no_cache=True)
        return response

    guarded.is_member_required = True  # type: ignore[attr-defined]  # read by the structural test
    return guarded


def _enter(request: MemberRequest, tenant: str) -> Membership:
    """Note on the request where the person belongs; the membership in the tenant with this slug."""
    request.memberships = _read_memberships(request.user)
    request.admin_access = AdminAccess(request.user, request.memberships)
    for membership in request.memberships:
        if membership.tenant.slug == tenant:
            membership.user = request.user
            request.membership = membership
            return membership
    raise Http404


def sign_in_first(request: HttpRequest, *, back_to: str = "") -> HttpResponse:
    """Send a person to the sign-in page and back; tell our scripts so with 401.

    Back is to the page that they asked for, or after a form to the start, unless it is given.
    """
    if is_fetch(request):
        error = {"code": "signed_out", "message": "You are signed out. Sign in to go on."}
        return JsonResponse({"error": error}, status=401)
    path = back_to or (request.get_full_path() if request.method == "GET" else "/")
    return redirect(f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': path})}")
