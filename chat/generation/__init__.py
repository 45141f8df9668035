"""What the worker does: claim a waiting generation, run it, and store its end."""

from chat.generation.ending import end_queued, end_with_conversation, settle, settle_if_stale
from chat.generation.queue import tell_queue
from chat.generation.run import run_next

__all__ = [
    "end_queued",
    "end_with_conversation",
    "run_next",
    "settle",
    "settle_if_stale",
    "tell_queue",
]
