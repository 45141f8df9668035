"""What people may or may not do, each as an attempt against the real pages that says if it worked.

The names are the first column of the table in docs/security.md ("Who may do what").
"""

from tests.tenants.actions import answering, chatting, people, running
from tests.tenants.actions.case import ACTIONS, Case, Forms

__all__ = ["ACTIONS", "Case", "Forms", "answering", "chatting", "people", "running"]
