"""What administrators, managers, owners and commands do with tenants and people."""

from tenants.services.audit import record
from tenants.services.invitations import Sent, invite, invite_all, resend, withdraw
from tenants.services.joining import accept, accept_with_new_account, find_invitation
from tenants.services.organisations import create_tenant, get_tenant
from tenants.services.people import (
    add_member,
    change_member,
    create_member,
    ensure_may_change,
    remove_member,
)
from tenants.services.switching_off import ensure_may_switch_off, withdraw_invitations_of

__all__ = [
    "Sent",
    "accept",
    "accept_with_new_account",
    "add_member",
    "change_member",
    "create_member",
    "create_tenant",
    "ensure_may_change",
    "ensure_may_switch_off",
    "find_invitation",
    "get_tenant",
    "invite",
    "invite_all",
    "record",
    "remove_member",
    "resend",
    "withdraw",
    "withdraw_invitations_of",
]
