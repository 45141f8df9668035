"""Pages, fragments and the stream of one tenant. Every object enters through `visible_to`."""

from chat.views.conversations import (
    delete_conversation,
    list_conversations,
    list_turns,
    new_conversation,
    rename_conversation,
    send_message,
    show_conversation,
    show_logo,
    show_row,
    start_conversation,
)
from chat.views.generations import (
    continue_generation,
    edit_generation,
    retry_generation,
    show_generation,
    stop_generation,
    stream_generation,
)

__all__ = [
    "continue_generation",
    "delete_conversation",
    "edit_generation",
    "list_conversations",
    "list_turns",
    "new_conversation",
    "rename_conversation",
    "retry_generation",
    "send_message",
    "show_conversation",
    "show_generation",
    "show_logo",
    "show_row",
    "start_conversation",
    "stop_generation",
    "stream_generation",
]
