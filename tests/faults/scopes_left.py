"""Runs each task and command of ours and looks at the scopes that it left on connections.

`python -m tests.faults.scopes_left` with the application's own environment and
DATABASE_POOL_SIZE=2; the database has what tests/tenants/both.py makes. Prints JSON: what was left
or went wrong, by name.
"""

from gevent import monkey

monkey.patch_all()  # tasks run in greenlets

import json  # noqa: E402  # after patching, as in the worker
import os  # noqa: E402  # as above

import django  # noqa: E402  # as above

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from tests.faults.jobs import jobs, outcomes  # noqa: E402  # after django.setup()

if __name__ == "__main__":
    print(json.dumps({name: outcomes(name) for name in jobs()}))
