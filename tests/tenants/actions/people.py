"""Who belongs to a tenant, and with which role."""

from django.urls import reverse

from tenants.models import Invitation, Membership, User
from tests.portal.two_tenants import list_of, page_of
from tests.tenants.actions.case import Case, action, is_gone, now


def _invite(case: Case, role: str) -> bool:
    fields = {"tenant": case.tenant.pk, "emails": "new@example.org", "role": role}
    case.browser.post(reverse("admin:tenants_invitation_add"), fields)
    return Invitation.objects.filter(email="new@example.org", role=role).exists()


@action("invite a member or manager")
def _invite_below(case: Case) -> bool:
    return _invite(case, "member")


@action("invite an owner")
def _invite_owner(case: Case) -> bool:
    return _invite(case, "owner")


@action("take an invitation back")
def _withdraw(case: Case) -> bool:
    invitation = case.rows[Invitation]
    fields = {"action": "withdraw", "_selected_action": str(invitation.pk)}
    case.browser.post(list_of(Invitation), fields)
    return now(invitation).withdrawn_at is not None


@action("make a member a manager")
def _promote(case: Case) -> bool:
    case.saves(page_of(case.carol), role="manager")
    return bool(now(case.carol).role == "manager")


@action("make a member an owner")
def _promote_to_owner(case: Case) -> bool:
    case.saves(page_of(case.carol), role="owner")
    return bool(now(case.carol).role == "owner")


@action("make more of themselves than they are")
def _promote_oneself(case: Case) -> bool:
    mine = Membership.objects.filter(user=case.user, tenant=case.tenant).first()
    if mine is None or mine.role == "owner":
        return False  # there is nothing more, or nothing to begin with
    case.saves(page_of(mine), role="owner")
    return bool(now(mine).role != mine.role)


@action("switch a member off")
def _switch_off(case: Case) -> bool:
    case.without(page_of(case.carol), "is_active")
    return not now(case.carol).is_active


@action("remove a member")
def _remove(case: Case) -> bool:
    case.browser.post(page_of(case.carol, "delete"), {"post": "yes"})
    return is_gone(case.carol)


@action("demote, switch off or remove an owner")
def _demote(case: Case) -> bool:
    owner = case.rows[Membership]
    case.saves(page_of(owner), role="member")
    return bool(now(owner).role == "member")


@action("bring somebody in without asking them")
def _bring_in(case: Case) -> bool:
    stranger = case.world.globex[User]
    fields = {"user": stranger.pk, "tenant": case.tenant.pk, "role": "member"}
    case.browser.post(reverse("admin:tenants_membership_add"), fields)
    return Membership.objects.filter(user=stranger, tenant=case.tenant).exists()
