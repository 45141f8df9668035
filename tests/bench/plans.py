"""The plans that docs/decisions/0010-row-level-security.md tells of.

`python -m tests.bench.plans` makes a database with a hundred tenants and a million messages, asks
it the portal's questions with policies and without, and prints how they were answered.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from portal.embedded.postgres import DATABASE, Postgres
from tests.bench.stack import ROOT, run


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="atrium-plans-") as folder,
        Postgres(Path(folder) / "postgres", Path(folder) / "postgres.log") as postgres,
    ):
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "SECRET_KEY": "only-for-plans-" + "0" * 50,
            "DATABASE_URL": postgres.url,
            "DATABASE_OWNER_URL": postgres.owner_url,
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
            "STATIC_ROOT": f"{folder}/static",
            "LOG_LEVEL": "WARNING",
        }
        run([sys.executable, "manage.py", "migrate", "-v", "0"], environment)
        run([sys.executable, "manage.py", "collectstatic", "--no-input", "-v", "0"], environment)
        superuser = postgres.superuser_url.rpartition("/")[0] + f"/{DATABASE}"
        run([sys.executable, "-m", "tests.bench.crowd", superuser, "1000000"], environment)
        ask = [sys.executable, "-m", "tests.bench.questions", postgres.owner_url]
        subprocess.run(ask, cwd=ROOT, env=environment, check=True)


if __name__ == "__main__":
    main()
