"""The admin of the catalogue, and of what happens."""

from chat.admin import activity, catalogue

__all__ = ["activity", "catalogue"]
