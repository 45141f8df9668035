"""Who refuses a request, and what is said of it."""

import itertools

import pytest

from portal.streamcheck import corpus
from portal.streamcheck.connection import Origin, Request, Unreachable
from portal.streamcheck.corpus import Attack, Prompt
from portal.streamcheck.replay import Pace, Replayed, replay_attacks, replay_prompts
from tests.portal.streamcheck.impostors import BLOCKED, Said, Script, impostor, portal

PROMPTS = [Prompt("one", "sql", "SELECT 1"), Prompt("two", "english", "Good morning")]
ATTACKS = [
    Attack("query", "queries", Request("GET", "/?x=attack")),
    Attack("message", "message", Request("POST", "/accounts/login/", {}, b"message=attack")),
    Attack("field", "fields", Request("POST", corpus.START_PATH, {}, b"x=attack")),
    Attack("odd", "headers", Request("GET", "/odd"), may_pass="no rule set knows it"),
]
AT_ONCE = Pace(0.0, lambda _done, _total: None)


def blocking(word: bytes, said: Said = BLOCKED) -> Script:
    """A firewall that answers so to everything with this word in it."""
    return lambda path, body: said if word in path.encode() + body else portal(path)


def prompted(script: Script) -> Replayed:
    with impostor(script) as url:
        return replay_prompts(Origin(url), PROMPTS, AT_ONCE)


def attacked(script: Script) -> Replayed:
    with impostor(script) as url:
        return replay_attacks(Origin(url), ATTACKS, AT_ONCE)


def test_prompts_that_the_portal_itself_refuses_have_reached_it() -> None:
    replayed = prompted(portal)

    assert (replayed.failures, replayed.requests) == ([], 8)
    assert replayed.counts == {"sql": (1, 1), "english": (1, 1)}


def test_a_prompt_that_the_firewall_stops_is_named_with_each_way() -> None:
    replayed = prompted(blocking(b"SELECT"))

    assert [(one.id, one.status) for one in replayed.failures] == [("one", 403)] * 4
    ways = [f"{kind} to {page}" for page in ("start", "messages") for kind in ("form", "json")]
    assert [one.way for one in replayed.failures] == ways
    assert "perhaps of group SQLI" in replayed.failures[0].cause
    assert replayed.counts["english"] == (1, 1)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (Said(403, b"blocked by rule 942100", as_portal=False), "rule 942100 of group SQLI"),
        (Said(413, as_portal=False), "maxRequestBodySizeInKb"),
        (Said(429, as_portal=False), "--pace"),
        (Said(502, as_portal=False), "backend health"),
        (Said(302, as_portal=False), "answered 302"),
    ],
)
def test_the_likely_cause_is_said(said: Said, expected: str) -> None:
    replayed = prompted(blocking(b"SELECT", said))

    assert {expected in one.cause for one in replayed.failures} == {True}


def test_when_nothing_gets_through_there_is_no_result() -> None:
    with pytest.raises(Unreachable, match="Not even “Hello” reaches the portal"):
        prompted(blocking(b"message"))


def test_a_rate_limit_is_not_taken_for_the_firewalls_rules() -> None:
    counter = itertools.count()
    many = [Prompt(f"p{number}", "english", "Good morning") for number in range(20)]

    with (
        impostor(lambda path, _: portal(path) if next(counter) < 12 else BLOCKED) as url,
        pytest.raises(Unreachable, match="everything is refused with 403: the firewall's rate"),
    ):
        replay_prompts(Origin(url), many, AT_ONCE)


def test_attacks_that_are_stopped_are_good() -> None:
    replayed = attacked(blocking(b"attack"))

    assert replayed.failures == []
    assert [one.id for one in replayed.tolerated] == ["odd"]
    assert {good for _, good in replayed.counts.values()} == {1}


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "Detection mode"),
        (1, "a custom rule that keeps it to forms"),
        (2, "the exclusion must be Equals"),
    ],
)
def test_an_attack_that_reaches_the_portal_is_named_with_what_to_change(
    number: int, expected: str
) -> None:
    passing = ATTACKS[number]
    word = passing.request.body or passing.request.target.encode()

    replayed = attacked(
        lambda path, body: (
            BLOCKED if b"attack" in path.encode() + body and (body or path.encode()) != word
            else portal(path)
        )
    )  # fmt: skip

    assert [one.id for one in replayed.failures] == [passing.id]
    assert expected in replayed.failures[0].cause


def test_when_most_attacks_pass_the_firewall_does_not_block_at_all() -> None:
    replayed = attacked(portal)

    assert len(replayed.failures) == 3
    assert {"Detection mode" in one.cause for one in replayed.failures} == {True}


def test_a_firewall_that_refuses_everybody_does_not_pass_for_a_good_one() -> None:
    with pytest.raises(Unreachable, match="Not even “Hello”"):
        attacked(lambda _path, _body: BLOCKED)
