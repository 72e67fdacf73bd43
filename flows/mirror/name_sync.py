"""Names of what an account's flows point to, read together with the flows or by themselves."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import replace

from django_tasks import task

from flows.accounts.update_signals import announce_sync_end, announce_update
from flows.core import task_queue
from flows.mirror.models import Flow
from flows.mirror.sync import SyncReport, sync_account, sync_state
from flows.mirror.targets import TargetKind
from flows.monitor_events import lookups as monitor_lookups
from flows.names import refresh
from flows.names.refresh import RefreshReport
from flows.names.surroundings import LIMITS_OF_A_WORKER
from flows.twilio.errors import RequestRefused

log = logging.getLogger(__name__)


def sync_with_names(account_sid: str) -> SyncReport:
    """Sync the flows of an account as `sync_account` does, then its names if they are old.

    Twilio's Monitor is asked about external changes, if the site is set to. A failure to read names
    or to ask the Monitor is logged and stored for the pages. It changes nothing else.
    """
    previous_sync_at = sync_state(account_sid).synced_at
    try:
        report = sync_account(account_sid)
    except RequestRefused:  # an account that may not list its flows still has names
        _refresh_old_names(account_sid)
        raise
    monitor_lookups.ask_twilio(account_sid, previous_sync_at=previous_sync_at)
    report = replace(report, names=_refresh_old_names(account_sid))
    announce_sync_end(account_sid)
    return report


def refresh_names(account_sid: str) -> RefreshReport:
    """Read the names of an account from Twilio. Raise `refresh.RefreshBusy` if that is running.

    A worker reads what the limits of this refresh left unread.
    """
    report = refresh.refresh_names(account_sid, _find_used_sids(account_sid))
    announce_update(account_sid)
    if report.unread and not task_queue.is_waiting(read_the_rest, account_sid):
        read_the_rest.enqueue(account_sid)
    return report


@task()
def read_the_rest(account_sid: str, unread: int | None = None) -> None:
    """Read what a refresh of an account's names left unread, a part of it in each run.

    The last run is the one that reads everything, or no more than the run before it, which left
    `unread`.
    """
    used = _find_used_sids(account_sid)
    with contextlib.suppress(refresh.RefreshBusy):  # that refresh enqueues a run of its own
        report = refresh.refresh_names(account_sid, used, LIMITS_OF_A_WORKER)
        announce_update(account_sid)
        if report.unread and (unread is None or report.unread < unread):
            read_the_rest.enqueue(account_sid, report.unread)


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
