"""Server-sent events on the wire (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from collections.abc import AsyncIterator

from django.http import HttpResponse, StreamingHttpResponse

from chat.events import Event

HEARTBEAT = b": \n\n"
# First on a stream: how long a browser waits before it connects again, in milliseconds.
RETRY = b"retry: 1000\n\n"


def frame(event: Event, event_id: str = "") -> bytes:
    """One event; `data` must be a single line, as JSON without line breaks is."""
    head = f"id: {event_id}\nevent: {event.name}\n" if event_id else f"event: {event.name}\n"
    return b"%bdata: %b\n\n" % (head.encode(), event.data)


def response(frames: AsyncIterator[bytes]) -> StreamingHttpResponse:
    """A stream that no proxy may store, buffer or compress."""
    answer = StreamingHttpResponse(frames, content_type="text/event-stream")
    answer["Cache-Control"] = "no-cache, no-transform"
    answer["X-Accel-Buffering"] = "no"
    return answer


def nothing_more() -> HttpResponse:
    """204: tells EventSource not to connect again."""
    return HttpResponse(status=204)


async def at_once(frames: bytes) -> AsyncIterator[bytes]:
    """These frames, and then the end."""
    yield frames
