"""What a tenant's slug and colour may be."""

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

# First path segments that belong to the portal itself, or that a browser or gateway asks for.
RESERVED_SLUGS = frozenset(
    {
        "accounts", "admin", "api", "healthz", "readyz", "static", "media", "favicon", "robots",
        "well-known", "i18n", "metrics", "ws", "new", "settings", "tenants", "invitations",
    }
)  # fmt: skip

validate_colour = RegexValidator(r"^#[0-9a-fA-F]{6}\Z", "Give a colour as # and six hex digits.")


def validate_slug_is_free(slug: str) -> None:
    """Refuse a slug that hides one of the portal's addresses, or differs from another by case."""
    if slug != slug.lower():
        raise ValidationError("Use lower-case letters only.")
    if slug in RESERVED_SLUGS:
        raise ValidationError("“%(slug)s” is reserved by the portal.", params={"slug": slug})
