"""Making a plan: which of many flows would change, from what to what, and which are left out and why. It reads the
copy and writes the plan; nothing is sent. Carrying it out is plans.py's, which looks at each flow again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from django.db import transaction
from django.utils import timezone

from flows import accounts, words
from flows.flexapi import schema
from flows.masking import has_mask, masked, masked_note, masks_in, storable
from flows.models import Flow, Plan, PlannedChange
from flows.services import audit, collisions, plan_titles, plans

NOT_KEPT: Final = "Its webhook contains a secret, which isn't stored. Restore it from its event instead."
MOST: Final = 10_000  # flows of one bulk change: four accounts as full as Twilio lets them be
BATCH: Final = 500
ALREADY_SET: Final = "Already set."
NOT_SYNCED: Final = "No flow with this SID has been synced."
ENABLE, DISABLE, RETRIES, HOST, STUDIO_FLOW, DELETE = (
    "enable", "disable", "retry_count", "webhook_host", "studio_flow", "delete",
)  # fmt: skip
# What can be done to many flows, and the field that it sets to a value of the person's.
KINDS: Final[Mapping[str, str]] = {
    ENABLE: "",
    DISABLE: "",
    RETRIES: "integration_retry_count",
    HOST: "integration_url",
    STUDIO_FLOW: "integration_flow_sid",
    DELETE: "",
}


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of each flow: one of `KINDS`, and the value that it takes."""

    kind: str
    value: Any = None

    @property
    def sentence(self) -> str:
        """The change as a title, with a place for the flows."""
        value = str(self.value).replace("{", "").replace("}", "")
        return {
            ENABLE: "Turn on {flows}",
            DISABLE: "Turn off {flows}",
            RETRIES: f"Set the retry count of {{flows}} to {value}",
            HOST: f"Change the webhook host of {{flows}} to {value}",
            STUDIO_FLOW: f"Route {{flows}} to Studio Flow {value}",
            DELETE: "Delete {flows}",
        }[self.kind]

    @property
    def title(self) -> str:
        return self.sentence.format(flows="flows")

    def of(self, flow: Mapping[str, Any]) -> dict[str, Any]:
        """The fields that this flow (a snapshot, secrets masked) would have. `LeftOut` if it can't have them."""
        if self.kind in (ENABLE, DISABLE):
            return {"enabled": self.kind == ENABLE}
        name = KINDS[self.kind]
        kind = schema.handler_type(flow)
        if not schema.is_active(schema.BY_NAME[name], kind):
            handled = words.ENUMS.get(kind, kind) or "nothing"
            raise LeftOut(f"Has no {_in_a_sentence(name)} (handled by {handled}).")
        if self.kind == HOST:
            return {name: with_host(flow.get(name), str(self.value))}
        return {name: self.value}


class LeftOut(Exception):
    """This flow is not changed; the message says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A flow as somebody wants it, from outside: the fields that it gives. Without a `sid` it is to be made."""

    sid: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""  # why it can't be had so
    account_sid: str = ""  # where one without a SID is to be created; of one with a SID, where it has to be
    origin: str = ""  # where in the file it stands: "Line 7", "Entry 3"


def with_host(url: Any, host: str) -> str:
    """The address with another host (and port, if the host comes with one); all the rest stays."""
    try:
        parts = urlsplit(str(url or ""))
    except ValueError:
        parts = urlsplit("")
    if not parts.netloc:
        raise LeftOut("Has no webhook URL.")
    user, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=user + at + host))


def plan_change(
    *, ask: Ask, sids: Sequence[str], made_by: str, reason: str = "", within: accounts.Scope = None
) -> Plan:
    """The same for many flows, by name. `within`: the accounts where the person may change flows."""
    sids = list(dict.fromkeys(sids))
    rows = _rows(sids)
    held = audit.unsettled(list(rows))
    planned = []
    for row in sorted(rows.values(), key=lambda row: (row.name_folded, row.sid)):
        change = _change_of(row, "flow.delete" if ask.kind == DELETE else "flow.update")
        try:
            _refuse_outside(row.account_sid, within, "delete" if ask.kind == DELETE else "change")
            _refuse_held(row, held)
            if ask.kind == DELETE:
                change.before = _written(row.resource)
            else:
                _set(change, row, ask.of(row.resource))
        except LeftOut as why:
            change.skipped = str(why)
        planned.append(change)
    planned += [
        PlannedChange(action="flow.update", target_sid=sid, skipped=NOT_SYNCED)
        for sid in sids
        if sid not in rows
    ]
    collisions.skip_colliding(planned)
    title = plan_titles.title_of_change(ask.sentence, planned)
    return _save(title, planned, made_by=made_by, reason=reason)


