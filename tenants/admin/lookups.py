"""Addresses of lists that make no sense are answered as such, never with an error of the server."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import BadRequest
from django.db import DataError, models, transaction
from django.http import HttpRequest


class CheckedLookups:
    """Of an admin: what stands after the question mark is looked at before it is used.

    Django finds out about much of it only when it asks the database: a year that does not exist, or
    a number that fits no column.
    """

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """The list, with its first query asked: what that cannot answer is refused here."""
        _refuse_nul(request)
        # What the database refuses would spoil the whole request's transaction.
        asked: AbstractContextManager[object] = (
            transaction.atomic() if request.GET else nullcontext()
        )
        try:
            with asked:
                return super().get_changelist_instance(request)  # type: ignore[misc,no-any-return]  # a mixin
        except (ValueError, OverflowError, DataError) as error:
            raise IncorrectLookupParameters(str(error)) from error

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """As Django searches, also for the choices that a form's field offers."""
        _refuse_nul(request)
        return super().get_search_results(request, queryset, search_term)  # type: ignore[misc,no-any-return]  # as above

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What a form is filled in with from its address."""
        _refuse_nul(request)
        return super().get_changeform_initial_data(request)  # type: ignore[misc,no-any-return]  # as above


def _refuse_nul(request: HttpRequest) -> None:
    """No text in PostgreSQL can have this character."""
    for name, values in request.GET.lists():
        if any("\0" in text for text in (name, *values)):
            raise BadRequest("An address cannot have the character NUL.")
