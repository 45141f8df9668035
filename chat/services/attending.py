"""Who has a stream open, and whether they still may: one look of a process for all of them."""

import asyncio
import logging
import uuid
from contextlib import AbstractContextManager
from dataclasses import dataclass

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connections
from django.utils import timezone

from chat import streams
from chat.services.rounds import Rounds
from tenants.models import Membership
from tenants.scope import platform_scope

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class Reader:
    """A person with an open stream: as whom, signed in how, and what they follow."""

    membership_id: uuid.UUID
    session_key: str
    auth_hash: str  # of the password that the session was opened with
    stream_key: str
    is_refused: bool = False


def attended(reader: Reader) -> AbstractContextManager[None]:
    """Until the block ends, find out within seconds when this reader may read no longer.

    Their membership was deactivated or removed, their tenant suspended, they signed out, or there
    is a new password: then `is_refused` is set, and the stream's followers are woken.
    """
    return _rounds.joined(reader)


async def _look(readers: list[Reader]) -> None:
    for reader in await asyncio.to_thread(_refused, readers):
        reader.is_refused = True
        streams.wake_followers(reader.stream_key)


def _refused(readers: list[Reader]) -> list[Reader]:
    """Those who may read no longer; none while the database does not answer."""
    try:
        with platform_scope("streams of all tenants that are open here"):
            usable = Membership.objects.usable().filter(pk__in={r.membership_id for r in readers})
            hashes = {m.pk: m.user.get_session_auth_hash() for m in usable.select_related("user")}
            sessions = Session.objects.filter(
                pk__in={reader.session_key for reader in readers}, expire_date__gt=timezone.now()
            )
            signed_in = set(sessions.values_list("pk", flat=True))
    except DatabaseError:
        logger.warning("readers not looked at", exc_info=True)
        return []
    finally:
        connections.close_all()
    return [
        reader
        for reader in readers
        if hashes.get(reader.membership_id) != reader.auth_hash
        or reader.session_key not in signed_in
    ]


_rounds = Rounds(_look, lambda: settings.CHAT_ACCESS_LOOK_SECONDS)
