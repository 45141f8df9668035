"""Long-running operations: accepted now, their result at an address to ask again and again."""

import uuid
from collections.abc import Callable

from tests.cloud.arm_answers import Answer, later, refusal
from tests.cloud.arm_call import Call


class Pending:
    """Operations that were accepted. `url` is where their results are."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._results: dict[str, Callable[[], Answer | None]] = {}
        self._is_seen: set[str] = set()

    def promise(self, result: Callable[[], Answer | None]) -> Answer:
        """Accepted; the result is there at the second look, or when it is no longer None."""
        key = uuid.uuid4().hex
        self._results[key] = result
        return self._accepted(key)

    def poll(self, call: Call) -> Answer:
        """The result, or a request to ask again."""
        key = call.names["key"]
        if key not in self._results:
            return refusal(404, "NotFound", "no such operation")
        if key not in self._is_seen:
            self._is_seen.add(key)
            return self._accepted(key)
        return self._results[key]() or self._accepted(key)

    def _accepted(self, key: str) -> Answer:
        address = f"{self._url}/{key}?api-version=2025-04-01"
        return Answer(202, None, {"Location": address, **later(20)})
