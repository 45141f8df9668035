"""Which static files are collected."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import FileSystemFinder


class BrowserLibraryFinder(FileSystemFinder):
    """The folders of STATICFILES_DIRS; of the browser libraries only the files that pages load.

    (Their packages also hold builds for other systems, whose imports lead nowhere in a browser.)
    """

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[Any]:
        """Pairs of path and storage, as the base class gives them."""
        for path, storage in super().list(ignore_patterns):
            if f"{getattr(storage, 'prefix', '')}/{path}" in settings.BROWSER_LIBRARY_FILES:
                yield path, storage
