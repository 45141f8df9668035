"""What names, and a tenant's slug and colour, may be."""

import re

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

# First path segments that belong to the portal itself, or that a browser or gateway asks for.
RESERVED_SLUGS = frozenset(
    {
        "accounts", "admin", "api", "healthz", "readyz", "static", "media", "favicon", "robots",
        "well-known", "i18n", "metrics", "ws", "new", "settings", "tenants", "invitations",
        "streamz",
    }
)  # fmt: skip

validate_colour = RegexValidator(r"^#[0-9a-fA-F]{6}\Z", "Give a colour as # and six hex digits.")

# Control characters (line breaks too), line and paragraph separators, and what turns the direction
# of the text around: with them a name could pass for other parts of a mail or page.
_NOT_IN_NAMES = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def validate_name(name: str) -> None:
    """Refuse a name of more than one line, or with characters that only steer how it is shown."""
    if _NOT_IN_NAMES.search(name):
        raise ValidationError("Write the name in one line, without control characters.")


def validate_slug_is_free(slug: str) -> None:
    """Refuse a slug that hides one of the portal's addresses, or differs from another by case."""
    if slug != slug.lower():
        raise ValidationError("Use lower-case letters only.")
    if slug in RESERVED_SLUGS:
        raise ValidationError("“%(slug)s” is reserved by the portal.", params={"slug": slug})
