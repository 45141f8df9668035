"""What the browser may send. One flat field, `message`, carries the chat text, as form or JSON."""

import json
from typing import Any, TypeVar

from django import forms
from django.http import HttpRequest

from chat.errors import ChatError

_Form = TypeVar("_Form", bound=forms.Form)


class InvalidInput(ChatError):
    """A field has the wrong shape; our own pages never send such a thing."""

    code = "invalid"


class SendForm(forms.Form):
    """A message, and the client's id of this send."""

    message = forms.CharField(strip=False, required=False)
    request_id = forms.UUIDField()


class StartForm(SendForm):
    """The first message of a conversation."""

    deployment = forms.UUIDField(required=False)


class RetryForm(forms.Form):
    """The client's id of this retry or continuation."""

    request_id = forms.UUIDField()


class StopForm(forms.Form):
    """How much of the answer the person has seen: characters of its text, as code points."""

    seen = forms.IntegerField(min_value=0, required=False)


class TitleForm(forms.Form):
    """A new title."""

    title = forms.CharField(required=False)


def read(form_class: type[_Form], request: HttpRequest) -> dict[str, Any]:
    """The cleaned fields of this request's form or JSON body. Raises InvalidInput."""
    data = _json_object(request) if request.content_type == "application/json" else request.POST
    form = form_class(data)
    if form.is_valid():
        return form.cleaned_data
    if form.has_error("message", "null_characters_not_allowed"):
        raise InvalidInput("The text holds a character (NUL) that cannot be stored. Remove it.")
    raise InvalidInput("This request could not be read. Reload the page; your text is kept.")


def _json_object(request: HttpRequest) -> dict[str, str]:
    try:
        data = json.loads(request.body)
        json.dumps(data, ensure_ascii=False).encode()  # half a surrogate pair cannot be stored
    except (ValueError, RecursionError):
        raise InvalidInput("This request is not valid JSON.") from None
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        raise InvalidInput("This request must be one flat JSON object of texts.")
    return data
