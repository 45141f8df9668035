"""The audit log's chain is locked last, so that nobody who writes to it waits for long work."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from chat import services as chat_services
from chat.models import Conversation
from tenants.models import AuditEvent, Membership, Tenant
from tenants.scope import tenant_scope
from tenants.services import accept_with_new_account, invite
from tests.conftest import Queue


def at_once(*works: Callable[[], None]) -> None:
    """Run these in threads of their own, to their end."""

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_people_who_accept_and_people_who_invite_do_not_block_each_other(
    tenant: Tenant, owner: Membership
) -> None:
    who: dict[str, Any] = {"tenant": tenant, "role": "member", "actor": owner.user}
    links = [invite(email=f"guest{number}@example.org", **who).link for number in range(15)]

    def accept() -> None:
        for link in links:
            token = link.rstrip("/").rpartition("/")[2]
            accept_with_new_account(token=token, name="Guest", password="x")

    def ask() -> None:
        for number in range(40):
            with tenant_scope(tenant):
                invite(email=f"other{number}@example.org", giver=owner, **who)

    at_once(accept, ask)  # a deadlock would end one of them early

    assert tenant.memberships.count() == 16
    assert tenant.invitations.filter(accepted_at=None).count() == 40


def test_a_deletion_is_written_down_after_its_work(member: Membership, queue: Queue) -> None:
    conversation = queue(member).conversation
    conversation_id = conversation.pk
    order: list[str] = []

    def note(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith(("DELETE", "INSERT")):
            order.append(sql.split('"')[1])
        return execute(sql, *args)

    with connection.execute_wrapper(note):
        chat_services.delete_conversation(actor=member, conversation=conversation)

    event = AuditEvent.objects.get(action="conversation.deleted")
    assert order[-1] == "tenants_auditevent"
    assert event.subject == f"chat.conversation:{conversation_id}"
    assert not Conversation.objects.filter(pk=conversation_id).exists()
