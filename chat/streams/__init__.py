"""The one door to Redis: relays the text of running generations from workers to web processes.

One Redis stream per generation, written by the worker that holds it and followed by any number of
browsers. The entry id is the SSE id. Streams are bounded and expire: PostgreSQL is the truth, and
every reader copes with a stream that was lost. Each entry carries the attempt that wrote it, so
that a worker which lost its claim is not heard any more.
"""

from chat.streams.connection import is_worker_heard, note_worker_heard, stream_key
from chat.streams.follower import START, Entry, follow, wake_followers
from chat.streams.writer import Writer, read_text

__all__ = [
    "START",
    "Entry",
    "Writer",
    "follow",
    "is_worker_heard",
    "note_worker_heard",
    "read_text",
    "stream_key",
    "wake_followers",
]
