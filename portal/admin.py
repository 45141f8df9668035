"""How the admin site as a whole behaves: who enters, what is in it, and its content policy."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.models import EmailAddress
from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.templatetags.static import static
from django.urls import reverse

# The admin's pages are driven by Alpine, which compiles the expressions in its attributes, hold
# styles (the theme's colours, coloured JSON), and use htmx, jQuery and Select2, which write markup
# from strings: so it needs eval and inline styles, and cannot have Trusted Types. Inline scripts
# stay forbidden: what a person typed is inert here all the same.
CONTENT_POLICY = {
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "require-trusted-types-for": None,
    "trusted-types": None,
}

# Heading, then model, label and symbol (of Material Symbols) of each entry.
_NAVIGATION = {
    "People": [
        ("tenants_tenant", "Tenants", "apartment"),
        ("tenants_user", "People", "person"),
    ],
    "Catalogue": [("chat_deployment", "Deployments", "neurology")],
    "Activity": [
        ("chat_conversation", "Conversations", "forum"),
        ("chat_generation", "Generations", "bolt"),
    ],
    "Ledger": [
        ("chat_usageentry", "Usage entries", "receipt_long"),
        ("tenants_auditevent", "Audit events", "history"),
    ],
}


def is_administrator(request: HttpRequest) -> bool:
    """Superusers enter the admin, and nobody else."""
    return request.user.is_active and bool(getattr(request.user, "is_superuser", False))


def without_form(login: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The admin's sign-in address, which never shows the admin's own form: it has no rate limit."""

    @wraps(login)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not is_administrator(request):
            raise PermissionDenied
        return login(request, *args, **kwargs)

    return wrapped


def with_content_policy(
    admin_view: Callable[..., Callable[..., HttpResponseBase]],
) -> Callable[..., Callable[..., HttpResponseBase]]:
    """Django's wrapper of every admin page, with the admin's own content policy on its answers."""

    @wraps(admin_view)
    def wrapped(view: Callable[..., Any], cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002  # Django's signature
        return csp_replace(CONTENT_POLICY)(admin_view(view, cacheable))

    return wrapped


def icon(request: HttpRequest) -> str:  # noqa: ARG001  # unfold's signature
    """The mark beside the site's name."""
    return static("portal/logo.svg")


def navigation(request: HttpRequest) -> list[dict[str, Any]]:  # noqa: ARG001  # as above
    """The sidebar: every registered model, by what it is about."""
    return [
        {
            "title": heading,
            "separator": True,
            "items": [
                {"title": label, "icon": symbol, "link": reverse(f"admin:{model}_changelist")}
                for model, label, symbol in entries
            ],
        }
        for heading, entries in _NAVIGATION.items()
    ]


admin.site.has_permission = is_administrator  # type: ignore[method-assign]  # for this one site
admin.site.login = without_form(admin.site.login)  # type: ignore[method-assign,assignment]  # as above
admin.site.admin_view = with_content_policy(admin.site.admin_view)  # type: ignore[method-assign,assignment]  # as above
# Groups grant nothing here, and an address is changed with its person.
admin.site.unregister([Group, EmailAddress])
