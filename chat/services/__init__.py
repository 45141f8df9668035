"""What the web process does."""

from chat.disclosure import find_disclosures
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
from chat.services.investigations import (
    LEAST_REASON,
    Reading,
    end_investigation,
    open_investigation,
    read_investigated,
)
from chat.services.sending import (
    retry_generation,
    send_message,
    start_conversation,
    stop_generation,
)

__all__ = [
    "LEAST_REASON",
    "InvalidCatalogue",
    "Reading",
    "Synced",
    "Turn",
    "delete_conversation",
    "end_investigation",
    "ended_frames",
    "find_disclosures",
    "follow_generation",
    "grant",
    "open_investigation",
    "read_investigated",
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
