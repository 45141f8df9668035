"""The admin's start page: figures and concerns of the tenants whose reports the person may see."""

import re
import uuid
from datetime import timedelta
from html import unescape
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from chat.models import Deployment, Generation
from tenants.models import Invitation, Membership, Tenant
from tests.admin import administrator, as_admin
from tests.client import PortalClient
from tests.conftest import Queue

__all__ = ["administrator", "as_admin"]  # fixtures

HOSTILE = '<img src=x onerror="alert(1)">'
# Sign-in, scopes, what a person may do and the lists below; the reports take eight of them.
MOST_QUERIES = 24


@pytest.fixture
def as_owner(owner: Membership) -> Client:
    """A browser in which alice is signed in."""
    return signed_in(owner)


def signed_in(membership: Membership) -> Client:
    """A browser in which this person is signed in."""
    client = PortalClient()
    client.force_login(membership.user)
    return client


def answered(queue: Queue, member: Membership) -> Generation:
    """A generation that waited two seconds, and began to answer after three."""
    now = timezone.now()
    return queue(
        member,
        status="completed",
        queued_at=now,
        started_at=now + timedelta(seconds=2),
        first_token_at=now + timedelta(seconds=3),
        ended_at=now + timedelta(seconds=4),
    )


def failed(queue: Queue, member: Membership, code: str) -> Generation:
    """A generation that has just failed."""
    return queue(member, status="failed", error_code=code, ended_at=timezone.now())


def invite(tenant: Tenant) -> None:
    """Somebody who has not answered yet."""
    Invitation.objects.create(tenant=tenant, email="new@example.org", token_hash=uuid.uuid4().hex)


def figures(response: Any) -> dict[str, str]:
    """The chief figure of each chart."""
    return {name: chart.words.figure for name, chart in response.context["charts"].items()}


def concerns(response: Any) -> list[int]:
    """Failed generations, refusing deployments, open invitations."""
    return [concern.number for concern in response.context["concerns"]]


def test_an_administrator_sees_the_figures_of_all_tenants(
    as_admin: Client, queue: Queue, member: Membership, outsider: Membership
) -> None:
    for who in (member, outsider):
        answered(queue, who)

    page = as_admin.get("/admin/")

    assert figures(page) == {
        "messages": "2",
        "members": "2",
        "end-states": "2",
        "queue-wait": "2.00 s",
        "first-token": "3.00 s",
    }
    assert page.context["report_scope"] == "All tenants"
    assert page.content.decode().count("<svg class=") >= 5


def test_an_owner_sees_the_figures_of_their_own_tenant(
    as_owner: Client, queue: Queue, member: Membership, outsider: Membership
) -> None:
    answered(queue, member)
    failed(queue, outsider, "timeout")
    invite(outsider.tenant)

    page = as_owner.get("/admin/")

    assert figures(page)["messages"] == figures(page)["end-states"] == "1"
    assert concerns(page) == [0, 0, 0]
    assert page.context["report_scope"] == "Acme"


def test_a_manager_sees_them_unless_they_are_for_owners(
    as_owner: Client, owner: Membership, queue: Queue, member: Membership
) -> None:
    answered(queue, member)
    Membership.objects.filter(pk=owner.pk).update(role=Membership.Role.MANAGER)
    assert figures(as_owner.get("/admin/"))["messages"] == "1"

    Tenant.objects.filter(pk=owner.tenant_id).update(reports_for=Tenant.ReportReaders.OWNER)
    page = as_owner.get("/admin/")

    assert page.status_code == HTTPStatus.OK
    assert "charts" not in page.context
    assert "concerns" not in page.context
    assert 'class="report' not in page.content.decode()
    assert page.context["app_list"]


def test_of_two_tenants_only_those_count_whose_reports_the_person_may_see(
    owner: Membership, other_tenant: Tenant, outsider: Membership, queue: Queue
) -> None:
    Membership.objects.create(user=owner.user, tenant=other_tenant, role="manager")
    answered(queue, outsider)
    client = signed_in(owner)
    assert figures(client.get("/admin/"))["messages"] == "1"

    Tenant.objects.filter(pk=other_tenant.pk).update(reports_for=Tenant.ReportReaders.OWNER)
    page = client.get("/admin/")

    assert figures(page)["messages"] == "0"
    assert page.context["report_scope"] == "Acme"


