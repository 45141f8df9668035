"""What a deployment needs once before it can be used: roles, tables, catalogue, first people.

Each step looks at what is there and adds what is missing, so all of it can be run at every release.
Nothing that an administrator has changed since is changed back.
"""

from collections.abc import Callable

from django.core.management import call_command
from django.db import connections

from portal.bootstrap.plan import (
    BootstrapError,
    FirstTenant,
    Plan,
    catalogue_entry,
    read_deployments,
    read_plan,
    read_tenant,
)
from portal.bootstrap.roles import administrator, make_roles
from portal.bootstrap.steps import add_models, add_people
from portal.owner import as_owner
from tenants.scope import platform_scope

__all__ = [
    "BootstrapError",
    "FirstTenant",
    "Plan",
    "catalogue_entry",
    "read_deployments",
    "read_plan",
    "read_tenant",
    "run",
]

Say = Callable[[str], None]


def run(plan: Plan, *, say: Say) -> None:
    """Do everything that is missing, telling of each step. Raises BootstrapError or CommandError.

    Waits for whoever does the same at the moment.
    """
    with administrator() as connection:
        say(make_roles(connection, plan))
        call_command("migrate", interactive=False, verbosity=0)
        say("Tables: up to date")
        # As the owner: this process may have no identity that is the application's role.
        with as_owner(connections["default"]):
            for step in (add_models, add_people):
                with platform_scope("manage.py bootstrap"):
                    done = step(plan)
                say(done)
