"""Hosts of webhooks that flows of an account have left, as far as the audit log tells.

Only the last changes are searched, so that the time it takes doesn't grow with the log.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from flows.audit.actions import DriftAction
from flows.audit.models import APPLIED_RESULTS, AuditEvent, AuditPayload, Stage
from flows.checks.planned_flows import ChangingFlows, PlannedValues
from flows.mirror.models import Flow
from flows.mirror.targets import TargetKind, find_target_values, url_hostname

MAX_EVENTS: Final = 500  # of each action
MIN_LEFT: Final = 2  # flows that left a host
_EVENTS_OF_AN_UPDATE: Final = 2  # its attempt and its outcome
_URL: Final = "integration_url"
_UPDATE: Final = "flow.update"
_ACTIONS: Final = (_UPDATE, DriftAction.DRIFT.value)


class Move(NamedTuple):
    """A change of a flow's webhook to another host than `host`.

    `newer_updates` is the number of updates' events after it in the log, 0 for one found at Twilio.
    """

    sid: str
    host: str
    newer_updates: int = 0


def find_left_hosts(account_sid: str) -> frozenset[str]:
    """Return the hosts that at least two flows left, and that no more flows than that still use.

    A flow left a host if one of the last changes of its webhook was away from it, and it uses
    another target now.
    """
    moves = _find_moves(account_sid)
    if not _find_candidates(moves):
        return frozenset()
    return _select_left(moves, dict(_current_hosts(account_sid)))


def predict_left_hosts(
    account_sid: str, planned: PlannedValues, changing: ChangingFlows
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the hosts that flows have left, and those that they would have left after changes.

    Planned changes become the last ones of the log, so that the oldest are no longer searched. Of
    more changes than are searched, all count.
    """
    update_count = sum(sid in changing.before and bool(planned[sid]) for sid in planned)
    last_place = MAX_EVENTS - update_count * _EVENTS_OF_AN_UPDATE
    moves = _find_moves(account_sid)
    later_moves = [
        *(move for move in moves if not move.newer_updates or move.newer_updates < last_place),
        *_find_planned_moves(planned, changing),
    ]
    if not _find_candidates(moves) and not _find_candidates(later_moves):
        return frozenset(), frozenset()
    hosts = dict(_current_hosts(account_sid))
    later_hosts = {sid: host for sid, host in hosts.items() if sid not in planned}
    later_hosts |= {sid: _host_of(snapshot) for sid, snapshot in changing.after.items()}
    return _select_left(moves, hosts), _select_left(later_moves, later_hosts)


def find_sids_at_hosts(account_sid: str, hosts: Collection[str]) -> list[str]:
    """Return the SIDs of the flows whose webhooks are at these hosts."""
    if not hosts:
        return []
    return [sid for sid, host in _current_hosts(account_sid) if host in hosts]


def _find_planned_moves(planned: PlannedValues, changing: ChangingFlows) -> Iterator[Move]:
    """Yield each planned change of a webhook's host."""
    for sid, snapshot in changing.after.items():
        before = url_hostname(changing.before.get(sid, {}).get(_URL))
        if _URL in (planned[sid] or {}) and before and before != url_hostname(snapshot.get(_URL)):
            yield Move(sid, before)


def _find_candidates(moves: Iterable[Move]) -> dict[str, set[str]]:
    """Return the hosts that enough flows moved away from at any time, with the SIDs of these."""
    leavers: dict[str, set[str]] = defaultdict(set)
    for move in moves:
        leavers[move.host].add(move.sid)
    return {host: sids for host, sids in leavers.items() if len(sids) >= MIN_LEFT}


def _select_left(moves: Iterable[Move], hosts: Mapping[str, str]) -> frozenset[str]:
    """Return the hosts that were left. `hosts` are those that flows use, by SID."""
    users = Counter(hosts.values())
    leaver_counts = {
        host: sum(sid in hosts and hosts[sid] != host for sid in sids)
        for host, sids in _find_candidates(moves).items()
    }
    return frozenset(
        host for host, count in leaver_counts.items() if count >= MIN_LEFT and count >= users[host]
    )


def _host_of(snapshot: Mapping[str, Any]) -> str:
    hosts = (value for kind, value in find_target_values(snapshot) if kind == TargetKind.WEBHOOK)
    return next(hosts, "")


def _find_moves(account_sid: str) -> list[Move]:
    """Return the changes of webhooks' hosts among the last events of the log."""
    updates_by_seq: dict[int, tuple[str, int]] = {}
    for action in _ACTIONS:
        events = AuditEvent.objects.filter(action=action).order_by("-seq")
        rows = events.values_list(
            "seq", "account_sid", "target_sid", "stage", "result", "changed_fields"
        )
        for newer, (seq, owner, sid, stage, result, names) in enumerate(rows[:MAX_EVENTS]):
            is_applied = stage == Stage.OBSERVED or result in APPLIED_RESULTS
            if owner == account_sid and is_applied and _URL in names:
                updates_by_seq[seq] = sid, newer if action == _UPDATE else 0
    if not updates_by_seq:
        return []
    moves = []
    for payload in AuditPayload.objects.filter(pk__in=updates_by_seq):
        before = url_hostname(payload.values_before.get(_URL))
        after = url_hostname(payload.resulting_values.get(_URL))
        if before and before != after:
            sid, newer_updates = updates_by_seq[payload.pk]
            moves.append(Move(sid, before, newer_updates))
    return moves


def _current_hosts(account_sid: str) -> Iterator[tuple[str, str]]:
    """Yield the SID of each flow of an account and the host of its webhook, or ""."""
    flows = Flow.objects.filter(account_sid=account_sid, gone_at=None)
    for sid, targets in flows.values_list("sid", "targets"):
        hosts = [value for kind, value, _ in targets if kind == TargetKind.WEBHOOK]
        yield sid, hosts[0] if hosts else ""
