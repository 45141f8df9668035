"""The cast, and the parts that several tests use.

alice owns the tenant, bob is a member, carol his colleague; oscar belongs to another tenant, and
nora to none.
"""

import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.utils import timezone

from chat import services
from chat.models import Conversation, Deployment, DeploymentGrant, Generation, Message
from tenants.models import Membership, Tenant, User
from tenants.services import create_member, create_tenant
from tests import servers
from tests.client import PortalClient
from tests.emptying import instead_of_flush
from tests.portal.two_tenants import standing_world
from tests.stack import Stack, wait_until
from tests.upstream import Upstream

__all__ = ["standing_world"]  # a fixture that others need where a file has `world`

PASSWORD = "correct horse battery staple"
Queue = Callable[..., Generation]


@pytest.fixture(scope="session")
def django_db_modify_db_settings_xdist_suffix() -> None:
    """No other name for the database: each test process has a server of its own."""


@pytest.fixture(scope="session", autouse=True)
def emptying() -> None:
    """After each test whose transactions are real."""
    instead_of_flush()


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    """What pages name; another process may have collected them for this one."""
    if not servers.ready:
        servers.collect_static_files()


@pytest.fixture(scope="session")
def _upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


@pytest.fixture
def upstream(_upstream: Upstream) -> Upstream:
    """The model provider; says "Hello from the model." unless it is told otherwise."""
    _upstream.reset()
    return _upstream


@pytest.fixture
def tenant(db: None) -> Tenant:
    """The organisation that the tests are about."""
    return create_tenant(slug="acme", name="Acme", generates_titles=False)


@pytest.fixture
def other_tenant(db: None) -> Tenant:
    """Another organisation on the same portal."""
    return create_tenant(slug="globex", name="Globex", generates_titles=False)


@cache
def _hash() -> str:
    """Made once: a good hash is slow on purpose."""
    return make_password(PASSWORD)


def _join(tenant: Tenant, name: str, role: str = "member") -> Membership:
    email = f"{name}@example.org"
    membership = create_member(tenant=tenant, email=email, role=role, name=name.title())
    membership.user.password = _hash()
    membership.user.save(update_fields=["password"])
    return membership


@pytest.fixture
def owner(tenant: Tenant) -> Membership:
    """alice, who owns the tenant."""
    return _join(tenant, "alice", "owner")


@pytest.fixture
def member(tenant: Tenant) -> Membership:
    """bob, who is a member."""
    return _join(tenant, "bob")


@pytest.fixture
def colleague(tenant: Tenant) -> Membership:
    """carol, another member of the tenant."""
    return _join(tenant, "carol")


@pytest.fixture
def outsider(other_tenant: Tenant) -> Membership:
    """oscar, who owns the other tenant."""
    return _join(other_tenant, "oscar", "owner")


@pytest.fixture
def nobody(db: None) -> User:
    """nora, who has an account and no tenant."""
    return User.objects.create_user("nora@example.org")


@pytest.fixture
def deployment(tenant: Tenant, upstream: Upstream) -> Deployment:
    """A model on the tests' provider, granted to the tenant as its default."""
    deployment = Deployment.objects.create(
        name="small",
        label="Small model",
        kind=Deployment.Kind.OPENAI,
        endpoint=upstream.base_url,
        model="small-1",
        context_window=8192,
        input_price=Decimal("0.5"),
        output_price=Decimal(2),
    )
    DeploymentGrant.objects.create(tenant=tenant, deployment=deployment, is_default=True)
    return deployment


@pytest.fixture
def conversation(member: Membership, deployment: Deployment) -> Conversation:
    """bob's conversation, whose first message waits for a worker."""
    return services.start_conversation(actor=member, text="Good morning", request_id=uuid.uuid4())


@pytest.fixture
def queue(deployment: Deployment) -> Queue:
    """Puts a generation of this member into the queue, in a conversation of its own."""

    def queue(member: Membership, **fields: object) -> Generation:
        conversation = Conversation.objects.create(
            tenant=member.tenant,
            owner=member.user,
            title="Question",
            deployment=deployment,
            request_id=uuid.uuid4(),
            active_at=timezone.now(),
        )
        prompt = Message.objects.create(
            tenant=member.tenant, conversation=conversation, role="user", content="?"
        )
        return Generation.objects.create(
            tenant=member.tenant,
            conversation=conversation,
            user=member.user,
            deployment=deployment,
            prompt=prompt,
            request_id=uuid.uuid4(),
            **fields,
        )

    return queue


@pytest.fixture
def client() -> Client:
    """A browser in which nobody is signed in."""
    return PortalClient()


@pytest.fixture
def as_member(client: Client, member: Membership) -> Client:
    """A browser in which bob is signed in."""
    client.force_login(member.user)
    return client


@pytest.fixture(scope="session")
def _stack(
    django_db_setup: None, static_files: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


def _end_all_answers() -> None:
    for generation in Generation.objects.live():
        services.stop_generation(generation=generation)
    wait_until(lambda: not Generation.objects.live().exists(), what="the end of all answers")


@pytest.fixture
def stack(_stack: Stack, transactional_db: None) -> Iterator[Stack]:
    """The running portal; a test may kill its processes."""
    yield _stack
    _stack.restore()
    _end_all_answers()  # or a worker would write into the tables of the next test


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that need the running portal come last: its worker must not meet others' rows.

    By file, because that is what several test processes share out among themselves.
    """
    late = {item.path for item in items if "_stack" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: item.path in late)
