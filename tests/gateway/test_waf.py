"""The template's firewall policies, enforced by a real rule engine in front of the portal."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx2
import pytest
from django.conf import settings

from chat.models import Deployment, Generation, Message
from portal.streamcheck import corpus
from portal.streamcheck.connection import Origin
from portal.streamcheck.diagnostic import Plan
from portal.streamcheck.judging import State
from portal.streamcheck.replay import Pace, Replayed, replay_attacks, replay_prompts
from portal.streamcheck.streams import check_stream
from tenants.models import Membership
from tests.chat.answers import ask, wait_for_end
from tests.chat.listener import cookie_of, follow
from tests.cloud.certificates import Authority, Certificate
from tests.gateway import firewalls
from tests.gateway.modsecurity import waf
from tests.gateway.nginx import Gateway
from tests.gateway.waf import Firewall
from tests.portal.streamcheck.impostors import impostor
from tests.stack import Stack
from tests.upstream import Gate, Reply, Upstream

SENTENCE = "One two three four five six seven eight"
THREE_WORDS = "One two three"
# Of the attacks that a rule set may let pass, those that the core rule set 3.3.4 does.
PASSED_BY_THE_CORE_RULES = {
    "body-xml",
    "header-agent-log4shell",
    "header-agent-scanner",
    "header-java",
    "header-range",
    "path-sqli",
}
# These nginx refuses by itself, without any rule.
REFUSED_WITHOUT_RULES = {"method-trace", "path-traversal", "path-traversal-encoded", "path-shell"}
AT_ONCE = Pace(0.0, lambda _done, _total: None)

Start = Callable[..., Gateway]


@pytest.fixture(scope="module")
def _guarded(_stack: Stack) -> Iterator[Gateway]:
    with waf(_stack.url, firewalls.template_firewall()) as gateway:
        yield gateway


@pytest.fixture
def guarded(_guarded: Gateway, stack: Stack) -> Gateway:
    """The gateway with the template's firewall, in front of the running portal."""
    return _guarded


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a gateway with this firewall in front of a stand-in for the portal."""
    with ExitStack() as exits:
        backend = exits.enter_context(impostor())
        yield lambda firewall: exits.enter_context(waf(backend, firewall))


def prompted(gateway: Gateway) -> Replayed:
    """The shorter prompts: over long ones the rules take their time."""
    prompts = [one for one in corpus.prompts() if len(one.text) < 10_000]
    return replay_prompts(Origin(gateway.url), prompts, AT_ONCE)


def attacked(gateway: Gateway) -> Replayed:
    return replay_attacks(Origin(gateway.url), corpus.attacks(), AT_ONCE)


def reached(replayed: Replayed) -> set[str]:
    """Which attacks the portal has seen."""
    return {one.id for one in (*replayed.failures, *replayed.tolerated)}


# ── As the template has it ─────────────────────────────────────────────────────────────────────
def test_every_prompt_reaches_the_portal(guarded: Gateway) -> None:
    replayed = replay_prompts(Origin(guarded.url), corpus.prompts(), AT_ONCE)

    assert replayed.failures == []
    assert replayed.requests == 4 * len(corpus.prompts())


def test_every_attack_is_stopped_before_the_portal(guarded: Gateway) -> None:
    replayed = attacked(guarded)

    assert [one.id for one in replayed.failures] == []


def test_what_the_core_rules_let_pass_is_written_down(guarded: Gateway) -> None:
    replayed = attacked(guarded)

    assert {one.id for one in replayed.tolerated} == PASSED_BY_THE_CORE_RULES


def test_prompts_are_stored_as_they_were_typed(
    guarded: Gateway, member: Membership, deployment: Deployment
) -> None:
    prompts = {one.category: one for one in corpus.prompts()}
    texts = [prompts[category].text for category in ("sql", "shell", "web", "mail")]

    statuses = [send(guarded, member, text) for text in texts]

    assert statuses == [(201, 201)] * len(texts)
    stored = Message.objects.filter(role="user").order_by("created_at")
    assert [one.content for one in stored] == [text for text in texts for _ in range(2)]
    wait_for_end(*Generation.objects.all())


def send(gateway: Gateway, member: Membership, text: str) -> tuple[int, int]:
    """Begin two conversations with this text as bob: it goes as a form and as JSON."""
    session = cookie_of(member).removeprefix("sessionid=")
    with httpx2.Client(base_url=gateway.url, cookies={"sessionid": session}) as browser:
        token = browser.get("/acme/").text.partition('name="csrfmiddlewaretoken" value="')[2]
        headers = {"X-CSRFToken": token.partition('"')[0], "X-Requested-With": "fetch"}
        ids = [str(uuid.uuid4()), str(uuid.uuid4())]
        form, flat = ({"message": text, "request_id": id_} for id_ in ids)
        return (
            browser.post("/acme/c/start/", data=form, headers=headers).status_code,
            browser.post("/acme/c/start/", json=flat, headers=headers).status_code,
        )


def test_words_arrive_while_the_model_is_still_writing(
    guarded: Gateway, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    gate = Gate()
    upstream.next(Reply(SENTENCE, gate=gate, gate_at=3))
    generation = ask(member)

    with follow(guarded.url, member, generation) as page:
        page.wait_for_text(THREE_WORDS)  # the model has not said more
        gate.open()
        end = page.wait_for_end()

    assert (end["status"], page.text) == ("completed", SENTENCE)


@pytest.mark.parametrize(
    ("is_buffering", "failed"), [(False, set()), (True, {"first event", "one by one"})]
)
def test_buffering_is_seen_by_check_stream(
    stack: Stack,
    certificate: Certificate,
    authority: Authority,
    is_buffering: bool,
    failed: set[str],
) -> None:
    policies, plan = firewalls.template_firewall(), Plan(3.0, 15.0)

    with waf(stack.url, policies, is_buffering=is_buffering, **certificate._asdict()) as gateway:
        result = check_stream(Origin(gateway.url, ca=authority.path), plan)

    assert {one.name for one in result.checks if one.state is State.FAILED} == failed
    assert result.numbers["largest_lump"] == (plan.ticks if is_buffering else 1)


def test_a_body_longer_than_the_portal_takes_ends_at_the_gateway(guarded: Gateway) -> None:
    text = "a" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1024)

    answer = httpx2.post(f"{guarded.url}{corpus.START_PATH}", data={"message": text})

    assert answer.status_code in {403, 413}
    assert "X-Request-Id" not in answer.headers


# ── Otherwise ──────────────────────────────────────────────────────────────────────────────────
def test_in_detection_mode_nothing_is_stopped(start: Start) -> None:
    replayed = attacked(start(firewalls.template_firewall("Detection")))

    stopped = {one.id for one in corpus.attacks()} - reached(replayed)
    assert stopped == REFUSED_WITHOUT_RULES


def test_without_exclusions_ordinary_prompts_are_stopped(start: Start) -> None:
    replayed = prompted(start(firewalls.without_exclusions(firewalls.template_firewall())))

    stopped = {one.id for one in replayed.failures}
    assert len(stopped) > len(corpus.prompts()) / 3
    assert {"english-union", "sql-join", "shell-curl", "code-python", "mail-headers"} <= stopped


@pytest.mark.parametrize(
    ("mistake", "noticed"),
    [
        (firewalls.with_contains, {"message-prefix", "message-suffix", "message-brackets"}),
        (firewalls.with_a_protocol_group, {"message-nul"}),
        (firewalls.without_paths, {"message-on-login", "message-on-home", "message-in-chat-query"}),
    ],
)  # fmt: skip
def test_a_mistake_in_the_policy_lets_an_attack_pass(
    start: Start, mistake: Callable[[Firewall], Firewall], noticed: set[str]
) -> None:
    replayed = attacked(start(mistake(firewalls.template_firewall())))

    assert noticed <= {one.id for one in replayed.failures}


@pytest.mark.parametrize(
    ("group", "category"),
    [("SQLI", "sql"), ("RCE", "shell"), ("XSS", "web"), ("LFI", "paths"), ("PHP", "code"),
     ("JAVA", "traces")],
)  # fmt: skip
def test_each_of_these_groups_would_stop_a_prompt(start: Start, group: str, category: str) -> None:
    gateway = start(firewalls.without_a_group(firewalls.template_firewall(), group))
    prompts = [one for one in corpus.prompts() if one.category == category]

    replayed = replay_prompts(Origin(gateway.url), prompts, AT_ONCE)

    assert replayed.failures
