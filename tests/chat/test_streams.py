"""The relay: what followers get, whatever happens to Redis in between.

On a busy machine a write may be lost; then the text goes on with a snapshot. So which entries there
are is not for certain, but for the text that they come to.
"""

import asyncio
import uuid
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import pytest
import redis
from django.conf import settings

from chat import events, streams
from chat.streams import writer as writing
from tests.stack import wait_until

_T = TypeVar("_T")


@pytest.fixture
def valkey() -> Iterator["redis.Redis"]:
    """A client with more patience than the product's."""
    with redis.Redis.from_url(settings.REDIS_URL, protocol=2, socket_timeout=30) as patient:
        yield patient


@pytest.fixture
def key(valkey: "redis.Redis", monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A stream of a generation's own; its writer waits longer than a worker to tell the end."""
    monkeypatch.setattr(writing, "_LONGEST_WAIT_SECONDS", 30.0)
    name = streams.stream_key(uuid.uuid4(), uuid.uuid4())
    yield name
    valkey.delete(name)


def run(scene: Coroutine[Any, Any, _T]) -> _T:
    """What the scene returns. In a thread: the browser of other tests has a loop in this one."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, scene).result()


def text_of(entries: list[streams.Entry]) -> str:
    """The text that a browser has after these entries."""
    text = ""
    for entry in entries:
        text = events.apply(text, entry.event)
    return text


async def until_end(key: str, after: str = streams.START) -> list[streams.Entry]:
    """Everything that a follower gets, to the end event."""
    got: list[streams.Entry] = []
    async with asyncio.timeout(20):
        async for entries in streams.follow(key, after=after):
            got += entries
            if got and got[-1].event.name == events.END:
                break
    return got


def _shows(key: str, attempt: int, text: str) -> bool:
    return streams.read_text(key, attempt) == text


def write_all(key: str, *texts: str, attempt: int = 1) -> streams.Writer:
    """A whole reply, each text an entry of its own."""
    writer = streams.Writer(key, attempt)
    writer.start()
    so_far = ""
    for text in texts:
        so_far += text
        writer.append(text)
        wait_until(partial(_shows, key, attempt, so_far))
    return writer


def test_a_follower_gets_the_whole_text_and_the_end(key: str) -> None:
    write_all(key, "Good ", "day", ".").end("completed", "")

    entries = run(until_end(key))

    assert text_of(entries) == "Good day."
    assert entries[-1].event == events.end("completed", "")


def test_a_follower_is_told_that_the_model_is_called(key: str, valkey: "redis.Redis") -> None:
    def is_told() -> bool:
        valkey.delete(key)
        write_all(key, "Good day.").end("completed", "")
        return run(until_end(key))[0].event == events.started()

    wait_until(is_told)


def test_a_follower_goes_on_after_the_last_id_it_saw(key: str) -> None:
    write_all(key, "Good ", "day", ".").end("completed", "")
    entries = run(until_end(key))

    seen = (len(entries) + 1) // 2

    rest = run(until_end(key, after=entries[seen - 1].id))

    assert rest == entries[seen:]


@pytest.mark.parametrize("after", ["1-1", "garbage", "99999999999999-0", "\n", "0-0"])
def test_an_unknown_id_starts_from_the_beginning(key: str, after: str) -> None:
    write_all(key, "Good ", "day.").end("completed", "")

    assert text_of(run(until_end(key, after=after))) == "Good day."


def test_followers_that_join_at_different_times_get_the_same(key: str) -> None:
    async def scene() -> list[list[streams.Entry]]:
        early = asyncio.create_task(until_end(key))
        await asyncio.sleep(0)
        writer = await asyncio.to_thread(write_all, key, "One ", "two ")
        late = asyncio.create_task(until_end(key))
        await asyncio.sleep(0)
        writer.append("three")
        await asyncio.to_thread(writer.end, "completed", "")
        return list(await asyncio.gather(early, late))

    early, late = run(scene())

    assert early == late
    assert text_of(early) == "One two three"


def test_many_streams_are_followed_with_one_reader(key: str, valkey: "redis.Redis") -> None:
    keys = [f"{key}:{number}" for number in range(40)]

    def readers() -> int:
        return sum(c["cmd"] == "xread" for c in valkey.client_list())

    async def scene() -> list[str]:
        before = readers()
        followers = [asyncio.create_task(until_end(name)) for name in keys]
        writers = [streams.Writer(name, 1) for name in keys]
        for word in ("a", "b", "c"):
            for writer in writers:
                writer.append(word)
            await asyncio.sleep(0.01)
        for writer in writers:
            await asyncio.to_thread(writer.end, "completed", "")
        assert readers() - before <= 1
        return [text_of(entries) for entries in await asyncio.gather(*followers)]

    assert run(scene()) == ["abc"] * 40
    valkey.delete(*keys)


def test_a_stream_that_vanished_goes_on_with_a_snapshot(key: str, valkey: "redis.Redis") -> None:
    writer = write_all(key, "Good ", "day")
    valkey.delete(key)

    writer.append(".")
    writer.end("completed", "")

    assert text_of(run(until_end(key))) == "Good day."


def test_the_first_text_of_an_attempt_replaces_what_a_dead_one_showed(key: str) -> None:
    write_all(key, "Dead ", "text")

    write_all(key, "New ", "text", attempt=2).end("completed", "")

    assert text_of(run(until_end(key))) == "New text"
    wait_until(partial(_shows, key, 1, "Dead text"))


def test_a_trimmed_stream_is_followed_from_its_snapshot(
    key: str, valkey: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_SNAPSHOT_EVERY", 4)
    write_all(key, *"abcdefghij").end("completed", "")
    valkey.xtrim(key, maxlen=6, approximate=False)

    entries = run(until_end(key))

    assert text_of(entries) == "abcdefghij"


def test_a_stream_expires(key: str, valkey: "redis.Redis") -> None:
    write_all(key, "x").end("completed", "")

    assert 0 < valkey.ttl(key) <= 3600
