"""Who acts in the admin, and what they may give: what its pages hand to the services."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from tenants.access import access_of
from tenants.errors import TenantError
from tenants.models import Membership, Tenant, User
from tenants.rights import Right, may_give


def acting(request: HttpRequest) -> User:
    """The person, for the audit log."""
    assert isinstance(request.user, User)  # noqa: S101  # the admin lets nobody else in
    return request.user


def giver_in(request: HttpRequest, tenant: Tenant) -> Membership | None:
    """The membership by which the person acts in this tenant; None for administrators."""
    access = access_of(request)
    if access.is_administrator:
        return None
    if not access.may(Right.RUN_PEOPLE, tenant):
        raise PermissionDenied
    return access.memberships[tenant.pk]


def roles_to_give(request: HttpRequest) -> list[tuple[str, str]]:
    """The roles that the person may give somewhere; the services look at where."""
    access = access_of(request)
    return [
        (value, label)
        for value, label in Membership.Role.choices
        if access.is_administrator or any(may_give(m, value) for m in access.memberships.values())
    ]


def try_each(request: HttpRequest, rows: Any, do: Callable[[Any], object]) -> list[Any]:
    """Do this to each row; those for which it is refused are told, and left as they are."""
    done = []
    for row in rows:
        try:
            do(row)
        except TenantError as refusal:
            messages.error(request, f"{refusal}")
        else:
            done.append(row)
    return done
