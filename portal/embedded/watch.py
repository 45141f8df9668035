"""Start a process again when it dies, later each time."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from portal.embedded.processes import Child

DELAYS = (1.0, 2.0, 5.0, 10.0, 30.0)
CALM_SECONDS = 60.0


@dataclass
class Watched:
    """A process, how to start it again, and how often that was needed lately."""

    find: Callable[[], Child | None]
    start: Callable[[], None]
    say: Callable[[str], None]
    falls: int = 0
    started_at: float = field(default_factory=time.monotonic)
    start_again_at: float = 0.0

    def look(self) -> None:
        """Notice a death, or start again when the time has come. Raises what ``start`` raises."""
        child, now = self.find(), time.monotonic()
        if child is None or child.is_running():
            return
        if not self.start_again_at:
            self._plan_restart(child, now)
        elif now >= self.start_again_at:
            self.start_again_at = 0.0
            self.start()
            self.started_at = time.monotonic()
            self.say(f"{child.name} runs again.")

    def _plan_restart(self, child: Child, now: float) -> None:
        if now - self.started_at > CALM_SECONDS:
            self.falls = 0
        delay = DELAYS[min(self.falls, len(DELAYS) - 1)]
        self.falls += 1
        self.start_again_at = now + delay
        self.say(f"{child.describe_end()}; starting it again in {delay:.0f} s (see {child.log}).")
