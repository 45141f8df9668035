"""Texts that carry the time of their sending.

The clock is CLOCK_MONOTONIC, which all processes of a Linux machine share. A stamp is ten
characters: microseconds modulo 1,000 seconds, and a space.
"""

import time

STAMP = "@@sent-at "
STAMP_BYTES = STAMP.encode()
WIDTH = len(STAMP)
WRAP = 1_000_000_000


def now() -> bytes:
    return b"%09d " % (time.monotonic_ns() // 1000 % WRAP)


def ages(text: str, received_ns: int) -> list[float]:
    """Seconds between the sending of each stamp in `text` and `received_ns` (monotonic)."""
    received = received_ns // 1000
    return [((received - int(sent)) % WRAP) / 1e6 for sent in text.split()]
