"""How the admin site as a whole behaves: who enters, what is in it, and its content policy."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any, NamedTuple

from allauth.account.models import EmailAddress
from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import SimpleTemplateResponse
from django.templatetags.static import static
from django.urls import reverse

from tenants.access import access_of
from tenants.models import Tenant
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


class Entry(NamedTuple):
    """An entry of the sidebar: model, symbol (of Material Symbols), and how it is called."""

    model: str
    symbol: str
    label: str


_NAVIGATION = {
    "Organisation": [
        Entry("tenants.Tenant", "apartment", "Settings"),
        Entry("tenants.Membership", "group", "Members"),
        Entry("tenants.Invitation", "mail", "Invitations"),
        Entry("chat.LibraryPrompt", "library_books", "Prompt library"),
    ],
    "Platform": [
        Entry("tenants.User", "person", "People"),
        Entry("chat.Deployment", "neurology", "Deployments"),
    ],
    "Activity": [
        Entry("chat.Conversation", "forum", "Conversations"),
        Entry("chat.Generation", "bolt", "Generations"),
        Entry("chat.Investigation", "policy", "Investigations"),
    ],
    "Ledger": [
        Entry("chat.UsageEntry", "receipt_long", "Usage entries"),
        Entry("tenants.AuditEvent", "history", "Audit events"),
    ],
}
_MOST_NAMES = 2


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


def stylesheet(request: HttpRequest) -> str:  # noqa: ARG001  # as above
    """What our own pages of the admin need on top."""
    return static("portal/css/admin.css")


def script(request: HttpRequest) -> str:  # noqa: ARG001  # as above
    """Says that an upload is too large before it is sent."""
    return static("portal/upload.js")


def scope_name(request: HttpRequest) -> str:
    """What the person looks after: the platform, or their tenants."""
    access = access_of(request)
    if access.is_administrator:
        return "Platform"
    names = sorted(tenant.name for tenant in access.tenants)
    if len(names) <= _MOST_NAMES:
        return " and ".join(names)
    return f"{names[0]} and {len(names) - 1} more"


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar: what the person may see, by what it is about."""
    back = {"title": "Back to the chat", "icon": "arrow_back", "link": "/", "active": False}
    start = {"title": "Overview", "icon": "monitoring", "link": reverse("admin:index")}
    groups = {
        heading: [item for entry in entries if (item := _item(request, entry))]
        for heading, entries in _NAVIGATION.items()
    }
    return [
        {"items": [start, back]},
        *(
            {"title": heading, "separator": True, "items": items}
            for heading, items in groups.items()
            if items
        ),
    ]


def _item(request: HttpRequest, entry: Entry) -> dict[str, Any] | None:
    """The entry as unfold takes it (unescaped: no name of a tenant may be in it)."""
    model = apps.get_model(entry.model)
    if not admin.site.is_registered(model):
        return None
    if not admin.site.get_model_admin(model).has_view_permission(request):
        return None
    label, link = entry.label, _list_address(model)
    if model is Tenant:
        label, link = _own_settings(access_of(request))
    return {"title": label, "icon": entry.symbol, "link": link}


def _own_settings(access: AdminAccess) -> tuple[str, str]:
    """Who runs one tenant needs no list of them."""
    if access.is_administrator or len(access.tenants) != 1:
        return "Tenants" if access.is_administrator else "Organisations", _list_address(Tenant)
    return "Organisation", reverse("admin:tenants_tenant_change", args=[access.tenants[0].pk])


def _list_address(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def change_own_password(request: HttpRequest, extra_context: object = None) -> HttpResponse:  # noqa: ARG001  # Django's signature
    """The portal's own page, which limits attempts and writes them down."""
    return redirect("account_change_password")


def search(request: HttpRequest, extra_context: object = None) -> HttpResponse:  # noqa: ARG001  # unfold's signature
    """Unfold's search over everything is not offered: it would keep what it found in a cache."""
    raise Http404


def no_log_entries(request: HttpRequest) -> QuerySet[LogEntry]:  # noqa: ARG001  # Django's signature
    """Django's own log is not kept: the audit log is, and its rows are apart by tenant."""
    return LogEntry.objects.none()


admin.site.get_log_entries = no_log_entries  # type: ignore[method-assign]  # for this one site
admin.site.password_change = change_own_password  # type: ignore[method-assign,assignment]  # for this one site
setattr(admin.site, "search", search)  # noqa: B010  # unfold ships no types
admin.site.has_permission = may_enter  # type: ignore[method-assign]  # for this one site
admin.site.login = without_form(admin.site.login)  # type: ignore[method-assign,assignment]  # as above
admin.site.admin_view = in_scope(admin.site.admin_view)  # type: ignore[method-assign,assignment]  # as above
# Groups grant nothing here, and an address is changed with its person.
admin.site.unregister([Group, EmailAddress])
