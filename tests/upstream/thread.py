"""The server in a thread of the test process."""

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import uvloop

from tests.upstream.log import Log, Request
from tests.upstream.script import Reply, Rule, Script, Scripts, Silence
from tests.upstream.server import listen


class Upstream:
    """A model provider under a test's control, on a free port of 127.0.0.1.

    All methods may be called from any thread while the server runs. Scripts are looked up in this
    order: `when` rules (the newest first), the queue of `next`, the default of `says` or `always`;
    or in the way of `scripts`, where they are given.
    """

    def __init__(self, default: Script | None = None, scripts: Scripts | None = None) -> None:
        self._default = default or Reply()
        self._scripts = scripts or Scripts(self._default)
        self._log = Log()
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="upstream", daemon=True)
        self._started = threading.Event()
        self._port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(10):
            raise RuntimeError("the upstream server did not start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def base_url(self) -> str:
        """The base URL for an OpenAI client."""
        return f"{self.origin}/v1"

    @property
    def azure_base_url(self) -> str:
        """The same under the path of Azure's v1 API."""
        return f"{self.origin}/openai/v1/"

    def says(self, text: str, *, tokens_per_second: float = 0.0) -> None:
        """Answer every request with this text."""
        self._scripts.set_default(Reply(text, tokens_per_second=tokens_per_second))

    def always(self, script: Script) -> None:
        """Answer every request that no rule and no queued script answers in this way."""
        self._scripts.set_default(script)

    def next(self, *scripts: Script) -> None:
        """Answer the next requests in these ways, one each."""
        self._scripts.queue(scripts)

    def when(self, rule: Rule, script: Script) -> None:
        """Answer in this way when the user's last message contains `rule`, or it returns true."""
        self._scripts.add_rule(rule, script)

    def hangs(self) -> None:
        """Accept every request and say nothing."""
        self._scripts.set_default(Silence())

    def reset(self) -> None:
        """Forget scripts and requests."""
        self._scripts.clear(self._default)
        self._log.requests.clear()

    @property
    def requests(self) -> list[Request]:
        """The chat requests so far, in order of arrival."""
        return list(self._log.requests)

    def wait_until(self, condition: Callable[[], bool], seconds: float = 10) -> bool:
        """Whether `condition` became true in time; looked at whenever the log changes."""
        return self._log.wait_until(condition, seconds)

    def wait_for_requests(self, count: int, seconds: float = 10) -> list[Request]:
        """The requests, once there are `count` of them; AssertionError after `seconds`."""
        assert self.wait_until(lambda: len(self._log.requests) >= count, seconds), (
            f"{len(self._log.requests)} of {count} requests came within {seconds} s"
        )
        return self.requests

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        listener = self._loop.run_until_complete(listen(self._scripts, self._log))
        self._port = listener.port
        self._started.set()
        self._loop.run_forever()
        listener.close()
        self._loop.run_until_complete(asyncio.sleep(0))  # lets the connections note their end
        self._loop.close()
