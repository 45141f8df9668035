"""Who belongs to a tenant: roles, switching off, removing; as services."""

from collections.abc import Callable

import pytest

from tenants.errors import LastOwner, NoLonger, NotAllowed
from tenants.models import AuditEvent, Membership, User
from tenants.scope import tenant_scope
from tenants.services import change_member, remove_member
from tests.tenants.cast import (
    at_once,
    manager,
    nothing_written,
    second_owner,
)

__all__ = ["manager", "second_owner"]  # fixtures


def test_a_changed_role_is_written_down_with_both_roles(
    owner: Membership, member: Membership
) -> None:
    changed = change_member(membership=member, role="manager", actor=owner.user, giver=owner)

    event = AuditEvent.objects.get(action="membership.role-changed")
    assert changed.role == "manager"
    assert (event.actor, event.tenant) == (owner.user, owner.tenant)
    assert event.detail == {"person": "bob@example.org", "from": "member", "to": "manager"}


def test_switching_off_and_on_again_keeps_the_role(
    owner: Membership, second_owner: Membership
) -> None:
    change_member(membership=second_owner, is_active=False, giver=owner)
    back = change_member(membership=second_owner, is_active=True, giver=owner)

    assert (back.role, back.is_active) == ("owner", True)
    actions = AuditEvent.objects.order_by("sequence").values_list("action", flat=True)
    assert list(actions)[-2:] == ["membership.deactivated", "membership.reactivated"]


def test_what_is_so_already_is_not_written_down(owner: Membership, member: Membership) -> None:
    with nothing_written(AuditEvent, Membership):
        change_member(membership=member, role="member", is_active=True, giver=owner)


def test_removing_ends_the_membership_and_is_written_down(
    owner: Membership, member: Membership
) -> None:
    remove_member(membership=member, actor=owner.user, giver=owner)

    event = AuditEvent.objects.get(action="membership.removed")
    assert not Membership.objects.filter(pk=member.pk).exists()
    assert User.objects.filter(pk=member.user_id).exists()
    assert event.subject == f"tenants.membership:{member.pk}"
    assert event.detail == {"person": "bob@example.org", "role": "member"}


def test_who_was_removed_cannot_be_changed_any_more(owner: Membership, member: Membership) -> None:
    remove_member(membership=Membership.objects.get(pk=member.pk))

    with pytest.raises(NoLonger):
        change_member(membership=member, role="manager", giver=owner)


@pytest.mark.parametrize("by_themselves", [True, False])
@pytest.mark.parametrize(
    "end",
    [
        lambda owner, giver: change_member(membership=owner, role="manager", giver=giver),
        lambda owner, giver: change_member(membership=owner, is_active=False, giver=giver),
        lambda owner, giver: remove_member(membership=owner, giver=giver),
    ],
)
def test_the_last_owner_stays_whoever_asks(
    owner: Membership, manager: Membership, end: Callable[..., object], by_themselves: bool
) -> None:
    giver = owner if by_themselves else None

    with nothing_written(Membership, AuditEvent), pytest.raises(LastOwner, match="last owner of"):
        end(owner, giver)


def test_an_owner_whose_account_is_closed_is_no_owner_to_count_on(
    owner: Membership, second_owner: Membership
) -> None:
    User.objects.filter(pk=second_owner.user_id).update(is_active=False)

    with pytest.raises(LastOwner):
        change_member(membership=owner, role="member")
    change_member(membership=second_owner, role="member")  # changes nothing for the tenant


def test_an_owner_steps_down_when_another_one_is_there(
    owner: Membership, second_owner: Membership
) -> None:
    changed = change_member(membership=owner, role="member", actor=owner.user, giver=owner)

    assert changed.role == "member"


@pytest.mark.parametrize(
    ("giver", "target", "role", "may"),
    [
        ("owner", "member", "owner", True),
        ("owner", "manager", "member", True),
        ("manager", "member", "manager", True),
        ("manager", "manager", "member", True),
        ("manager", "member", "owner", False),
        ("manager", "manager", "owner", False),
        ("manager", "owner", "member", False),
        ("member", "member", "owner", False),
        ("outsider", "member", "manager", False),
    ],
)
def test_nobody_gives_a_role_above_their_own_nor_touches_who_has_one(
    request: pytest.FixtureRequest,
    second_owner: Membership,
    giver: str,
    target: str,
    role: str,
    may: bool,
) -> None:
    who: Membership = request.getfixturevalue(giver)
    whom: Membership = request.getfixturevalue(target)

    try:
        change_member(membership=whom, role=role, actor=who.user, giver=who)
    except NotAllowed:
        assert not may
    else:
        assert may

    assert (Membership.objects.get(pk=whom.pk).role == role) is may


def test_a_manager_neither_switches_off_nor_removes_an_owner(
    owner: Membership, second_owner: Membership, manager: Membership
) -> None:
    with nothing_written(Membership, AuditEvent):
        with pytest.raises(NotAllowed):
            change_member(membership=owner, is_active=False, giver=manager)
        with pytest.raises(NotAllowed):
            remove_member(membership=owner, giver=manager)


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_demote_each_other_at_once_one_stays(
    owner: Membership, second_owner: Membership
) -> None:
    def demote(whom: Membership, by: Membership) -> object:
        with tenant_scope(by.tenant):
            return change_member(membership=whom, role="member", actor=by.user, giver=by)

    results = at_once(lambda: demote(owner, second_owner), lambda: demote(second_owner, owner))

    assert sum(isinstance(result, NotAllowed | LastOwner) for result in results) == 1
    assert Membership.objects.owners().count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_leave_at_once_one_stays(
    owner: Membership, second_owner: Membership
) -> None:
    def leave(who: Membership) -> object:
        with tenant_scope(who.tenant):
            return remove_member(membership=who, actor=who.user, giver=who)

    results = at_once(lambda: leave(owner), lambda: leave(second_owner))

    assert [result for result in results if isinstance(result, LastOwner)]
    assert Membership.objects.owners().count() == 1
