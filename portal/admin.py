"""How the admin site as a whole behaves: who enters, what is in it, and its content policy."""

from collections.abc import Callable
from contextlib import AbstractContextManager
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
from django.template.response import SimpleTemplateResponse
from django.templatetags.static import static
from django.urls import reverse

from tenants.access import access_of
from tenants.rights import AdminAccess
from tenants.scope import platform_scope, tenants_scope

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


def may_enter(request: HttpRequest) -> bool:
    """Platform administrators, and people who run a tenant."""
    return access_of(request).may_enter


def without_form(login: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The admin's sign-in address, which never shows the admin's own form: it has no rate limit."""

    @wraps(login)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not may_enter(request):
            raise PermissionDenied
        return login(request, *args, **kwargs)

    return wrapped


def in_scope(
    admin_view: Callable[..., Callable[..., HttpResponseBase]],
) -> Callable[..., Callable[..., HttpResponseBase]]:
    """Django's wrapper of every admin page: in the scope of the person, with our content policy."""

    @wraps(admin_view)
    def wrapped(view: Callable[..., Any], cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002  # Django's signature
        inner = admin_view(view, cacheable)

        @csp_replace(CONTENT_POLICY)
        @wraps(view)
        def scoped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            with scope_of(access_of(request)):
                response = inner(request, *args, **kwargs)
                # Lists are read when they are shown, which must not be later than this.
                return (
                    response.render() if isinstance(response, SimpleTemplateResponse) else response
                )

        return scoped

    return wrapped


def scope_of(access: AdminAccess) -> AbstractContextManager[None]:
    """The tenants that this person runs; all of them for a platform administrator."""
    if access.is_administrator:
        return platform_scope("an administrator in the admin")
    return tenants_scope(access.tenants)


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


admin.site.has_permission = may_enter  # type: ignore[method-assign]  # for this one site
admin.site.login = without_form(admin.site.login)  # type: ignore[method-assign,assignment]  # as above
admin.site.admin_view = in_scope(admin.site.admin_view)  # type: ignore[method-assign,assignment]  # as above
# Groups grant nothing here, and an address is changed with its person.
admin.site.unregister([Group, EmailAddress])
