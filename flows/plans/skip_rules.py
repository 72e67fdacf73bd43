"""Rules of the flows that a bulk change skips, and the reasons that several modules give.

A rule of one kind of bulk change stands with that kind: `drafts`, `import_draft`, `follow_ups`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from flows.accounts import twilio_accounts
from flows.mirror.models import Flow
from flows.plans import titles
from flows.plans.models import PlannedChange
from flows.redaction.masking import has_mask

NOT_STORED: Final = "Its webhook contains a secret, which isn't stored. Restore it from its event."
ALREADY_SET: Final = "Already set."
ALREADY_SET_IN_TURN: Final = "Already set when its turn came."
NOT_SYNCED: Final = "No flow with this SID has been synced."
DATA_ERASED: Final = "Personal data erased."
ALREADY_ROLLED_BACK: Final = "Already rolled back."
ALREADY_RETRIED: Final = "Already done by another retry."


class SkipFlow(Exception):
    """A flow is skipped by a bulk change; the message gives the reason."""


@contextmanager
def record_skip(change: PlannedChange) -> Iterator[None]:
    """Skip a planned change for the reason of a `SkipFlow` that is raised in this block."""
    try:
        yield
    except SkipFlow as skip:
        change.skip_reason = str(skip)


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


def check_without_masks(values: Mapping[str, Any]) -> None:
    """Raise `SkipFlow` if a value of a new flow holds a mask: the secret behind it is unknown."""
    if any(map(has_mask, values.values())):
        raise SkipFlow(NOT_STORED)
