"""Pauses in the admin: shown with the deployment, and ended by hand."""

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timeuntil
from django.utils.timezone import localtime
from unfold.decorators import action, display

from chat.generation import pausing
from chat.models import Deployment, Pause
from tenants.admin.base import record_change

_REASONS = {
    "rate_limited": "the provider refuses further calls",
    "unavailable": "the provider is not available",
    "timeout": "the provider falls silent",
}


class Pausable:
    """Of the catalogue's admin: whether a model is paused, and a way to try it again now."""

    actions = ("try_again",)
    actions_submit_line = ("try_this_again",)

    @admin.action(description="Try again now", permissions=["change"])
    def try_again(self, request: HttpRequest, rows: models.QuerySet[Deployment]) -> None:
        """End the wait of those that are paused."""
        ended = [deployment for deployment in rows if _end_wait(request, deployment)]
        if ended:
            names = ", ".join(deployment.label for deployment in ended)
            messages.success(request, f"The next message tries again: {names}.")
        else:
            messages.info(request, "None of these waits for the end of a pause.")

    @action(description="Try again now", permissions=["try_again"])  # type: ignore[untyped-decorator]  # as above
    def try_this_again(self, request: HttpRequest, deployment: Deployment) -> None:
        """The same from the page of the one model."""
        self.try_again(request, Deployment.objects.filter(pk=deployment.pk))

    def response_change(self, request: HttpRequest, deployment: Deployment) -> HttpResponse:
        """Do what the button in the form's last line says."""
        for button in self.get_actions_submit_line(request, deployment.pk):  # type: ignore[attr-defined]  # as below
            if button.action_name in request.POST:
                button.method(request, deployment)
        return super().response_change(request, deployment)  # type: ignore[misc,no-any-return]  # as below

    def has_try_again_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may change the model, while it waits for the end of a pause."""
        if not self.has_change_permission(request):  # type: ignore[attr-defined]  # a mixin
            return False
        # Without an id it is asked once more for the button that has been pressed.
        waiting = Pause.objects.filter(until__gt=timezone.now())
        return object_id is None or waiting.filter(deployment=object_id).exists()

    @display(description="Pause", label={"paused": "warning", "tried": "info"})  # type: ignore[untyped-decorator]  # as above
    def shown_pause(self, deployment: Deployment) -> Any:
        """The pause in short, as a coloured label."""
        pause = _pause_of(deployment)
        if pause is None:
            return None
        if pause.until > timezone.now():
            return "paused", timeuntil(pause.until, depth=1)
        return "tried", "To be tried"

    @admin.display(description="Pause")
    def told_pause(self, deployment: Deployment) -> str:
        """The pause in full."""
        pause = _pause_of(deployment)
        return _tell(pause) if pause else "It is not paused."


def _end_wait(request: HttpRequest, deployment: Deployment) -> bool:
    pause = pausing.end_wait(deployment)
    if pause:
        until = pause.until.isoformat(timespec="seconds")
        record_change(request, "pause-ended", deployment, reason=pause.reason, until=until)
    return pause is not None


def _pause_of(deployment: Deployment) -> Pause | None:
    return getattr(deployment, "pause", None)


def _tell(pause: Pause) -> str:
    began, until = (date_format(localtime(at), "H:i:s") for at in (pause.began_at, pause.until))
    reason = _REASONS.get(pause.reason, pause.reason)
    times = "once" if pause.failures == 1 else f"{pause.failures} times in a row"
    if pause.until > timezone.now():
        whose = "as the provider asks" if pause.is_asked else "by our own guess"
        then = f"Nobody calls it until {until}, {whose}; then one message tries it."
    elif pause.probe_id:
        then = "One message tries it just now."
    else:
        then = "The next message tries it."
    return f"Since {began}, {reason} ({times}). {then}"