def test_what_needs_attention_is_said_in_words_with_its_code(
    as_admin: Client, queue: Queue, member: Membership, tenant: Tenant
) -> None:
    failed(queue, member, "rate_limited")
    failed(queue, member, "brand_new")
    invite(tenant)

    page = as_admin.get("/admin/")

    assert concerns(page) == [2, 1, 1]
    for words in (
        "The provider&#x27;s limit was reached",
        "<code>rate_limited</code>",
        "Another reason",
        "<code>brand_new</code>",
        "Small model",
    ):
        assert words in page.content.decode()


def test_every_link_of_a_concern_leads_to_what_it_counts(
    as_admin: Client, queue: Queue, member: Membership, tenant: Tenant
) -> None:
    failure = failed(queue, member, "timeout")
    failed(queue, member, "internal")
    long_ago = timezone.now() - timedelta(days=2)
    queue(member, status="failed", error_code="timeout", queued_at=long_ago, ended_at=long_ago)
    invite(tenant)
    failures, refusals, invitations = as_admin.get("/admin/").context["concerns"]

    listed = as_admin.get(next(i.link for i in failures.items if i.code == "timeout"))
    links = [item.link for item in refusals.items] + [invitations.link]

    assert [row.pk for row in listed.context["cl"].result_list] == [failure.pk]
    assert all(as_admin.get(link).status_code == HTTPStatus.OK for link in links if link)


def test_without_anything_to_tell_each_part_says_so(as_admin: Client) -> None:
    page = as_admin.get("/admin/").content.decode()

    for words in (
        "None in the last 24 hours",
        "None in the last 60 minutes",
        "None waits for an answer",
        "No messages in the last 30 days.",
        "Nobody sent a message in the last 30 days.",
        "No generation has ended in the last 30 days.",
        "No worker took a generation in the last 30 days.",
        "No answer began in the last 30 days.",
    ):
        assert words in page
    assert "chart-drawing" not in page


def test_pictures_and_tables_of_the_page_have_the_same_figures(
    as_admin: Client, queue: Queue, member: Membership
) -> None:
    answered(queue, member)

    page = as_admin.get("/admin/").content.decode()

    pictures = [unescape(title) for title in re.findall(r"<title>([^<]+)</title></rect>", page)]
    today = f"{timezone.localdate():%a} {timezone.localdate().day} {timezone.localdate():%b}"
    said = [title for title in pictures if title.startswith(today)]
    assert said == [
        f"{today}\nMessages per day: 1",
        f"{today}\nActive members per day: 1",
        f"{today}\np50 (half): 2.00 s\np95 (19 in 20): 2.00 s",
        f"{today}\np50 (half): 3.00 s\np95 (19 in 20): 3.00 s",
    ]
    row = rf'<th scope="row">{today}</th>((?:<td>[^<]+</td>)+)'
    assert [re.findall(r"<td>([^<]+)", cells) for cells in re.findall(row, page)] == [
        ["1"], ["1"], ["2.00 s", "2.00 s"], ["3.00 s", "3.00 s"],
    ]  # fmt: skip


def test_names_that_tenants_and_deployments_have_are_inert(
    as_admin: Client, owner: Membership, queue: Queue, deployment: Deployment
) -> None:
    Tenant.objects.update(name=HOSTILE)
    Deployment.objects.update(label=HOSTILE)
    failed(queue, owner, "unauthorised")

    for client in (as_admin, signed_in(owner)):
        page = client.get("/admin/").content.decode()
        assert "<img src=x" not in page
        assert "&lt;img src=x" in page


def test_the_page_asks_the_database_as_often_for_much_as_for_little(
    as_admin: Client,
    queue: Queue,
    member: Membership,
    colleague: Membership,
    outsider: Membership,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_max_num_queries(MOST_QUERIES):
        as_admin.get("/admin/")
    for who in (member, colleague, outsider):
        answered(queue, who)
        failed(queue, who, "timeout")
    for tenant in Tenant.objects.all():
        invite(tenant)

    with django_assert_max_num_queries(MOST_QUERIES):
        as_admin.get("/admin/")
