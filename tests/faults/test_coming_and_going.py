"""Many people open, leave and reopen the streams of several answers while these are written."""

import random
from concurrent.futures import ThreadPoolExecutor

from chat.models import Deployment, Generation
from tenants.models import Membership
from tests.chat.answers import ask, text_of, wait_for_end
from tests.chat.listener import (
    Heard,
    Listener,
    cookie_of,
    events_path,
    text_after,
)
from tests.stack import Stack, wait_until
from tests.upstream import Reply, Upstream

ANSWERS = 4
PEOPLE = 24
WORDS = " ".join(f"word-{number}" for number in range(80))


def wait_for_some(listener: Listener, count: int) -> None:
    """Return once this many events have come, or the stream is over."""
    wait_until(lambda: listener.is_closed or len(listener.events) >= count)


def listen_with_breaks(origin: str, path: str, cookie: str, chance: random.Random) -> str:
    """The text that a page shows in the end whose connection breaks again and again."""
    heard: list[Heard] = []
    while not any(event.name == "end" for event in heard):
        last = next((event.id for event in reversed(heard) if event.id), "")
        resume = {"Last_Event_ID": last} if last else {}
        if not resume:
            heard.clear()
        with Listener(origin, path, Cookie=cookie, **resume) as listener:
            wait_for_some(listener, chance.randint(1, 12))
        heard += listener.events
    return text_after(heard)


def test_everybody_is_shown_every_answer_whole(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.always(Reply(WORDS, tokens_per_second=40))
    answers: list[Generation] = [ask(member, f"Message {number}") for number in range(ANSWERS)]
    paths = [events_path(answer) for answer in answers]
    cookie = cookie_of(member)

    with ThreadPoolExecutor(PEOPLE) as people:
        shown = people.map(
            lambda number: listen_with_breaks(
                stack.url, paths[number % ANSWERS], cookie, random.Random(number)
            ),
            range(PEOPLE),
        )

        assert list(shown) == [WORDS] * PEOPLE
    wait_for_end(*answers)
    assert [text_of(answer) for answer in answers] == [WORDS] * ANSWERS
