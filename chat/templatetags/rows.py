"""What the templates of the list need beside Django's own."""

import uuid
from collections.abc import Mapping

from django import template

from chat.services import Piece

register = template.Library()


@register.filter
def of_row(snippets: Mapping[uuid.UUID, list[Piece]], row_id: uuid.UUID) -> list[Piece]:
    """What was found in this conversation; nothing where only its title was."""
    return snippets.get(row_id, [])
