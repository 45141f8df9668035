"""The export of the audit log: complete, verifiable elsewhere, and no more than one may read."""

import asyncio
import csv
import io
import json
import re
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from tenants.admin.audit_export import COLUMNS, defused
from tenants.models import AuditEvent, AuditHead, Membership, Tenant, User
from tenants.services import record
from tests.admin import administrator, as_admin
from tests.tenants.auditing import as_owner, events

__all__ = ["administrator", "as_admin", "as_owner", "events"]  # fixtures


def download(client: Client, ending: str, **filters: str) -> str:
    """The whole text of an export."""
    response = client.get(reverse("admin:tenants_auditevent_export", args=[ending]), filters)
    assert response.status_code == HTTPStatus.OK
    return read(response)


def objects(text: str) -> list[dict[str, Any]]:
    """The events of an export as JSON lines."""
    return [json.loads(line) for line in text.rstrip("\n").split("\n")]


def read(response: Any) -> str:
    """What this streaming response sends."""

    async def collect() -> bytes:
        return b"".join([part async for part in response])

    return asyncio.run(collect()).decode()


# ── Export ─────────────────────────────────────────────────────────────────────────────────────
# An export is read in other threads than the test's.
committed = pytest.mark.django_db(transaction=True)


@committed
def test_json_lines_have_every_event_of_the_chain_in_its_order(
    as_owner: Client, owner: Membership, outsider: Membership
) -> None:
    record("thing.done", tenant=owner.tenant, actor=owner.user, text='Zoë \u2028 "quoted"\n')

    lines = objects(download(as_owner, "jsonl"))

    assert [line["sequence"] for line in lines] == [1, 2, 3, 4]
    assert {line["tenant"] for line in lines} == {"acme"}
    assert lines[-1]["detail"] == {"text": 'Zoë \u2028 "quoted"\n'}
    assert lines[-1]["actor"] == "alice@example.org"
    head = AuditHead.objects.get(tenant=owner.tenant)
    own = AuditEvent.objects.get(action="audit.exported")
    assert (head.sequence, own.previous_hash) == (5, lines[-1]["hash"])


@committed
def test_the_recipe_in_the_documents_verifies_an_export(
    as_owner: Client, owner: Membership, tmp_path: Path
) -> None:
    record("thing.done", tenant=owner.tenant, text="Zoë \u2028 \x7f \\ 😀", bb=[1, 2.5], a=None)
    recipe = _recipe()
    text = download(as_owner, "jsonl")
    forged = text.replace('"thing.done"', '"thing.undone"')

    assert _run(recipe, text, tmp_path) == []
    assert _run(recipe, forged, tmp_path) == [4]
    assert _run(recipe, "\n".join(text.split("\n")[::2]), tmp_path) == [3]


def _recipe() -> str:
    """The program that docs/security.md shows."""
    document = (Path(settings.BASE_DIR) / "docs/security.md").read_text(encoding="utf-8")
    programs = re.findall(r"```python\n(.*?)```", document, flags=re.DOTALL)
    return str(next(program for program in programs if "audit-log.jsonl" in program))


def _run(recipe: str, text: str, folder: Path) -> list[int]:
    """The places that the program prints for this export."""
    (folder / "audit-log.jsonl").write_text(text, encoding="utf-8")
    found: list[int] = []
    program = recipe.replace("audit-log.jsonl", str(folder / "audit-log.jsonl"))
    exec(program, {"print": lambda *words: found.append(words[0])})
    return found


@committed
def test_csv_has_a_row_for_every_event(as_owner: Client, owner: Membership) -> None:
    record("thing.done", tenant=owner.tenant, actor=owner.user, reason='=HYPERLINK("x")')

    header, *rows = csv.reader(io.StringIO(download(as_owner, "csv")))

    assert tuple(header) == COLUMNS
    assert [row[COLUMNS.index("action")] for row in rows][-1] == "thing.done"
    assert rows[-1][COLUMNS.index("detail")] == '{"reason": "=HYPERLINK(\\"x\\")"}'


@committed
def test_a_cell_that_a_spreadsheet_would_calculate_is_defused(
    as_owner: Client, owner: Membership
) -> None:
    User.objects.filter(pk=owner.user_id).update(email="=1+1@example.org")
    record("=cmd|' /C calc'!A0", tenant=owner.tenant, actor=User.objects.get(pk=owner.user_id))

    *_, row = csv.reader(io.StringIO(download(as_owner, "csv")))

    assert row[COLUMNS.index("action")] == "'=cmd|' /C calc'!A0"
    assert row[COLUMNS.index("actor")] == "'=1+1@example.org"


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@A1", "\t=1", "\r=1", "\n=1"])
def test_every_beginning_of_a_formula_is_defused(text: str) -> None:
    assert defused(text) == f"'{text}"
    assert defused(f"a{text}") == f"a{text}"
    assert (defused(None), defused(7)) == ("", "7")


@committed
def test_an_export_is_filtered_as_the_list_is(
    as_admin: Client, owner: Membership, events: None
) -> None:
    text = download(as_admin, "jsonl", kind="sign-ins", of="globex", o="-2", q="person")

    assert [event["action"] for event in objects(text)] == ["person.signed-in"]


@committed
def test_an_administrator_exports_every_chain(
    as_admin: Client, owner: Membership, events: None
) -> None:
    lines = objects(download(as_admin, "jsonl"))

    assert {line["tenant"] for line in lines} == {"", "acme", "globex"}
    assert len(lines) == AuditEvent.objects.exclude(action="audit.exported").count()


@committed
def test_an_export_is_written_down_where_it_belongs(
    as_owner: Client, as_admin: Client, owner: Membership, events: None
) -> None:
    download(as_owner, "csv", kind="investigations")
    download(as_admin, "jsonl", of="globex")
    download(as_admin, "jsonl")

    exports = AuditEvent.objects.filter(action="audit.exported").select_related("tenant", "actor")
    noted = [
        (e.actor and e.actor.name, e.tenant and e.tenant.slug, e.detail)
        for e in exports.order_by("created_at")
    ]
    assert noted[0] == (
        "Alice",
        "acme",
        {"format": "csv", "filter": "kind=investigations", "events": 2},
    )
    assert noted[1][:2] == ("Ada", "globex")
    assert noted[2][:2] == ("Ada", None)


@pytest.mark.parametrize("kind", ["xml", "csv.exe", "JSONL"])
def test_there_are_two_kinds_of_export(as_admin: Client, tenant: Tenant, kind: str) -> None:
    address = reverse("admin:tenants_auditevent_export", args=[kind])

    assert as_admin.get(address).status_code == HTTPStatus.NOT_FOUND


def test_an_export_is_a_file_that_nobody_stores(as_owner: Client) -> None:
    response = as_owner.get(reverse("admin:tenants_auditevent_export", args=["csv"]))

    assert response["Content-Disposition"] == 'attachment; filename="audit-log.csv"'
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in response["Cache-Control"]


@committed
def test_a_long_export_stops_when_its_person_may_no_longer_read_the_log(
    as_owner: Client, owner: Membership
) -> None:
    response: Any = as_owner.get(reverse("admin:tenants_auditevent_export", args=["jsonl"]))

    Membership.objects.filter(pk=owner.pk).update(role="manager")

    with pytest.raises(PermissionDenied):
        read(response)
