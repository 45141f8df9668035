"""Who may no longer use a tenant: open streams, running and waiting answers end within seconds."""

from collections.abc import Callable

import pytest
from django.contrib.sessions.models import Session

from chat.models import Generation
from tenants.models import Membership, Tenant, User
from tests.chat.answers import ask, text_of, wait_for_end, wait_for_text
from tests.chat.held import SENTENCE, THREE_WORDS, gate, half
from tests.chat.listener import follow
from tests.conftest import Queue
from tests.stack import Stack, wait_until
from tests.upstream import Gate, Reply, Upstream

__all__ = ["gate", "half"]  # fixtures

# The promise is five; this machine is shared and slow at times.
DEADLINE_SECONDS = 10.0


def deactivate_membership(member: Membership) -> None:
    Membership.objects.filter(pk=member.pk).update(is_active=False)


def remove_membership(member: Membership) -> None:
    Membership.objects.filter(pk=member.pk).delete()


def suspend_tenant(member: Membership) -> None:
    Tenant.objects.filter(pk=member.tenant_id).update(status=Tenant.Status.SUSPENDED)


def deactivate_account(member: Membership) -> None:
    User.objects.filter(pk=member.user_id).update(is_active=False)


ENDS = [deactivate_membership, remove_membership, suspend_tenant, deactivate_account]
End = Callable[[Membership], None]


@pytest.mark.parametrize("end", ENDS)
def test_a_running_answer_and_its_stream_end_when_its_person_may_no_longer(
    stack: Stack, member: Membership, half: Generation, end: End
) -> None:
    with follow(stack.url, member, half) as listener:
        listener.wait_for_text(THREE_WORDS)

        end(member)

        wait_until(lambda: listener.is_closed, seconds=DEADLINE_SECONDS, what="a closed stream")
    wait_for_end(half, seconds=DEADLINE_SECONDS)
    assert half.status == Generation.Status.STOPPED
    assert text_of(half) == THREE_WORDS


@pytest.mark.parametrize("end", ENDS)
def test_a_waiting_answer_ends_unasked_when_its_person_may_no_longer(
    stack: Stack, member: Membership, queue: Queue, upstream: Upstream, end: End
) -> None:
    Tenant.objects.filter(pk=member.tenant_id).update(max_running=1)
    gate = Gate()
    upstream.always(Reply(SENTENCE, gate=gate, gate_at=3))
    running = ask(member)
    wait_for_text(running, THREE_WORDS)
    waiting = queue(member)

    end(member)
    wait_for_end(running, waiting, seconds=DEADLINE_SECONDS)

    assert waiting.status == Generation.Status.STOPPED
    assert waiting.attempt == 0
    gate.open()


def test_an_open_stream_ends_at_sign_out_and_the_answer_goes_on(
    stack: Stack, member: Membership, half: Generation, gate: Gate
) -> None:
    with follow(stack.url, member, half) as listener:
        listener.wait_for_text(THREE_WORDS)

        Session.objects.all().delete()  # what signing out does

        wait_until(lambda: listener.is_closed, seconds=DEADLINE_SECONDS, what="a closed stream")
    gate.open()
    wait_for_end(half)

    assert text_of(half) == SENTENCE


def test_an_open_stream_ends_when_there_is_a_new_password(
    stack: Stack, member: Membership, half: Generation
) -> None:
    with follow(stack.url, member, half) as listener:
        listener.wait_for_text(THREE_WORDS)

        member.user.set_password("another horse, another battery")
        member.user.save(update_fields=["password"])

        wait_until(lambda: listener.is_closed, seconds=DEADLINE_SECONDS, what="a closed stream")


def test_a_stream_of_somebody_else_goes_on(
    stack: Stack, member: Membership, colleague: Membership, half: Generation, gate: Gate
) -> None:
    theirs = ask(colleague)
    wait_for_text(theirs, THREE_WORDS)
    with (
        follow(stack.url, member, half) as refused,
        follow(stack.url, colleague, theirs) as listener,
    ):
        deactivate_membership(member)
        wait_until(lambda: refused.is_closed, seconds=DEADLINE_SECONDS, what="a closed stream")
        gate.open()

        assert listener.wait_for_end()["status"] == "completed"

    assert listener.text == SENTENCE
