"""The export of the audit log over real HTTP, where nothing but its own scope lets it read."""

import json
from urllib.request import Request, urlopen

from django.test import Client

from tenants.models import Membership
from tenants.services import record
from tests.stack import Stack
from tests.tenants.auditing import LIST


def test_an_export_over_http_is_complete_and_only_of_its_tenant(
    stack: Stack, owner: Membership, outsider: Membership
) -> None:
    for number in range(2500):
        record("thing.done", tenant=owner.tenant, number=number)
    record("other.done", tenant=outsider.tenant)
    client = Client()
    client.force_login(owner.user)
    cookie = f"sessionid={client.cookies['sessionid'].value}"

    asked = Request(f"{stack.url}{LIST}export/jsonl/", headers={"Cookie": cookie})
    with urlopen(asked, timeout=60) as answer:
        events = [json.loads(line) for line in answer.read().decode().splitlines()]

    assert {event["tenant"] for event in events} == {"acme"}
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert len(events) > 2500
    assert {"thing.done", "person.signed-in"} <= {event["action"] for event in events}
