"""Pauses in the admin: shown with their deployment, and ended by hand."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from chat.models import Deployment, Pause
from tenants.models import AuditEvent
from tests.admin import administrator, as_admin, change
from tests.chat.test_admin import list_of, page_of

__all__ = ["administrator", "as_admin"]  # fixtures


@pytest.fixture
def pause(deployment: Deployment) -> Pause:
    """The small model's, for another half an hour."""
    until = timezone.now() + timedelta(minutes=30, seconds=5)
    return Pause.objects.create(
        deployment=deployment, reason="rate_limited", until=until, is_asked=True, failures=3
    )


def test_a_pause_is_shown_in_the_list_and_on_the_models_page(
    as_admin: Client, pause: Pause
) -> None:
    listed = as_admin.get(list_of("deployment")).content.decode()
    page = as_admin.get(page_of(pause.deployment)).content.decode()

    assert "30\xa0minutes" in listed
    assert "the provider refuses further calls (3 times in a row)" in page
    assert "as the provider asks; then one message tries it." in page
    assert "Try again now" in page


def test_what_is_not_paused_is_shown_as_such(as_admin: Client, deployment: Deployment) -> None:
    page = as_admin.get(page_of(deployment)).content.decode()

    assert "It is not paused." in page
    assert "Try again now" not in page


@pytest.mark.parametrize("where", ["list", "page"])
def test_an_administrator_ends_the_wait_and_it_is_written_down(
    as_admin: Client, pause: Pause, where: str
) -> None:
    if where == "list":
        chosen = {"action": "try_again", "_selected_action": str(pause.pk)}
        answer = as_admin.post(list_of("deployment"), chosen, follow=True)
    else:
        change(as_admin, pause.deployment, chat_deployment_try_this_again="on")
        answer = as_admin.get(page_of(pause.deployment))

    before = pause.until
    pause.refresh_from_db()
    assert pause.until <= timezone.now()
    assert "The next message tries again: Small model." in answer.content.decode()
    event = AuditEvent.objects.get(action="deployment.pause-ended")
    assert event.detail == {
        "reason": "rate_limited",
        "until": before.isoformat(timespec="seconds"),
    }


def test_ending_a_wait_that_is_over_changes_and_records_nothing(
    as_admin: Client, deployment: Deployment
) -> None:
    chosen = {"action": "try_again", "_selected_action": str(deployment.pk)}

    answer = as_admin.post(list_of("deployment"), chosen, follow=True)

    assert "None of these waits" in answer.content.decode()
    assert not AuditEvent.objects.filter(action="deployment.pause-ended").exists()
