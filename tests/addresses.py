"""Every address of the portal, and whom it is for. One that is not in the table fails the tests."""

import re
import uuid
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

from django.contrib.contenttypes.models import ContentType
from django.urls import URLPattern, URLResolver, get_resolver

from chat.models import Conversation, Generation
from tenants.models import Tenant
from tests.portal.two_tenants import MODELS, Rows


class For(Enum):
    """Whom an address is for; everybody else is a stranger there."""

    ANYBODY = auto()
    SIGNED_IN = auto()
    MEMBERS = auto()  # of the tenant in the address
    ITS_MEMBER = auto()  # whose conversation it is
    RUNNERS = auto()  # who run the tenant that the row belongs to
    ADMINISTRATORS = auto()


# By name.
PAGES = {
    "home": For.SIGNED_IN,
    "stream_probe": For.ANYBODY,  # with a token that is signed with SECRET_KEY; else 404
    "accept_invitation": For.ANYBODY,
    "account_login": For.ANYBODY,
    "account_logout": For.ANYBODY,
    "account_inactive": For.ANYBODY,
    "account_reauthenticate": For.SIGNED_IN,
    "account_change_password": For.SIGNED_IN,
    "account_reset_password": For.ANYBODY,
    "account_reset_password_done": For.ANYBODY,
    "account_reset_password_from_key": For.ANYBODY,
    "account_reset_password_from_key_done": For.ANYBODY,
    "chat:new_conversation": For.MEMBERS,
    "chat:show_logo": For.MEMBERS,
    "chat:list_conversations": For.MEMBERS,
    "chat:start_conversation": For.MEMBERS,
    "chat:show_conversation": For.ITS_MEMBER,
    "chat:list_turns": For.ITS_MEMBER,
    "chat:show_row": For.ITS_MEMBER,
    "chat:send_message": For.ITS_MEMBER,
    "chat:rename_conversation": For.ITS_MEMBER,
    "chat:delete_conversation": For.ITS_MEMBER,
    "chat:show_generation": For.ITS_MEMBER,
    "chat:stream_generation": For.ITS_MEMBER,
    "chat:stop_generation": For.ITS_MEMBER,
    "chat:retry_generation": For.ITS_MEMBER,
    "chat:continue_generation": For.ITS_MEMBER,
    "chat:edit_generation": For.ITS_MEMBER,
    "admin:index": For.RUNNERS,
    "admin:app_list": For.RUNNERS,
    "admin:autocomplete": For.RUNNERS,
    "admin:search": For.RUNNERS,
    "admin:view_on_site": For.RUNNERS,
    "admin:password_change": For.RUNNERS,
    "admin:password_change_done": For.RUNNERS,
    "admin:login": For.ANYBODY,
    "admin:logout": For.ANYBODY,
    "admin:jsi18n": For.ANYBODY,  # texts of Django's own scripts
}
# All addresses of a model in the admin, also those of its own, by how they begin.
ADMIN_PAGES = {
    "admin/tenants/auditevent/": For.RUNNERS,
    "admin/tenants/invitation/": For.RUNNERS,
    "admin/tenants/membership/": For.RUNNERS,
    "admin/tenants/tenant/": For.RUNNERS,
    "admin/tenants/user/": For.ADMINISTRATORS,
    "admin/chat/conversation/": For.RUNNERS,
    "admin/chat/deployment/": For.ADMINISTRATORS,
    "admin/chat/generation/": For.RUNNERS,
    "admin/chat/investigation/": For.RUNNERS,
    "admin/chat/libraryprompt/": For.RUNNERS,
    "admin/chat/usageentry/": For.RUNNERS,
    "admin/(?P<url>.*)$": For.RUNNERS,  # whatever else is asked for there
}


class Address(NamedTuple):
    """An address with the ids of a tenant's rows in it."""

    name: str
    template: str
    path: str

    @property
    def audience(self) -> For | None:
        """Whom it is for; None when nobody has said so."""
        if self.name in PAGES:
            return PAGES[self.name]
        found = [who for start, who in ADMIN_PAGES.items() if self.template.startswith(start)]
        return found[0] if found else None

    @property
    def names_a_row(self) -> bool:
        """Whether an id is in it."""
        return bool(re.search(r"<(\w+:)?(object_id|id|pk|tenant_id)>", self.template))

    def __str__(self) -> str:
        return self.name if not self.name.endswith("None") else self.template


def patterns(
    resolver: URLResolver | None = None, namespace: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    """Every URL pattern of the portal with its name and namespace."""
    for name, pattern, _ in _walk(resolver or get_resolver(), namespace, ""):
        yield name, pattern


def _walk(
    resolver: URLResolver, namespace: str, start: str
) -> Iterator[tuple[str, URLPattern, str]]:
    for pattern in resolver.url_patterns:
        template = start + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern, inner, template)
        else:
            yield f"{namespace}{pattern.name}", pattern, template


def addresses(rows: Rows) -> list[Address]:
    """All of them, about these rows; those that sign a person out come last."""
    found = [
        Address(name, template, "/" + _filled(template, _ids(template, rows)))
        for name, _, template in _walk(get_resolver(), "", "")
    ]
    return sorted(found, key=lambda address: address.name.endswith("logout"))


def _ids(template: str, rows: Rows) -> dict[str, object]:
    """What stands for each part of the address that varies."""
    found = {"": Tenant} | {f"admin/{_folder(m)}/": m for m in MODELS if m in rows}
    model = next(m for start, m in reversed(found.items()) if template.startswith(start))
    pk = rows[model].pk
    return {
        "tenant": rows[Tenant].slug,
        "conversation_id": rows[Conversation].pk,
        "generation_id": rows[Generation].pk,
        **dict.fromkeys(("object_id", "id", "pk", "tenant_id"), pk),
        "content_type_id": ContentType.objects.get_for_model(Tenant).pk,
        "kind": "csv",
        "token": uuid.uuid4().hex,
        "uidb36": "1",
        "key": "a-key",
        "app_label": "chat",
        "url": "nothing-here/",
    }


def _folder(model: type) -> str:
    meta = model._meta  # type: ignore[attr-defined]  # of a model
    return f"{meta.app_label}/{meta.model_name}"


def _filled(template: str, ids: dict[str, object]) -> str:
    path = re.sub(r"\(\?P<(\w+)>[^()]*\)", lambda part: str(ids[part[1]]), template)
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda part: str(ids[part[1]]), path)
    return path.replace("^", "").rstrip("$")
