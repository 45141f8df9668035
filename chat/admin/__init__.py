"""The admin of the catalogue and the prompt library, and of what happens."""

from chat.admin import activity, catalogue, grants, investigations, library

__all__ = ["activity", "catalogue", "grants", "investigations", "library"]
