"""The audit log as a file, of any length: read in pieces, each in a scope of its own.

A file is written while it is sent, long after the request's scope has ended, and holds neither a
thread nor a database connection between two pieces.
"""

import asyncio
import csv
import io
import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied
from django.db import connections
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.http import StreamingHttpResponse

from tenants.models import AuditEvent, AuditHead, Membership, User
from tenants.rights import AdminAccess, Right
from tenants.scope import platform_scope, tenant_scope

_PAGE = 1000
Events = QuerySet[AuditEvent]
Render = Callable[[list[AuditEvent]], str]


class Renderer(NamedTuple):
    """How events become a file."""

    ending: str
    content_type: str
    beginning: str
    render: Render


class Chain(NamedTuple):
    """A chain that may have matching events: of a tenant or the platform, up to this place."""

    tenant: uuid.UUID | None
    end: int


def find_chains(access: AdminAccess, events: Events) -> list[Chain]:
    """The chains to read, as far as they go now; the platform's is an administrator's alone."""
    heads = AuditHead.objects.order_by("tenant")
    if not access.is_administrator:
        heads = heads.filter(tenant__in=access.tenants_with(Right.READ_AUDIT))
    matching = events.order_by().values("tenant").distinct()
    wanted = {row["tenant"] for row in matching}
    return [Chain(head.tenant_id, head.sequence) for head in heads if head.tenant_id in wanted]


def respond(
    user: User, events: Events, chains: list[Chain], renderer: Renderer
) -> StreamingHttpResponse:
    """The events of these chains, each in the order in which they happened."""
    response = StreamingHttpResponse(
        _stream(_pages(user.pk, events, chains), renderer), content_type=renderer.content_type
    )
    response["Content-Disposition"] = f'attachment; filename="audit-log.{renderer.ending}"'
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


async def _stream(pages: Iterator[list[AuditEvent]], renderer: Renderer) -> AsyncIterator[str]:
    if renderer.beginning:
        yield renderer.beginning
    while page := await asyncio.to_thread(_next, pages):
        yield renderer.render(page)


def _next(pages: Iterator[list[AuditEvent]]) -> list[AuditEvent]:
    try:
        return next(pages, [])
    finally:
        connections.close_all()


def _pages(user_id: uuid.UUID, events: Events, chains: list[Chain]) -> Iterator[list[AuditEvent]]:
    for chain in chains:
        after = 0
        while page := _read_page(user_id, events, chain, after):
            after = page[-1].sequence
            yield page


def _read_page(user_id: uuid.UUID, events: Events, chain: Chain, after: int) -> list[AuditEvent]:
    with platform_scope("whether they may still read this log"):
        _ensure_may_read(user_id, chain)
    scope = tenant_scope(chain.tenant) if chain.tenant else platform_scope("the platform's log")
    with scope:
        rest = events.filter(tenant=chain.tenant, sequence__gt=after, sequence__lte=chain.end)
        detail = Cast("detail", TextField())
        return list(rest.annotate(detail_text=detail).order_by("sequence")[:_PAGE])


def _ensure_may_read(user_id: uuid.UUID, chain: Chain) -> None:
    user = User.objects.get(pk=user_id)
    access = AdminAccess(user, Membership.objects.usable().of(user_id))
    tenants = {tenant.pk for tenant in access.tenants_with(Right.READ_AUDIT)}
    if not access.is_administrator and chain.tenant not in tenants:
        raise PermissionDenied


# ── JSON lines ─────────────────────────────────────────────────────────────────────────────────
def _lines(page: list[AuditEvent]) -> str:
    return "".join(_line(event) for event in page)


def _line(event: AuditEvent) -> str:
    """One object. Its first eleven values are what the hash, its twelfth, is made of."""
    values = {**_content(event), "detail": None, "hash": event.hash, **_names(event)}
    parts = {name: json.dumps(value, ensure_ascii=False) for name, value in values.items()}
    parts["detail"] = _detail(event)
    return "{" + ", ".join(f'"{name}": {text}' for name, text in parts.items()) + "}\n"


def _content(event: AuditEvent) -> dict[str, Any]:
    """What the hash is made of, but the detail."""
    return {
        "sequence": event.sequence,
        "previous_hash": event.previous_hash,
        "id": str(event.pk),
        "tenant_id": str(event.tenant_id) if event.tenant_id else None,
        "actor_id": str(event.actor_id) if event.actor_id else None,
        "created_at": event.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "action": event.action,
        "subject": event.subject,
        "request_id": event.request_id,
        "client_address": event.client_address,
    }


def _names(event: AuditEvent) -> dict[str, str]:
    """What people call the tenant and the actor today; no part of the hash."""
    return {
        "tenant": event.tenant.slug if event.tenant else "",
        "actor": event.actor.email if event.actor else "",
    }


def _detail(event: AuditEvent) -> str:
    """The detail in PostgreSQL's own spelling, which the hash was made of."""
    return str(event.detail_text)  # type: ignore[attr-defined]  # annotated


# ── CSV ────────────────────────────────────────────────────────────────────────────────────────
COLUMNS = (
    "created_at", "tenant", "action", "subject", "actor", "client_address", "request_id", "detail",
    "sequence", "id", "tenant_id", "actor_id", "previous_hash", "hash",
)  # fmt: skip
# A spreadsheet takes a cell that begins like this for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def _rows(page: list[AuditEvent]) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    for event in page:
        values = {**_content(event), **_names(event), "hash": event.hash, "detail": _detail(event)}
        writer.writerow([defused(values[column]) for column in COLUMNS])
    return file.getvalue()


def defused(value: object) -> str:
    """This value as the text of a cell that no spreadsheet calculates."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


RENDERERS = {
    "csv": Renderer("csv", "text/csv; charset=utf-8", f"{','.join(COLUMNS)}\r\n", _rows),
    "jsonl": Renderer("jsonl", "application/jsonl; charset=utf-8", "", _lines),
}
