"""The one door to the models: streamed Chat Completions, with every failure as a code.

sdk.py calls them, transport.py and chunks.py read what comes over the network. Only a process that
calls models loads the SDK, which takes a second and 33 MiB (docs/decisions/0015-speed.md).
"""

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from chat.provider.chunks import Piece, Usage

if TYPE_CHECKING:  # imported before Django knows its models
    from chat.models import Deployment

__all__ = ["Piece", "Usage", "prepare", "stream_reply"]

_SDK = "chat.provider.sdk"


def prepare() -> None:
    """Load the SDK now, so that the first call does not wait for it."""
    import_module(_SDK)


def stream_reply(deployment: "Deployment", messages: Sequence[Any]) -> Iterator[Piece]:
    """Call the model and yield its reply as it arrives.

    Blocks for at most MODEL_CONNECT_SECONDS to connect and MODEL_FIRST_TOKEN_SECONDS for each
    read. Raises ProviderError. Closing the iterator ends the upstream call. A stream that ends
    without a finish reason raises nothing: the caller must treat it as interrupted.
    """
    pieces: Iterator[Piece] = import_module(_SDK).stream_reply(deployment, messages)
    return pieces
