"""What `manage.py bootstrap` is told to do, and by whom it acts."""

import json

import pytest
from pytest_django.fixtures import Settings

from portal.bootstrap import BootstrapError, read_plan
from portal.bootstrap.roles import administrator
from portal.databases import NoConnectionError
from tests import servers


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ({"first_tenant": {"a": "=b"}}, "BOOTSTRAP: first_tenant must be a text"),
        ({"administrator": ["admin@acme.example"]}, "BOOTSTRAP: administrator must be a text"),
        ({"application_object_id": 1}, "BOOTSTRAP: application_object_id must be a text"),
        ({"deployments": ""}, "must be a list of objects"),
        ({"deployments": [{"name": {"a": 1}}]}, "A model: name must be a text"),
        ({"deployments": [{"name": "a", "label": 1}]}, "A model: label must be a text"),
        (
            {"deployments": [{"name": "gpt-5.4"}, {"name": "GPT-5-4"}]},
            "Two models would be called gpt-5-4 in the catalogue",
        ),
    ],
)
def test_a_plan_of_other_types_is_refused(plan: dict[str, object], expected: str) -> None:
    with pytest.raises(BootstrapError, match=expected):
        read_plan(json.dumps(plan))


def test_an_empty_plan_is_one() -> None:
    assert read_plan("").tenant is None
    with pytest.raises(BootstrapError):
        read_plan("nonsense")


def test_what_fails_later_is_no_fault_of_the_administrators_address(
    settings: Settings,
) -> None:
    settings.DATABASE_ADMIN_SECRET_URL = servers.postgres.superuser_url

    with pytest.raises(NoConnectionError, match=r"^elsewhere$"), administrator():
        raise NoConnectionError("elsewhere")
