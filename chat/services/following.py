"""The open stream of one generation: Redis for what comes, PostgreSQL for what is certain."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from django.db import connections

from chat import events, sse, streams
from chat.models import Generation
from chat.services.attending import Reader, attended
from chat.services.conversations import settled
from chat.services.watching import Watcher, watched
from tenants.models import Membership
from tenants.scope import tenant_scope


async def follow_generation(
    generation: Generation, *, reader: Membership, session_key: str, after: str
) -> AsyncIterator[bytes]:
    """SSE frames from the text's beginning, or from after this entry id, to the end event.

    Breaks off when the reader may read no longer, or signs out. Holds no database connection while
    it waits. Whenever the relay is silent, the database is asked whether the generation has ended:
    an end that the relay lost is told all the same.
    """
    key = streams.stream_key(generation.tenant_id, generation.pk)
    person = Reader(reader.pk, session_key, reader.user.get_session_auth_hash(), key)
    with attended(person):
        async with aclosing(_frames(generation, key, after)) as coming:
            async for frames in coming:
                if person.is_refused:
                    return
                yield frames


async def _frames(generation: Generation, key: str, after: str) -> AsyncGenerator[bytes]:
    yield sse.RETRY
    if generation.partial_text and not after:
        # In case the relay has forgotten it; what the relay holds replaces it.
        yield sse.frame(events.snapshot(generation.partial_text))
    attempt = generation.attempt
    with watched(generation, key) as watcher:
        async for entries in streams.follow(key, after=after or streams.START):
            heard = [entry for entry in entries if entry.attempt >= attempt]
            if heard:
                attempt = heard[-1].attempt
                watcher.hear(entry.event for entry in heard)
                yield b"".join(_frame(entry) for entry in heard)
            elif not entries:
                yield await _news(generation, watcher)
            if not generation.is_live or (heard and heard[-1].event.name == events.END):
                return


async def _news(generation: Generation, watcher: Watcher) -> bytes:
    """What PostgreSQL knows: what the generation waits for, its end, or that it goes on."""
    if news := watcher.take_news():
        return sse.frame(news)
    found = await asyncio.to_thread(_end_or_heartbeat, generation)
    is_running = generation.status == Generation.Status.RUNNING
    if is_running and not watcher.is_shown:
        return sse.frame(events.started())  # in case the relay has lost it
    return found


def _frame(entry: streams.Entry) -> bytes:
    is_end = entry.event.name == events.END
    return sse.frame(entry.event, events.END_ID if is_end else entry.id)


def _end_or_heartbeat(generation: Generation) -> bytes:
    """Bring the generation up to date, settled; its end if it has ended."""
    try:
        with tenant_scope(generation.tenant_id):
            generation.refresh_from_db()
            generation = settled(generation)
            return sse.HEARTBEAT if generation.is_live else ended_frames(generation)
    except Generation.DoesNotExist:
        generation.status = Generation.Status.STOPPED  # deleted with its conversation
        return sse.frame(events.end(generation.status), events.END_ID)
    finally:
        connections.close_all()


def ended_frames(generation: Generation) -> bytes:
    """All of an ended generation at once, from PostgreSQL."""
    text = generation.reply.content if generation.reply else ""
    end = events.end(generation.status, generation.error_code)
    return sse.frame(events.snapshot(text)) + sse.frame(end, events.END_ID)
