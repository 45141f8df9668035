"""What tests of the audit log in the admin share."""

import pytest
from django.test import Client

from tenants.models import Membership
from tenants.services import record
from tests.client import PortalClient

LIST = "/admin/tenants/auditevent/"


def signed_in(membership: Membership) -> Client:
    """A browser in which this person is signed in."""
    client = PortalClient()
    client.force_login(membership.user)
    return client


@pytest.fixture
def as_owner(owner: Membership) -> Client:
    """A browser in which alice is signed in."""
    return signed_in(owner)


@pytest.fixture
def events(owner: Membership, member: Membership, outsider: Membership) -> None:
    """Events of two tenants, the platform and several people."""
    record("investigation.opened", tenant=owner.tenant, actor=owner.user)
    record("conversation.read", tenant=owner.tenant, actor=owner.user)
    record("conversation.deleted", tenant=owner.tenant, actor=member.user)
    record("person.signed-in", tenant=outsider.tenant, actor=outsider.user)
    record("password.changed")
