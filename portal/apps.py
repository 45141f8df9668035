"""The portal app: logging and the Celery application are ready once Django is."""

from django.apps import AppConfig
from django.conf import settings

from portal.celery import app as celery_app
from portal.logging import configure


class PortalConfig(AppConfig):
    """Composition of the project."""

    name = "portal"

    def ready(self) -> None:
        """Make our Celery application the default one in every thread, and set up logging."""
        celery_app.set_default()
        configure(level=settings.LOG_LEVEL, style=settings.LOG_FORMAT)