def plan_entries(
    *,
    entries: Sequence[Entry],
    made_by: str,
    within: accounts.Scope = None,
    seen: accounts.Scope = None,
) -> Plan:
    """Flows as a file has them: those with a SID are changed, the others made in the account that they name.
    `within`: as above; `seen`: the accounts that the person may see, beyond which there is nothing."""
    found = _rows([entry.sid for entry in entries if entry.sid])
    rows = {sid: row for sid, row in found.items() if seen is None or row.account_sid in seen}
    held = audit.unsettled(list(rows))
    planned: list[PlannedChange] = []
    first_of: dict[str, Entry] = {}
    for entry in entries:
        change = _of_entry(entry, rows.get(entry.sid))
        try:
            if entry.error:
                raise LeftOut(entry.error)
            if not entry.sid:
                change.account_sid = _account_for(entry, seen)
                _refuse_outside(change.account_sid, within, "create")
                change.asked = {key: value for key, value in entry.values.items() if value not in (None, "")}
            else:
                _refuse_repeated(entry, first_of)
                row = _row_for(entry, rows)
                _refuse_outside(row.account_sid, within)
                _refuse_held(row, held)
                _set(change, row, entry.values)
        except LeftOut as why:
            change.skipped = str(why)
        planned.append(change)
    origins = [entry.origin for entry in entries]
    collisions.skip_colliding(planned, origins)
    for change, origin in zip(planned, origins, strict=True):
        if change.skipped and origin and change.skipped != ALREADY_SET:
            change.skipped = f"{origin}: {change.skipped}"
    return _save(plan_titles.title_of_import(planned), planned, made_by=made_by)


def plan_undo(*, plan: Plan, made_by: str) -> Plan:
    """The way back: what the plan made is undone, the last first. Each flow's former state is the log's."""
    planned = []
    for fate in reversed(plans.fates(plan, whole=True)):
        if fate.event is not None and fate.event.result in audit.MADE:
            planned.append(_undoing(fate))
        elif fate.state in ("unknown", "running"):
            change = _copy_of(fate.change)
            change.skipped = "Unknown outcome. Can't be rolled back yet."
            planned.append(change)
    collisions.skip_colliding(planned)
    return _save(f"Roll back: {plan.title}", planned, made_by=made_by, undoes=plan)


def plan_rest(*, plan: Plan, made_by: str) -> Plan:
    """Once more what the plan tried and what was not made: it failed, or was in conflict. What was not begun is the
    plan's own to go on with."""
    left = [fate.change for fate in plans.fates(plan) if fate.state in ("failed", "conflict")]
    rows = _rows([change.target_sid for change in left if change.target_sid])
    held = audit.unsettled(list(rows))
    planned = []
    for old in left:
        change, row = _copy_of(old), rows.get(old.target_sid)
        change.refers_to, change.repeats = old.refers_to, old.repeats or old.change_id
        try:
            if not old.asked and old.action != "flow.delete":
                raise LeftOut(plans.ERASED)
            if old.action == "flow.create":
                change.asked = masked(old.asked)
                if any(map(has_mask, change.asked.values())):
                    raise LeftOut(NOT_KEPT)
            elif row is None:
                raise LeftOut(NOT_SYNCED)
            else:
                _refuse_held(row, held)
                change.before = _written(row.resource)
                if old.action == "flow.update":
                    _set(change, row, old.asked)
        except LeftOut as why:
            change.skipped = str(why)
        planned.append(change)
    collisions.skip_colliding(planned)
    title = plan_titles.title_of_retry(plan.title, len(planned))
    return _save(title, planned, made_by=made_by, reason=plan.reason, undoes=plan.undoes)


def discard(*, plan: Plan) -> bool:
    """Throws a plan away that was never started; False if it was."""
    with transaction.atomic():
        draft = Plan.objects.select_for_update().filter(pk=plan.pk, started_at=None).first()
        if draft is not None:
            draft.delete()
    return draft is not None


def _undoing(fate: plans.Fate) -> PlannedChange:
    event, change = fate.event, _copy_of(fate.change)
    if event is None:
        raise ValueError("what was never made can't be undone")
    body = event.payload
    change.refers_to = event.event_id
    change.account_sid = event.account_sid
    change.target_sid = event.target_sid
    change.friendly_name = body.friendly_name
    if body.erased_at:
        change.skipped = plans.ERASED
    elif plans.is_undone(event.event_id):
        change.skipped = plans.UNDONE
    elif event.action == "flow.create":
        change.action, change.before = "flow.delete", _written(body.after or {})
    elif event.action == "flow.delete":
        _make_anew(change, body.before or {})
    else:
        was, left = body.before or {}, body.after or {}
        change.before = {name: left.get(name) for name in event.changed_fields}
        change.asked = {name: was.get(name) for name in event.changed_fields}
        if any(masks_in(value) - masks_in(change.before[name]) for name, value in change.asked.items()):
            change.skipped = NOT_KEPT
        if never := [name for name, value in change.asked.items() if value in (None, "")]:
            named = ", ".join(_in_a_sentence(name) for name in never)
            change.skipped = (
                f"Had no {named} before, but Twilio may not allow clearing it. Change it manually."
            )
    return change


def _make_anew(change: PlannedChange, was: Mapping[str, Any]) -> None:
    change.action, change.target_sid = "flow.create", ""
    change.asked = {
        entry.name: was[entry.name] for entry in schema.WRITABLE if was.get(entry.name) not in (None, "")
    }
    if any(map(has_mask, change.asked.values())):
        change.skipped = NOT_KEPT


