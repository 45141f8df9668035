"""What becomes of answers while a provider refuses, with a real worker and a real provider."""

from django.conf import settings

from chat import services
from chat.models import Deployment, DeploymentGrant, Pause
from tenants.models import Membership
from tests.chat.answers import another, ask, bills, text_of, wait_for_end, wait_for_text
from tests.stack import Stack
from tests.upstream import Fault, Gate, Reply, Upstream, refusals

SENTENCE = "One two three four five six"
THREE_WORDS = "One two three"


def test_a_rate_limit_is_waited_out_as_the_provider_asks(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.when("often", refusals.rate_limited(1))
    often = ask(member, "often", another(deployment, "busy"))
    upstream.wait_for_requests(1)
    upstream.next(refusals.rate_limited(1))
    once = ask(member, "once")
    wait_for_end(once)
    upstream.next(refusals.rate_limited(1, as_date=True))
    dated = ask(member, "dated")

    wait_for_end(dated, often)

    assert (once.status, once.attempt, bills(once)) == ("completed", 2, ["counted"])
    assert (dated.status, dated.attempt, bills(dated)) == ("completed", 2, ["counted"])
    assert (often.status, often.error_code, bills(often)) == ("failed", "rate_limited", [])
    assert often.attempt == settings.CHAT_MAX_ATTEMPTS
    assert often.try_again_at is not None


def test_a_server_that_is_back_soon_answers_all_the_same(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.next(refusals.overloaded())
    generation = ask(member)

    wait_for_end(generation)

    assert (generation.status, generation.attempt) == ("completed", 2)
    assert generation.try_again_at is None
    assert not Pause.objects.exists()


def test_a_provider_that_asks_for_an_hour_is_not_waited_for(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.always(refusals.rate_limited(3600))
    first = ask(member, "first")
    wait_for_end(first)

    second = ask(member, "second")
    wait_for_end(second)

    assert (first.status, first.error_code, first.attempt) == ("failed", "rate_limited", 1)
    assert (second.status, second.error_code, second.attempt) == ("failed", "rate_limited", 0)
    assert first.try_again_at == second.try_again_at == Pause.objects.get().until
    assert len(upstream.requests) == 1


def test_the_fallback_answers_at_once_instead(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    spare = another(deployment, "spare", context_window=256)
    DeploymentGrant.objects.filter(deployment=deployment).update(fallback=spare)
    upstream.next(refusals.rate_limited(3600))

    generation = ask(member)
    wait_for_end(generation)

    assert (generation.status, generation.deployment, generation.attempt) == ("completed", spare, 2)
    assert generation.stands_in_for == deployment


def test_a_call_that_fails_in_the_middle_keeps_its_text_and_is_not_repeated(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.always(Reply(SENTENCE, fault=Fault.CUT, fault_at=3))

    generation = ask(member)
    wait_for_end(generation)

    assert (generation.status, generation.attempt) == ("interrupted", 1)
    assert text_of(generation) == THREE_WORDS
    # Its provider is there: nobody else waits for it.
    assert generation.try_again_at is None
    assert not Pause.objects.exists()


def test_a_probe_that_fails_in_the_middle_has_found_its_provider(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.next(refusals.rate_limited(1), Reply(SENTENCE, fault=Fault.CUT, fault_at=3))

    generation = ask(member)
    wait_for_end(generation)

    assert (generation.status, generation.attempt) == ("interrupted", 2)
    assert not Pause.objects.exists()


def test_others_start_as_soon_as_the_probe_has_its_first_token(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    gate = Gate()
    upstream.when("other", Reply(SENTENCE))
    upstream.next(refusals.rate_limited(1))
    probe = ask(member, "probe")
    upstream.wait_for_requests(1)
    upstream.always(Reply(SENTENCE, gate=gate, gate_at=3))
    other = ask(member, "other")

    wait_for_text(probe, THREE_WORDS)
    wait_for_end(other)

    assert (probe.status, other.status) == ("running", "completed")
    assert not Pause.objects.exists()
    gate.open()
    wait_for_end(probe)


def test_a_probe_that_is_stopped_lets_another_one_try(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.next(refusals.rate_limited(1))
    generation = ask(member)
    upstream.wait_for_requests(1)
    upstream.hangs()
    upstream.wait_for_requests(2)

    services.stop_generation(generation=generation)
    wait_for_end(generation)

    pause = Pause.objects.get()
    assert (generation.status, pause.probe_id) == ("stopped", None)
