"""`manage.py create_demo`."""

import json
import urllib.error
import urllib.request
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import CommandError

from portal import demo
from portal.embedded.private_files import read_record, write_record
from tenants.management.scoped import PlatformCommand

_ANSWER_SECONDS = 10
_LARGEST_ANSWER = 4 * 1024 * 1024
# Where the endpoint does not say: small enough for any model.
_CONTEXT_WINDOW = 2048
_TINY = "smollm2-135m"


class Command(PlatformCommand):
    """Makes two demo tenants, their people, and a deployment of the configured model."""

    help = (
        "Create the demo: the tenants Northwind and Harbour with an owner, a manager and members"
        " each, one person in both, a platform administrator, and a deployment of the model that"
        " OPENAI_BASE_URL or AZURE_OPENAI_ENDPOINT names. Prints the accounts as JSON. Safe to"
        " repeat: what exists is kept, and the passwords are read from the accounts file again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where the passwords are kept, and the model."""
        parser.add_argument(
            "--accounts",
            type=Path,
            required=True,
            metavar="PATH",
            help="JSON file of the accounts' passwords, readable by its owner only",
        )
        parser.add_argument(
            "--model",
            default=settings.DEMO_MODEL,
            help="name of the model in a call (default: DEMO_MODEL, else the only one offered)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Look at the endpoint first, so that nothing is written for one that does not answer."""
        offer = _find_model(options["model"])
        kept = _kept_passwords(options["accounts"])
        missing = [person.email for person in demo.PEOPLE if person.email not in kept]
        passwords = {**{email: demo.new_password() for email in missing}, **kept}
        demo.create(offer, passwords=passwords, reset=missing)
        if missing:
            _keep_passwords(options["accounts"], passwords)
        accounts = [
            {
                "email": person.email,
                "password": passwords[person.email],
                "name": person.name,
                "role": person.role,
                "tenants": list(person.tenants),
            }
            for person in demo.PEOPLE
        ]
        self.stdout.write(json.dumps({"accounts": accounts}, indent=2))


# ── Passwords ──────────────────────────────────────────────────────────────────────────────────
def _kept_passwords(path: Path) -> dict[str, str]:
    try:
        return read_record(path)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, AttributeError):
        raise CommandError(f"{path} is no accounts file. Move it away.") from None


def _keep_passwords(path: Path, passwords: dict[str, str]) -> None:
    try:
        write_record(path, passwords)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from None


# ── The model ──────────────────────────────────────────────────────────────────────────────────
def _find_model(name: str) -> demo.ModelOffer:
    if settings.OPENAI_BASE_URL:
        return _offer(_pick(_list_models(), name))
    if not settings.AZURE_OPENAI_ENDPOINT:
        raise CommandError("Set OPENAI_BASE_URL or AZURE_OPENAI_ENDPOINT: the demo needs a model.")
    if not name:
        raise CommandError("Say --model (or set DEMO_MODEL): the name of your Azure deployment.")
    return demo.ModelOffer("azure", name, name, "", _CONTEXT_WINDOW)


def _list_models() -> list[dict[str, Any]]:
    """What the endpoint offers, by the protocol's `GET /models`."""
    base = settings.OPENAI_BASE_URL
    where = f"The model endpoint ({urlsplit(base).hostname})"
    request = urllib.request.Request(base.rstrip("/") + "/models")  # noqa: S310  # checked in settings
    if settings.OPENAI_API_KEY:
        request.add_header("Authorization", f"Bearer {settings.OPENAI_API_KEY}")
    try:
        with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310  # as above
            models: list[dict[str, Any]] = json.loads(answer.read(_LARGEST_ANSWER))["data"]
            return [model for model in models if str(model["id"])]
    except urllib.error.HTTPError as error:
        error.close()
        raise CommandError(f"{where} refuses to list its models ({error.code}).") from None
    except OSError as error:
        raise CommandError(f"{where} does not answer: {_reason(error)}.") from None
    except (ValueError, KeyError, TypeError):
        raise CommandError(f"{where} does not list its models as OpenAI's do.") from None


def _reason(error: OSError) -> str:
    cause = getattr(error, "reason", None) or error
    return str(getattr(cause, "strerror", None) or cause)


def _pick(models: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The model of this name, or else the only one there is."""
    if name:
        return next((model for model in models if model["id"] == name), {"id": name})
    if len(models) == 1:
        return models[0]
    raise CommandError(
        f"The model endpoint offers {len(models)} models."
        " Say which to use with --model or DEMO_MODEL."
    )


def _offer(model: dict[str, Any]) -> demo.ModelOffer:
    name, window = str(model["id"]), _context_window(model)
    if not name.lower().startswith(_TINY):
        return demo.ModelOffer("openai", name, name[:80], "", window)
    return demo.ModelOffer(
        "openai",
        name,
        "Demo model (SmolLM2 135M)",
        "A tiny model to try the portal with. It is often wrong: believe nothing it says.",
        window,
    )


def _context_window(model: dict[str, Any]) -> int:
    """Tokens of prompt and reply, where the server tells (llama.cpp, vLLM)."""
    meta = model.get("meta")
    told = (meta.get("n_ctx") if isinstance(meta, dict) else None) or model.get("max_model_len")
    return told if isinstance(told, int) and told >= 256 else _CONTEXT_WINDOW
