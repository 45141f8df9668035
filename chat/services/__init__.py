"""What the web process does."""

from chat.services.catalogue import InvalidCatalogue, Synced, grant, sync_catalogue
from chat.services.conversations import (
    Turn,
    delete_conversation,
    read_turn,
    read_turns,
    rename_conversation,
    settled,
)
from chat.services.following import ended_frames, follow_generation
from chat.services.sending import (
    retry_generation,
    send_message,
    start_conversation,
    stop_generation,
)

__all__ = [
    "InvalidCatalogue",
    "Synced",
    "Turn",
    "delete_conversation",
    "ended_frames",
    "follow_generation",
    "grant",
    "read_turn",
    "read_turns",
    "rename_conversation",
    "retry_generation",
    "send_message",
    "settled",
    "start_conversation",
    "stop_generation",
    "sync_catalogue",
]
