"""The table that ``manage.py up`` ends with: where to go, as whom, and how to stop."""

from collections.abc import Sequence

from portal.embedded.console import Console
from portal.embedded.plan import Plan
from portal.embedded.steps import Account


def print_report(plan: Plan, console: Console, accounts: Sequence[Account], seconds: float) -> None:
    """Address, accounts, logs, and how to stop."""
    console.say(f"\nAtrium runs; ready after {seconds:.1f} seconds.\n")
    rows = [("Open", plan.public_url)]
    if plan.model is not None:
        rows.append(("Model", "a small demo model on this machine; it is often wrong about facts"))
    rows.append(("Logs", f"{_short(plan, str(plan.logs))}/*.log"))
    rows.append(("Commands", "in another shell: .venv/bin/python manage.py help"))
    rows.append(("Stop", "Ctrl-C; the data stays in var/"))
    console.table(rows)
    if accounts:
        console.say("\nDemo accounts:\n")
        console.table([("e-mail", "password", "who"), *(_row(account) for account in accounts)])
    console.say("")


def _row(account: Account) -> tuple[str, str, str]:
    places = f" of {' and '.join(account['tenants'])}" if account["tenants"] else ""
    return account["email"], account["password"], f"{account['name']}, {account['role']}{places}"


def _short(plan: Plan, path: str) -> str:
    return path.removeprefix(f"{plan.base}/")
