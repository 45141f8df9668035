"""The table "Who may do what" in docs/security.md: every cell is tried against the real pages."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction

from tenants.models import Membership, Tenant, User
from tenants.services import create_member
from tests.admin import administrator, as_admin
from tests.client import PortalClient
from tests.portal.two_tenants import World, world
from tests.tenants.actions import ACTIONS, Case, Forms

__all__ = ["administrator", "as_admin", "world"]  # fixtures

ROLES = ("member", "manager", "owner", "platform administrator", "person without a tenant")


def read_table() -> dict[str, dict[str, bool]]:
    """For each action, which of the roles may do it."""
    text = (Path(settings.BASE_DIR) / "docs/security.md").read_text(encoding="utf-8")
    section = text.partition("## Who may do what\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| (.+) \|$", section, flags=re.MULTILINE)
    heading, _, *rows = (line.split(" | ") for line in lines)
    assert heading == ["action", *ROLES]
    assert {cell for row in rows for cell in row[1:]} == {"yes", "no"}
    return {
        name: {role: cell == "yes" for role, cell in zip(ROLES, cells, strict=True)}
        for name, *cells in rows
    }


TABLE = read_table()


def test_every_row_can_be_tried_and_everything_that_is_tried_has_a_row() -> None:
    assert {*TABLE} == {*ACTIONS}


@pytest.fixture
def carol(world: World) -> Membership:
    """carol, a member of Acme, which has two owners."""
    tenant: Tenant = world.acme[Tenant]
    create_member(tenant=tenant, email="olga@example.org", role="owner")
    return create_member(tenant=tenant, email="carol@example.org", role="member")


@pytest.mark.parametrize("action", TABLE)
def test_who_may_do_it(
    action: str, world: World, carol: Membership, administrator: User, as_admin: PortalClient
) -> None:
    done, forms = {}, Forms(as_admin)
    for role in ROLES:
        with transaction.atomic():
            user = administrator if role == "platform administrator" else _person(role, world)
            browser = PortalClient()
            browser.force_login(user)
            done[role] = ACTIONS[action](Case(user, browser, forms, world, carol))
            transaction.set_rollback(True)

    assert done == TABLE[action]


def _person(role: str, world: World) -> User:
    user = User.objects.create_user("sam@example.org")
    if role in {"member", "manager", "owner"}:
        create_member(tenant=world.acme[Tenant], email=user.email, role=role)
    return user
