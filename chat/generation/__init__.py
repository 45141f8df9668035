"""What the worker does: claim a waiting generation, run it, and store its end."""

from chat.generation.ending import end_queued
from chat.generation.leaving import has_begun as is_leaving
from chat.generation.queue import tell_queue
from chat.generation.run import run_next
from chat.generation.settling import end_with_conversation, settle, settle_if_stale
from chat.generation.titles import generate_title

__all__ = [
    "end_queued",
    "end_with_conversation",
    "generate_title",
    "is_leaving",
    "run_next",
    "settle",
    "settle_if_stale",
    "tell_queue",
]
