"""Names of what an account's flows point to, read together with the flows or by themselves."""

from __future__ import annotations

import logging
from dataclasses import replace

from flows.mirror.models import Flow
from flows.mirror.sync import SyncReport, sync_account
from flows.mirror.targets import TargetKind
from flows.names import refresh
from flows.names.refresh import RefreshReport
from flows.twilio.errors import RequestRefused

log = logging.getLogger(__name__)


def sync_with_names(account_sid: str) -> SyncReport:
    """Sync the flows of an account as `sync_account` does, then its names if they are old.

    A failure to read names is logged and stored for the accounts page. It changes nothing else.
    """
    try:
        report = sync_account(account_sid)
    except RequestRefused:  # an account that may not list its flows still has names
        _refresh_old_names(account_sid)
        raise
    return replace(report, names=_refresh_old_names(account_sid))


def refresh_names(account_sid: str) -> RefreshReport:
    """Read the names of an account from Twilio. Raise `refresh.RefreshBusy` if that is running."""
    return refresh.refresh_names(account_sid, _find_used_sids(account_sid))


def _refresh_old_names(account_sid: str) -> int:
    """Read the names of an account if they are old, and return the number of changed ones."""
    try:
        if refresh.needs_refresh(account_sid):
            return refresh_names(account_sid).changed
    except refresh.RefreshBusy:
        pass
    except Exception:  # the flows are synced, whatever is wrong with a name
        log.exception("The names of %s could not be read.", account_sid)
    return 0


def _find_used_sids(account_sid: str) -> dict[str, str]:
    """Return the SIDs that flows of an account point to, each with its workspace's SID, or ""."""
    flows = Flow.objects.filter(account_sid=account_sid, gone_at=None)
    used: dict[str, str] = {}
    for targets in flows.values_list("targets", flat=True).distinct():
        values = {kind: value for kind, value, _ in targets if kind != TargetKind.WEBHOOK}
        workspace_sid = values.get(TargetKind.WORKSPACE, "")
        for value in values.values():
            used.setdefault(value, workspace_sid)
    return used
