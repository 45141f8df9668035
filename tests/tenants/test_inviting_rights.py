"""Who may send, see and withdraw which invitations."""

from collections.abc import Callable

import pytest

from tenants.errors import (
    LinkNotWorking,
    NotAllowed,
)
from tenants.models import Invitation, Membership, Tenant
from tenants.services import (
    change_member,
    find_invitation,
    invite,
    remove_member,
    resend,
    withdraw,
    withdraw_invitations_of,
)
from tests.tenants.cast import link, manager, second_owner, token_of

__all__ = ["link", "manager", "second_owner"]  # fixtures

DORA = "dora@example.org"


@pytest.mark.parametrize(
    ("giver", "role", "may"),
    [
        ("owner", "owner", True),
        ("owner", "manager", True),
        ("manager", "manager", True),
        ("manager", "member", True),
        ("manager", "owner", False),
        ("member", "member", False),
        ("outsider", "member", False),
    ],
)
def test_nobody_invites_above_themselves_or_elsewhere(
    request: pytest.FixtureRequest, tenant: Tenant, giver: str, role: str, may: bool
) -> None:
    who: Membership = request.getfixturevalue(giver)

    try:
        invite(tenant=tenant, email=DORA, role=role, actor=who.user, giver=who)
    except NotAllowed:
        assert not may
    else:
        assert may

    assert Invitation.objects.exists() is may


@pytest.mark.parametrize(
    "do",
    [
        lambda _, by: invite(tenant=by.tenant, email=DORA, role="member", giver=by),
        lambda sent, by: resend(invitation=sent, giver=by),
        lambda sent, by: withdraw(invitation=sent, giver=by),
    ],
)
def test_a_manager_touches_no_invitation_of_an_owner(
    tenant: Tenant, manager: Membership, do: Callable[[Invitation, Membership], object]
) -> None:
    sent = invite(tenant=tenant, email=DORA, role="owner")

    with pytest.raises(NotAllowed):
        do(sent.invitation, manager)

    assert find_invitation(token_of(sent.link)).role == "owner"


def test_a_role_that_was_lost_meanwhile_counts_no_more(
    tenant: Tenant, owner: Membership, manager: Membership
) -> None:
    change_member(membership=manager, role="member")
    assert manager.role == "manager"  # what a request that came before still holds

    with pytest.raises(NotAllowed):
        invite(tenant=tenant, email=DORA, role="member", giver=manager)


@pytest.mark.parametrize("end", ["demoted", "deactivated", "removed", "account off"])
def test_what_somebody_sent_ends_with_their_right_to_send_it(
    tenant: Tenant, owner: Membership, manager: Membership, end: str
) -> None:
    mine = invite(tenant=tenant, email=DORA, role="manager", actor=manager.user, giver=manager)
    others = invite(tenant=tenant, email="eric@example.org", role="member", actor=owner.user)

    if end == "demoted":
        change_member(membership=manager, role="member", giver=owner)
    elif end == "deactivated":
        change_member(membership=manager, is_active=False, giver=owner)
    elif end == "removed":
        remove_member(membership=manager, giver=owner)
    else:
        withdraw_invitations_of(manager.user)

    with pytest.raises(LinkNotWorking):
        find_invitation(token_of(mine.link))
    assert find_invitation(token_of(others.link))


def test_an_owner_who_becomes_manager_keeps_what_a_manager_may_send(
    tenant: Tenant, owner: Membership, second_owner: Membership
) -> None:
    high = invite(tenant=tenant, email=DORA, role="owner", actor=owner.user, giver=owner)
    low = invite(tenant=tenant, email="e@example.org", role="member", actor=owner.user, giver=owner)

    change_member(membership=owner, role="manager", actor=owner.user, giver=owner)

    with pytest.raises(LinkNotWorking):
        find_invitation(token_of(high.link))
    assert find_invitation(token_of(low.link))
