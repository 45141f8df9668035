"""What the templates of turns need beside Django's own."""

import math
import uuid
from datetime import datetime

from django import template
from django.utils import timezone

register = template.Library()

# Azure's names of what its content filter acts on, where they are no plain words.
_CATEGORIES = {
    "self_harm": "self-harm",
    "sexual": "sexual content",
    "jailbreak": "an attempt to get around the rules of the model",
    "protected_material_text": "protected text",
    "protected_material_code": "protected code",
}


@register.filter
def seconds_until(moment: datetime | None) -> int:
    """Whole seconds until then; 0 when it is over, or not known."""
    if moment is None:
        return 0
    return max(0, math.ceil((moment - timezone.now()).total_seconds()))


@register.filter
def duration(seconds: int) -> str:
    """`40 s` or `5 min`, not to be broken at the blank (the same as countdown.js)."""
    number, unit = (seconds, "s") if seconds <= 120 else (math.ceil(seconds / 60), "min")
    return f"{number}\N{NO-BREAK SPACE}{unit}"


@register.filter
def in_words(seconds: int) -> str:
    """`in 40 s`, `in 5 min`, or `now`."""
    return f"in {duration(seconds)}" if seconds > 0 else "now"


@register.filter
def category_name(category: str) -> str:
    """What the provider's content filter found, in words."""
    return _CATEGORIES.get(category, category)


@register.simple_tag
def new_request_id() -> str:
    """An id for a send from this form; pressing its button twice is one send."""
    return str(uuid.uuid4())
