"""The server as a process: `python -m tests.upstream --port 9000 --tokens 300 --rate 40`.

Every chunk of its replies carries the time of its sending (tests/upstream/stamp.py). Prints one
line, `ready PORT`, when it listens, and stops at SIGTERM.
"""

import argparse
import asyncio
import re
import signal

import uvloop

from tests.upstream.log import Log
from tests.upstream.script import Reply, Script, Scripts
from tests.upstream.server import listen
from tests.upstream.stamp import STAMP


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.upstream", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--first-token-ms", type=float, default=300)
    parser.add_argument("--rate", type=float, default=40, help="tokens per second of each reply")
    parser.add_argument("--tokens", type=int, default=300, help="length of each reply")
    return parser.parse_args()


class Lengths(Scripts):
    """Replies as long as the prompt asks: `tokens=40` in it overrides `--tokens`."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        super().__init__(self._reply(options.tokens))

    def pick(self, prompt: str) -> Script:
        asked = re.search(r"tokens=(\d+)", prompt)
        return self._reply(int(asked[1]) if asked else self._options.tokens)

    def _reply(self, tokens: int) -> Reply:
        return Reply(
            [STAMP] * tokens,
            first_token_seconds=self._options.first_token_ms / 1000,
            tokens_per_second=self._options.rate,
        )


async def serve(options: argparse.Namespace) -> None:
    listener = await listen(Lengths(options), Log(), options.port)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    print("ready", listener.port, flush=True)
    await stop.wait()


def main() -> None:
    options = parse()
    uvloop.run(serve(options))


if __name__ == "__main__":
    main()
