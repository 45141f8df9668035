"""`manage.py check_stream`, as an operator runs it."""

import io
import json
import re
import socket
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings

from chat.models import Conversation, Deployment
from portal.embedded.ports import free_port
from tenants.models import Membership
from tests.cloud.certificates import Authority
from tests.conftest import PASSWORD
from tests.portal.streamcheck.impostors import BLOCKED, Said, Script, impostor, portal
from tests.stack import Stack
from tests.upstream import Reply, Upstream

ATTACKS = ["--only", "attacks", "--pace", "0"]
SHORT = ["--only", "stream", "--seconds", "1"]


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit status, output and what was told meanwhile."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("check_stream", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        return error.returncode, out.getvalue(), str(error)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


# ── The portal itself ──────────────────────────────────────────────────────────────────────────
def test_a_stream_that_flows(stack: Stack) -> None:
    status, out, told = run(stack.url, *SHORT)

    assert status == 0
    assert "one by one" in out
    assert out.rstrip().endswith("Everything is as it should be.")
    assert told == f"Reading {stack.url}/streamz for 1 s ...\n"


def test_the_same_for_machines(stack: Stack) -> None:
    status, out, _ = run(stack.url, *SHORT, "--json")

    found = json.loads(out)
    assert (status, found["ok"], found["url"]) == (0, True, stack.url)
    assert found["stream"]["numbers"]["events"] == 4
    assert found["prompts"] is found["attacks"] is found["answer"] is None


def test_attacks_reach_a_portal_without_a_firewall(stack: Stack) -> None:
    status, out, told = run(stack.url, *ATTACKS)

    assert status == 1
    assert "FAILED  queries          0 of" in out
    assert "its policy is in Detection mode" in out
    assert "Attacks: 100 of" in told


def test_one_real_answer_is_measured_and_leaves_nothing(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    upstream.next(Reply("One two three", first_token_seconds=0.5, tokens_per_second=10))
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))

    status, out, _ = run(stack.url, *SHORT, "--email", member.user.email)

    assert (status, "first words" in out) == (0, True)
    assert upstream.requests[0].prompt == "Count from one to twenty in words."
    assert not Conversation.objects.exists()


def test_a_wrong_password_is_told(
    stack: Stack, member: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("wrong\n"))

    status, _, error = run(stack.url, *SHORT, "--email", member.user.email)

    assert status == 2
    assert error.startswith(f"{member.user.email} cannot sign in")


def test_another_secret_key_is_told(stack: Stack) -> None:
    with override_settings(SECRET_KEY="another one"):  # no secret
        status, _, error = run(stack.url, *SHORT)

    assert status == 2
    assert "/streamz answered 404. The portal does not accept this command's token." in error


# ── What else may be there ─────────────────────────────────────────────────────────────────────
def answering(said: Said) -> Script:
    return lambda _path, _body: said


def a_page(title: str) -> Said:
    return Said(200, f"<html><title> {title}\n</title></html>".encode(), as_portal=False)


ELSEWHERE = (("Location", "https://login.example.com/start"),)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (answering(a_page("Welcome to nginx!")), "no Atrium at .*answers 200 .“Welcome to nginx!”"),
        (answering(Said(302, headers=ELSEWHERE, as_portal=False)), "redirects to https://login"),
        (answering(Said(502, as_portal=False)), "answers 502: no portal is healthy behind it"),
        (answering(BLOCKED), "refuses this machine .403. before the portal is asked"),
        (answering(Said(404, as_portal=False)), "There is no Atrium at .*: it answers 404.$"),
        (lambda path, _: portal(path)._replace(as_portal=False), "carry no X-Request-Id"),
        (
            lambda path, _: Said(400) if path == "/accounts/login/" else portal(path),
            "does not know the host name 127.0.0.1",
        ),
    ],
)
def test_what_is_there_instead_is_told(script: Script, expected: str) -> None:
    with impostor(script) as url:
        status, out, error = run(url)

    assert (status, out) == (2, "")
    assert re.search(expected, error), error


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["chat.example.com"], "is no address like https://chat.example.com"),
        (["ftp://chat.example.com"], "is no address like"),
        (["https://chat.example.com/acme/"], "Give scheme and host alone"),
        (["https://chat.example.com:port"], "is no address like"),
        (["https://chat.example.com", "--ca", "/none.pem"], "/none.pem holds no certificates"),
        (["http://127.0.0.1", "--seconds", "0"], "--seconds must be from 1 to 900"),
        (["http://127.0.0.1", "--pace", "-1"], "must not be negative"),
        ([f"http://127.0.0.1:{free_port(28_900)}"], "Connection refused"),
        ([f"https://{'a' * 64}.example.com"], "is no address like"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_told(arguments: list[str], expected: str) -> None:
    status, out, error = run(*arguments)

    assert (status, out) == (2, "")
    assert expected in error


def test_a_name_that_is_not_known_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    status, _, error = run("https://chat.example.com")

    assert status == 2
    assert "cannot be resolved here: Name or service not known" in error


def test_a_private_authority_is_named_with_ca(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = authority.issue("127.0.0.1").context()
    with impostor(context=context) as url:
        refused = run(url, *SHORT)
        taken = run(url, *SHORT, "--ca", str(authority.path))
        ignored = run(url, *SHORT, "--insecure")

    assert refused[0] == 2
    assert "is not accepted" in refused[2]
    assert "--ca FILE" in refused[2]
    assert "/streamz answered 404" in taken[2]
    assert "/streamz answered 404" in ignored[2]


def test_a_server_without_tls_is_told() -> None:
    with impostor() as url:
        status, _, error = run(url.replace("http:", "https:"))

    assert status == 2
    assert "does not speak TLS" in error


def test_a_dry_run_says_what_would_be_sent_and_sends_nothing() -> None:
    asked: list[str] = []

    def note(path: str, body: bytes) -> Said:
        asked.append(path)
        return portal(path)

    with impostor(note) as url:
        status, out, _ = run(url, "--dry-run", "--email", "bob@example.org")

    assert (status, asked) == (0, [])
    assert out.count("Would ") == 4
    assert "620 requests" in out
