"""What the web process does."""

from chat.disclosure import find_disclosures
from chat.services.answering_again import continue_generation, retry_generation
from chat.services.catalogue import InvalidCatalogue, Synced, grant, sync_catalogue
from chat.services.conversations import (
    Turn,
    delete_conversation,
    earlier_turns,
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
from chat.services.searching import Found, Piece, find_conversations
from chat.services.sending import (
    resend_edited,
    send_message,
    start_conversation,
    stop_generation,
)
from chat.services.waiting import Waiting, look_within

__all__ = [
    "LEAST_REASON",
    "Found",
    "InvalidCatalogue",
    "Piece",
    "Reading",
    "Synced",
    "Turn",
    "Waiting",
    "continue_generation",
    "delete_conversation",
    "earlier_turns",
    "end_investigation",
    "ended_frames",
    "find_conversations",
    "find_disclosures",
    "follow_generation",
    "grant",
    "look_within",
    "open_investigation",
    "read_investigated",
    "read_turn",
    "read_turns",
    "rename_conversation",
    "resend_edited",
    "retry_generation",
    "send_message",
    "settled",
    "start_conversation",
    "stop_generation",
    "sync_catalogue",
]
