"""The portal app: logging and the Celery application are ready once Django is."""

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import Tags, register
from psycopg_pool.base import AttemptWithBackoff

from portal.celery import app as celery_app
from portal.checks import check_database_role
from portal.logging import configure


class PortalConfig(AppConfig):
    """Composition of the project."""

    name = "portal"

    def ready(self) -> None:
        """Make our Celery application the default in every thread; set up checks and logging."""
        celery_app.set_default()
        register(check_database_role, Tags.database)
        # After a restart of PostgreSQL every connection in the pool is found dead, one by one. The
        # pool's own pauses after each (1, 2, 4 s …) would keep a page waiting for its timeout.
        AttemptWithBackoff.INITIAL_DELAY, AttemptWithBackoff.DELAY_BACKOFF = 0.05, 1.2
        configure(level=settings.LOG_LEVEL, style=settings.LOG_FORMAT)
