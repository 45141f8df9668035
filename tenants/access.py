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


class MemberRequest(HttpRequest):
    """A request whose person may use the tenant named in its address."""

    user: User
    membership: Membership


def is_fetch(request: HttpRequest) -> bool:
    """Whether our own script asks (it then takes fragments and JSON errors), not a plain form."""
    return request.headers.get("X-Requested-With") == "fetch"


def find_membership(request: HttpRequest, tenant: str) -> Membership | None:
    """The usable membership of the signed-in person in the tenant with this slug."""
    return Membership.objects.usable().of(request.user.pk).filter(tenant__slug=tenant).first()


def member_required(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let members of the tenant in, with `request.membership` set.

    Anonymous people are sent to the sign-in page (401 for our scripts); everyone else gets the same
    404 whether the tenant exists or not.
    """

    @wraps(view)
    def guarded(request: HttpRequest, tenant: str, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return sign_in_first(request)
        membership = find_membership(request, tenant)
        if membership is None:
            raise Http404
        member_request = cast(MemberRequest, request)
        member_request.membership = membership
        membership.user = member_request.user
        with logging_about(tenant=membership.tenant.slug):
            response = view(member_request, **kwargs)
        if not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, no_cache=True)
        return response

    guarded.is_member_required = True  # type: ignore[attr-defined]  # read by the structural test
    return guarded


def sign_in_first(request: HttpRequest) -> HttpResponse:
    """Send a person to the sign-in page and back; tell our scripts so with 401."""
    if is_fetch(request):
        error = {"code": "signed_out", "message": "You are signed out. Sign in to go on."}
        return JsonResponse({"error": error}, status=401)
    path = request.get_full_path() if request.method == "GET" else "/"
    return redirect(f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': path})}")
