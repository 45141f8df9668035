"""Before a process works: the database has to hold it to row-level security.

Asked over a connection of its own, so that no pool has to be waited for, and none is left.
"""

import logging
import sys
import time

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS

from portal import databases
from portal.checks import HINT, find_bypass
from portal.databases import NoConnectionError

logger = logging.getLogger(__name__)

WAIT_SECONDS = 60.0
PAUSE_SECONDS = 1.0


class BypassError(Exception):
    """Row-level security does not bind our role; one line that says why and what to do."""


class Start:
    """What this process knows of its role: `is_bound` once it has been asked and all is well."""

    is_bound = False


def ensure_bound() -> None:
    """Raise BypassError where row-level security does not bind us, NoConnectionError if unknown."""
    if Start.is_bound:
        return
    try:
        with databases.connect(databases.plain(settings.DATABASES[DEFAULT_DB_ALIAS])) as connection:
            found = find_bypass(connection)
    except psycopg.Error as error:
        raise NoConnectionError(f"the database does not answer: {type(error).__name__}") from error
    if found:
        raise BypassError(f"Atrium does not start: {'; '.join(found)}. {HINT}")
    Start.is_bound = True


def is_bound() -> bool:
    """Whether row-level security is known to bind us; asks again until it is."""
    try:
        ensure_bound()
    except NoConnectionError as error:
        logger.warning("%s", error)
    except BypassError as error:
        logger.error("%s", error)  # noqa: TRY400  # the text says it all
    return Start.is_bound


def leave_if_unbound() -> None:
    """End this process with one line where it is not bound; go on where that is not known yet."""
    try:
        ensure_bound()
    except BypassError as error:
        sys.exit(str(error))
    except NoConnectionError as error:
        logger.warning("not ready: %s", error)


def wait_until_bound(*, seconds: float = WAIT_SECONDS) -> None:
    """End this process with one line where it is not bound, or that is not known in time."""
    deadline = time.monotonic() + seconds
    while not Start.is_bound:
        leave_if_unbound()
        if not Start.is_bound:
            if time.monotonic() > deadline:
                sys.exit(f"Atrium does not start: no database within {seconds:.0f} seconds")
            time.sleep(PAUSE_SECONDS)
