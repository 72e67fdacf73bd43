"""Rules of the flows that a bulk change skips, and the reasons that several modules give.

A rule of one kind of bulk change stands with that kind: `drafts`, `import_draft`, `follow_ups`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flows.accounts import twilio_accounts
from flows.mirror.models import Flow
from flows.plans import titles

NOT_STORED: Final = "Its webhook contains a secret, which isn't stored. Restore it from its event."
ALREADY_SET: Final = "Already set."
NOT_SYNCED: Final = "No flow with this SID has been synced."
DATA_ERASED: Final = "Personal data erased."
ALREADY_ROLLED_BACK: Final = "Already rolled back."
ALREADY_RETRIED: Final = "Already done by another retry."


class SkipFlow(Exception):
    """A flow is skipped by a bulk change; the message gives the reason."""


def check_permission(
    account_sid: str, editable_scope: twilio_accounts.Scope, verb: str = "change"
) -> None:
    """Raise `SkipFlow` if the account is outside the scope."""
    if editable_scope is None or account_sid in editable_scope:
        return
    name = titles.account_name(account_sid)
    raise SkipFlow(f"You don't have permission to {verb} flows in {name}.")


def check_changeable(flow: Flow, open_changes: Mapping[str, Any]) -> None:
    """Raise `SkipFlow` if a flow is deleted or has an open change.

    `open_changes` are the latest events of the open changes, by the flow's SID.
    """
    if flow.gone_at:
        raise SkipFlow("Deleted at Twilio.")
    if flow.sid in open_changes:
        raise SkipFlow("Has an unresolved change.")
