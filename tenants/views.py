"""Where a person lands after signing in."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from tenants.models import Membership
from tenants.scope import platform_scope


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The tenants of this person; with only one, straight on to it."""
    with platform_scope("which tenants this person belongs to"):
        memberships = list(Membership.objects.usable().of(request.user.pk))
    if len(memberships) == 1:
        return redirect("chat:new_conversation", tenant=memberships[0].tenant.slug)
    return render(request, "tenants/choose.html", {"memberships": memberships})
