"""Changes of fields that nobody can write: fields that the schema lacks, and Twilio's own.

The first appearance or change of such a field is recorded once for each account, as an event of
its own. Pages show the values, but the history of a flow leaves them out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

from flows.audit import audit_log
from flows.audit.audit_log import Actor, Payload
from flows.audit.models import AuditEvent, Result, Stage
from flows.mirror.actions import MirrorAction
from flows.redaction.redacted import Redacted, redact_fields
from flows.twilio.flex.flex_flow import FLEX_FLOW

# Fields recorded for an account: a sender of ever new ones must not fill the log.
MAX_FIELDS: Final = 100
NAME_MAX: Final = 100
NO_ACTOR: Final = Actor(id="", label="")
_DATE_FIELDS: Final = frozenset({"date_created", "date_updated"})


def unwritable_changes(
    before: Mapping[str, object] | None, after: Mapping[str, object]
) -> list[str]:
    """Return the read-only fields that differ, apart from dates.

    For a flow that is new here (`before` is None), return the fields that the schema lacks.
    """
    if before is None:
        return [name for name in after if name not in FLEX_FLOW.by_name]
    ignored = _DATE_FIELDS.union(FLEX_FLOW.writable_names)
    if _url_path(before.get("url")) == _url_path(after.get("url")):
        ignored |= {"url"}  # the host only repeats the request's
    return [name for name in FLEX_FLOW.differing_fields(before, after) if name not in ignored]


def _url_path(url: object) -> object:
    if not isinstance(url, str):
        return url
    try:
        return urlsplit(url).path
    except ValueError:
        return url


def record_new_fields(account_sid: str, pairs: Iterable[tuple[Redacted | None, Redacted]]) -> None:
    """Record the read-only fields that differ and were not recorded for this account before.

    `pairs` has each flow's snapshots before and after. Raise `NotRecorded` if the log can't be
    written.
    """
    first_flows = _find_first_flows(pairs)
    if not first_flows:
        return
    recorded = _load_recorded_fields(account_sid)
    new = sorted(first_flows.keys() - recorded)
    for name in new[: max(0, MAX_FIELDS - len(recorded))]:
        _append_event(account_sid, name, first_flows[name])


def _find_first_flows(pairs: Iterable[tuple[Redacted | None, Redacted]]) -> dict[str, str]:
    """Return each read-only field that differs, with the SID of the first flow that shows it."""
    first_flows: dict[str, str] = {}
    for before, after in pairs:
        for name in unwritable_changes(before, after):
            first_flows.setdefault(name[:NAME_MAX], str(after.get("sid", "")))
    return first_flows


def _load_recorded_fields(account_sid: str) -> set[str]:
    events = AuditEvent.objects.filter(account_sid=account_sid, action=MirrorAction.FIELD)
    # Each event has one field.
    field_lists = events.values_list("changed_fields", flat=True)
    return set().union(*field_lists)


def _append_event(account_sid: str, name: str, sid: str) -> None:
    """Record a field with the flow it appeared on, unless another process has recorded it."""
    kind = "read-only" if name in FLEX_FLOW.by_name else "not known to this dashboard"
    with audit_log.transaction() as log:
        if name in _load_recorded_fields(account_sid):
            return
        log.append(
            action=MirrorAction.FIELD,
            stage=Stage.OBSERVED,
            result=Result.APPLIED,
            actor=NO_ACTOR,
            account_sid=account_sid,
            changed_fields=[name],
            payload=Payload(
                after=redact_fields({"field": name, "kind": kind, "first seen on": sid})
            ),
        )