def batches(sids: Sequence[str]) -> Iterator[Sequence[str]]:
    """The SIDs in portions that fit into one query."""
    return (sids[start : start + BATCH] for start in range(0, len(sids), BATCH))


def _rows(sids: Sequence[str]) -> dict[str, Flow]:
    found: dict[str, Flow] = {}
    for some in batches(list(dict.fromkeys(sids))):
        found |= Flow.objects.in_bulk(some)
    return found


def _change_of(row: Flow, action: str) -> PlannedChange:
    return PlannedChange(
        action=action, account_sid=row.account_sid, target_sid=row.sid, friendly_name=row.friendly_name
    )


def _copy_of(old: PlannedChange) -> PlannedChange:
    return PlannedChange(
        action=old.action,
        account_sid=old.account_sid,
        target_sid=old.target_sid,
        friendly_name=old.friendly_name,
    )


def _written(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """All that a deletion would take away, as it was seen: if any of it is not so any more, nothing is deleted."""
    return {entry.name: snapshot.get(entry.name) for entry in schema.WRITABLE}


def _of_entry(entry: Entry, row: Flow | None) -> PlannedChange:
    if row:
        return _change_of(row, "flow.update")
    action = "flow.update" if entry.sid or entry.error else "flow.create"
    name = str(entry.values.get("friendly_name") or "")
    return PlannedChange(action=action, target_sid=entry.sid, friendly_name=name)


def _account_for(entry: Entry, seen: accounts.Scope) -> str:
    """The account in which an entry without a SID is to be created."""
    account = accounts.sole()
    if not entry.account_sid and account is None:
        raise LeftOut("The account is missing. Add an account_sid.")
    known = {one.sid for one in accounts.of_scope(seen)}
    sid = entry.account_sid or (account.sid if account else "")
    if sid not in known:
        raise LeftOut(f"You can't create flows in account {_cut(sid)}.")
    return sid


def _refuse_repeated(entry: Entry, first_of: dict[str, Entry]) -> None:
    first = first_of.setdefault(entry.sid, entry)
    if first is not entry:
        where = first.origin.lower() if first.origin else "an entry above"
        raise LeftOut(f"Same SID as {where}. Only the first one is used.")


def _row_for(entry: Entry, rows: Mapping[str, Flow]) -> Flow:
    row = rows.get(entry.sid)
    if row is None:
        raise LeftOut(f"{NOT_SYNCED} An entry without a SID creates a new flow.")
    if entry.account_sid not in ("", row.account_sid):
        raise LeftOut(f"The flow isn't in account {_cut(entry.account_sid)}. A flow can't be moved.")
    return row


def _cut(text: str) -> str:
    return f"{text[:40]}…" if len(text) > 40 else text


def _refuse_outside(account_sid: str, within: accounts.Scope, verb: str = "change") -> None:
    if within is not None and account_sid not in within:
        name = next((str(one) for one in accounts.every() if one.sid == account_sid), account_sid)
        raise LeftOut(f"You don't have permission to {verb} flows in {name}.")


def _refuse_held(row: Flow, held: Mapping[str, Any]) -> None:
    if row.gone_at:
        raise LeftOut("Deleted at Twilio.")
    if row.sid in held:
        raise LeftOut("Has an unresolved change.")


def _set(change: PlannedChange, row: Flow, values: Mapping[str, Any]) -> None:
    """Asks for the fields that differ from what the copy has."""
    asked = masked(storable(dict(values)))
    if any(masks_in(value) - masks_in(row.resource.get(name)) for name, value in asked.items()):
        raise LeftOut(NOT_KEPT)
    names = schema.differing(row.resource, asked, asked)
    if not names:
        raise LeftOut(ALREADY_SET)
    change.before = {name: row.resource.get(name) for name in names}
    change.asked = {name: asked[name] for name in names}


def _in_a_sentence(name: str) -> str:
    text = words.label(name)
    return (
        text
        if text.startswith("Studio")
        else re.sub(r"^[A-Z](?=[a-z])", lambda match: match[0].lower(), text)
    )


def _save(
    title: str,
    planned: Sequence[PlannedChange],
    *,
    made_by: str,
    reason: str = "",
    undoes: Plan | None = None,
) -> Plan:
    plan = Plan(
        title=title[:200],
        made_at=timezone.now(),
        made_by=made_by[:150],
        reason=masked_note(storable(reason))[:200],
        undoes=undoes,
    )
    for place, change in enumerate(planned):
        change.plan, change.place = plan, place
        change.skipped = storable(change.skipped)[:300]
        change.friendly_name, change.asked = storable(change.friendly_name), storable(change.asked)
        if masked(change.asked) != change.asked:
            raise ValueError("a bulk change would store a secret")
    with transaction.atomic():
        plan.save(force_insert=True)
        PlannedChange.objects.bulk_create(planned, batch_size=BATCH)
    return plan
