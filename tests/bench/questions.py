"""The questions whose plans matter, asked of a crowd (tests/bench/crowd.py) in their scopes.

`python -m tests.bench.questions ADDRESS` asks them all, with policies and without, which the owner
at this address switches off and on.
"""

import os
import sys
from collections.abc import Callable
from http import HTTPStatus

import django
import psycopg

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()

from django.test import Client
from django.urls import reverse

from chat.generation.claiming import claim_next
from chat.models import Conversation, Generation
from chat.services import read_turns
from tenants.models import Membership, User
from tenants.scope import platform_scope, tenant_scope
from tests.bench.crowd import id_of
from tests.bench.explaining import Plan, plans_of
from tests.bench.switch import without_policies

_RUNS = 5
TENANT, PERSON, CONVERSATION = id_of("tenant", 7), id_of("person", 7), id_of("conversation", 7)


def list_conversations() -> object:
    """The sidebar of a member."""
    member = Membership(tenant_id=TENANT, user_id=PERSON)
    with tenant_scope(TENANT):
        return Conversation.objects.visible_to(member).page()


def read_conversation() -> object:
    """All that is said in a conversation."""
    with tenant_scope(TENANT):
        return read_turns(Conversation.objects.get(pk=CONVERSATION))


def claim() -> object:
    """Whose turn it is, and the claim of one generation."""
    generation = claim_next()
    assert generation is not None
    with platform_scope("back into the queue"):
        Generation.objects.filter(pk=generation.pk).update(status="queued")
    return generation


def list_as_owner() -> object:
    """The list of conversations in the admin, for somebody who runs one tenant."""
    return _list_in_admin(User.objects.get(pk=PERSON))


def list_as_administrator() -> object:
    """The same list for somebody who sees all tenants."""
    return _list_in_admin(User.objects.get(is_superuser=True))


def _list_in_admin(user: User) -> object:
    browser = Client(headers={"Host": "127.0.0.1"})
    browser.force_login(user)
    response = browser.get(reverse("admin:chat_conversation_changelist"))
    assert response.status_code == HTTPStatus.OK
    return response


QUESTIONS: dict[str, Callable[[], object]] = {
    "list of conversations": list_conversations,
    "conversation": read_conversation,
    "claim": claim,
    "admin list, owner": list_as_owner,
    "admin list, administrator": list_as_administrator,
}


def best_plans(ask: Callable[[], object]) -> list[Plan]:
    """The plan of each statement, as it was carried out fastest."""
    runs = [plans_of(ask) for _ in range(_RUNS)]
    return [min(each, key=lambda plan: plan.milliseconds) for each in zip(*runs, strict=True)]


def print_plans(address: str) -> None:
    """Each statement of each question: the times, and the plan with policies."""
    with psycopg.connect(address, autocommit=True) as owner:
        for name, ask in QUESTIONS.items():
            found = best_plans(ask)
            with without_policies(owner):
                bare = best_plans(ask)
            for plan, other in zip(found, bare, strict=True):
                print(f"\n## {name}: {plan.milliseconds:.2f} ms, {other.milliseconds:.2f} without")
                print("\n".join([" ".join(plan.statement.split())[:300], *plan.lines]))


if __name__ == "__main__":
    print_plans(*sys.argv[1:])
