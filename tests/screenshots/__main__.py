"""`make screenshots`: take pictures of the pages, light and dark, on a desktop and on a phone.

Starts a portal of its own with a scripted model, and stops what it started.
"""

import argparse
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from portal.embedded.browser import find_chromium
from tests.screenshots.answers import ANSWERS, HEATING
from tests.screenshots.scenes import Studio, take_all
from tests.screenshots.stack import running
from tests.screenshots.states import script as script_states
from tests.screenshots.states import states
from tests.upstream import Gate, Reply, Upstream

OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("docs/screenshots"))
    return parser.parse_args()


def script(upstream: Upstream) -> Gate:
    """Give the model its answers; the gate holds one of them at two thirds."""
    gate = Gate()
    for word, text in ANSWERS.items():
        upstream.when(word, Reply(text))
    held = Reply(HEATING, gate=gate, gate_at=len(HEATING.split()) * 2 // 3)
    upstream.when("heating", held)
    return gate


def main() -> None:
    folder: Path = parse().folder
    with (
        Upstream() as upstream,
        tempfile.TemporaryDirectory(prefix="atrium-screenshots-") as work,
        running(Path(work), upstream.base_url) as (url, passwords),
        sync_playwright() as playwright,
    ):
        gate = script(upstream)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=OPTIONS)
        studio = Studio(browser, url, passwords, folder)
        take_all(studio, gate)
        script_states(upstream)
        states(studio)
        browser.close()


if __name__ == "__main__":
    main()
