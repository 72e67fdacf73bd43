"""Making a plan: which of many flows would change, from what to what, and which are left out and why. It reads the
copy and writes the plan; nothing is sent. Carrying it out is plans.py's, which looks at each flow again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from django.db import transaction
from django.utils import timezone

from flows.accounts import twilio_accounts
from flows.audit import audit_log
from flows.core.database import BATCH_SIZE, split_batches
from flows.mirror.models import Flow
from flows.plans import collisions, execution, titles
from flows.plans.models import Plan, PlannedChange
from flows.redaction.masking import find_masks, has_mask, redact, redact_note, replace_unstorable
from flows.twilio import labels
from flows.twilio.flex import flex_flow

NOT_STORED: Final = "Its webhook contains a secret, which isn't stored. Restore it from its event."
MAX_FLOWS: Final = 10_000  # flows of one bulk change: four accounts as full as Twilio lets them be
ALREADY_SET: Final = "Already set."
NOT_SYNCED: Final = "No flow with this SID has been synced."
ENABLE, DISABLE, RETRY_COUNT, WEBHOOK_HOST, STUDIO_FLOW, DELETE = (
    "enable", "disable", "retry_count", "webhook_host", "studio_flow", "delete",
)  # fmt: skip
# What can be done to many flows, and the field that it sets to a value of the person's.
FIELD_BY_KIND: Final[Mapping[str, str]] = {
    ENABLE: "",
    DISABLE: "",
    RETRY_COUNT: "integration_retry_count",
    WEBHOOK_HOST: "integration_url",
    STUDIO_FLOW: "integration_flow_sid",
    DELETE: "",
}


@dataclass(frozen=True, slots=True)
class BulkAction:
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
            RETRY_COUNT: f"Set the retry count of {{flows}} to {value}",
            WEBHOOK_HOST: f"Change the webhook host of {{flows}} to {value}",
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
        name = FIELD_BY_KIND[self.kind]
        kind = flex_flow.handler_type(flow)
        if not flex_flow.is_applicable(flex_flow.FIELDS_BY_NAME[name], kind):
            handled = labels.CHOICE_LABELS.get(kind, kind) or "nothing"
            raise SkipFlow(f"Has no {_inline_label(name)} (handled by {handled}).")
        if self.kind == WEBHOOK_HOST:
            return {name: replace_host(flow.get(name), str(self.value))}
        return {name: self.value}


class SkipFlow(Exception):
    """This flow is not changed; the message says why."""


@dataclass(frozen=True, slots=True)
class ImportEntry:
    """A flow as somebody wants it, from outside: the fields that it gives. Without a `sid` it is to be made."""

    sid: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""  # why it can't be had so
    account_sid: str = (
        ""  # where one without a SID is to be created; of one with a SID, where it has to be
    )
    origin: str = ""  # where in the file it stands: "Line 7", "Entry 3"


def replace_host(url: Any, host: str) -> str:
    """The address with another host (and port, if the host comes with one); all the rest stays."""
    try:
        parts = urlsplit(str(url or ""))
    except ValueError:
        parts = urlsplit("")
    if not parts.netloc:
        raise SkipFlow("Has no webhook URL.")
    user, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=user + at + host))


def plan_bulk_action(
    *,
    ask: BulkAction,
    sids: Sequence[str],
    made_by: str,
    reason: str = "",
    within: twilio_accounts.Scope = None,
) -> Plan:
    """The same for many flows, by name. `within`: the accounts where the person may change flows."""
    sids = list(dict.fromkeys(sids))
    rows = _flows_by_sid(sids)
    held = audit_log.open_changes_by_flow(list(rows))
    planned = []
    for row in sorted(rows.values(), key=lambda row: (row.name_folded, row.sid)):
        change = _build_change(row, "flow.delete" if ask.kind == DELETE else "flow.update")
        try:
            _check_permission(row.account_sid, within, "delete" if ask.kind == DELETE else "change")
            check_changeable(row, held)
            if ask.kind == DELETE:
                change.before = writable_values(row.resource)
            else:
                _request_values(change, row, ask.of(row.resource))
        except SkipFlow as why:
            change.skipped = str(why)
        planned.append(change)
    planned += [
        PlannedChange(action="flow.update", target_sid=sid, skipped=NOT_SYNCED)
        for sid in sids
        if sid not in rows
    ]
    collisions.skip_collisions(planned)
    title = titles.title_of_change(ask.sentence, planned)
    return save_draft(title, planned, made_by=made_by, reason=reason)


def plan_import(
    *,
    entries: Sequence[ImportEntry],
    made_by: str,
    within: twilio_accounts.Scope = None,
    seen: twilio_accounts.Scope = None,
) -> Plan:
    """Flows as a file has them: those with a SID are changed, the others made in the account that they name.
    `within`: as above; `seen`: the accounts that the person may see, beyond which there is nothing."""
    found = _flows_by_sid([entry.sid for entry in entries if entry.sid])
    rows = {sid: row for sid, row in found.items() if seen is None or row.account_sid in seen}
    held = audit_log.open_changes_by_flow(list(rows))
    planned: list[PlannedChange] = []
    first_entries: dict[str, ImportEntry] = {}
    for entry in entries:
        change = _build_entry_change(entry, rows.get(entry.sid))
        try:
            if entry.error:
                raise SkipFlow(entry.error)
            if not entry.sid:
                change.account_sid = _resolve_account_sid(entry, seen)
                _check_permission(change.account_sid, within, "create")
                change.asked = {
                    key: value for key, value in entry.values.items() if value not in (None, "")
                }
            else:
                _check_not_repeated(entry, first_entries)
                row = _find_flow(entry, rows)
                _check_permission(row.account_sid, within)
                check_changeable(row, held)
                _request_values(change, row, entry.values)
        except SkipFlow as why:
            change.skipped = str(why)
        planned.append(change)
    origins = [entry.origin for entry in entries]
    collisions.skip_collisions(planned, origins)
    for change, origin in zip(planned, origins, strict=True):
        if change.skipped and origin and change.skipped != ALREADY_SET:
            change.skipped = f"{origin}: {change.skipped}"
    return save_draft(titles.title_of_import(planned), planned, made_by=made_by)


def plan_rollback(*, plan: Plan, made_by: str) -> Plan:
    """The way back: what the plan made is undone, the last first. Each flow's former state is the log's."""
    planned = []
    for fate in reversed(execution.plan_items(plan, whole=True)):
        if fate.event is not None and fate.event.result in audit_log.APPLIED_RESULTS:
            planned.append(_build_rollback(fate))
        elif fate.state in ("unknown", "running"):
            change = _copy_change(fate.change)
            change.skipped = "Unknown outcome. Can't be rolled back yet."
            planned.append(change)
    collisions.skip_collisions(planned)
    return save_draft(f"Roll back: {plan.title}", planned, made_by=made_by, undoes=plan)


def plan_retry(*, plan: Plan, made_by: str) -> Plan:
    """Once more what the plan tried and what was not made: it failed, or was in conflict. What was not begun is the
    plan's own to go on with."""
    left = [
        fate.change for fate in execution.plan_items(plan) if fate.state in ("failed", "conflict")
    ]
    rows = _flows_by_sid([change.target_sid for change in left if change.target_sid])
    held = audit_log.open_changes_by_flow(list(rows))
    planned = []
    for old in left:
        change, row = _copy_change(old), rows.get(old.target_sid)
        change.refers_to, change.repeats = old.refers_to, old.repeats or old.change_id
        try:
            if not old.asked and old.action != "flow.delete":
                raise SkipFlow(execution.DATA_ERASED)
            if old.action == "flow.create":
                change.asked = redact(old.asked)
                if any(map(has_mask, change.asked.values())):
                    raise SkipFlow(NOT_STORED)
            elif row is None:
                raise SkipFlow(NOT_SYNCED)
            else:
                check_changeable(row, held)
                change.before = writable_values(row.resource)
                if old.action == "flow.update":
                    _request_values(change, row, old.asked)
        except SkipFlow as why:
            change.skipped = str(why)
        planned.append(change)
    collisions.skip_collisions(planned)
    title = titles.title_of_retry(plan.title, len(planned))
    return save_draft(title, planned, made_by=made_by, reason=plan.reason, undoes=plan.undoes)


def discard_draft(*, plan: Plan) -> bool:
    """Throws a plan away that was never started; False if it was."""
    with transaction.atomic():
        draft = Plan.objects.select_for_update().filter(pk=plan.pk, started_at=None).first()
        if draft is not None:
            draft.delete()
    return draft is not None


def _build_rollback(fate: execution.PlanItem) -> PlannedChange:
    event, change = fate.event, _copy_change(fate.change)
    if event is None:
        raise ValueError("what was never made can't be undone")
    body = event.payload
    change.refers_to = event.event_id
    change.account_sid = event.account_sid
    change.target_sid = event.target_sid
    change.friendly_name = body.friendly_name
    if body.erased_at:
        change.skipped = execution.DATA_ERASED
    elif execution.is_rolled_back(event.event_id):
        change.skipped = execution.ALREADY_ROLLED_BACK
    elif event.action == "flow.create":
        change.action, change.before = "flow.delete", writable_values(body.after or {})
    elif event.action == "flow.delete":
        prepare_recreation(change, body.before or {})
    else:
        was, left = body.before or {}, body.after or {}
        change.before = {name: left.get(name) for name in event.changed_fields}
        change.asked = {name: was.get(name) for name in event.changed_fields}
        if any(
            find_masks(value) - find_masks(change.before[name])
            for name, value in change.asked.items()
        ):
            change.skipped = NOT_STORED
        if never := [name for name, value in change.asked.items() if value in (None, "")]:
            named = ", ".join(_inline_label(name) for name in never)
            change.skipped = (
                f"Had no {named} before, but Twilio may not allow clearing it. Change it manually."
            )
    return change


def prepare_recreation(change: PlannedChange, was: Mapping[str, Any]) -> None:
    change.action, change.target_sid = "flow.create", ""
    change.asked = {
        entry.name: was[entry.name]
        for entry in flex_flow.WRITABLE_FIELDS
        if was.get(entry.name) not in (None, "")
    }
    if any(map(has_mask, change.asked.values())):
        change.skipped = NOT_STORED


def _flows_by_sid(sids: Sequence[str]) -> dict[str, Flow]:
    found: dict[str, Flow] = {}
    for some in split_batches(list(dict.fromkeys(sids))):
        found |= Flow.objects.in_bulk(some)
    return found


def _build_change(row: Flow, action: str) -> PlannedChange:
    return PlannedChange(
        action=action,
        account_sid=row.account_sid,
        target_sid=row.sid,
        friendly_name=row.friendly_name,
    )


def _copy_change(old: PlannedChange) -> PlannedChange:
    return PlannedChange(
        action=old.action,
        account_sid=old.account_sid,
        target_sid=old.target_sid,
        friendly_name=old.friendly_name,
    )


def writable_values(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """All that a deletion would take away, as it was seen: if any of it is not so any more, nothing is deleted."""
    return {entry.name: snapshot.get(entry.name) for entry in flex_flow.WRITABLE_FIELDS}


def _build_entry_change(entry: ImportEntry, row: Flow | None) -> PlannedChange:
    if row:
        return _build_change(row, "flow.update")
    action = "flow.update" if entry.sid or entry.error else "flow.create"
    name = str(entry.values.get("friendly_name") or "")
    return PlannedChange(action=action, target_sid=entry.sid, friendly_name=name)


def _resolve_account_sid(entry: ImportEntry, seen: twilio_accounts.Scope) -> str:
    """The account in which an entry without a SID is to be created."""
    account = twilio_accounts.only_account()
    if not entry.account_sid and account is None:
        raise SkipFlow("The account is missing. Add an account_sid.")
    known = {one.sid for one in twilio_accounts.visible_accounts(seen)}
    sid = entry.account_sid or (account.sid if account else "")
    if sid not in known:
        raise SkipFlow(f"You can't create flows in account {_truncate(sid)}.")
    return sid


def _check_not_repeated(entry: ImportEntry, first_entries: dict[str, ImportEntry]) -> None:
    first = first_entries.setdefault(entry.sid, entry)
    if first is not entry:
        where = first.origin.lower() if first.origin else "an entry above"
        raise SkipFlow(f"Same SID as {where}. Only the first one is used.")


def _find_flow(entry: ImportEntry, rows: Mapping[str, Flow]) -> Flow:
    row = rows.get(entry.sid)
    if row is None:
        raise SkipFlow(f"{NOT_SYNCED} An entry without a SID creates a new flow.")
    if entry.account_sid not in ("", row.account_sid):
        raise SkipFlow(
            f"The flow isn't in account {_truncate(entry.account_sid)}. A flow can't be moved."
        )
    return row


def _truncate(text: str) -> str:
    return f"{text[:40]}…" if len(text) > 40 else text


def _check_permission(
    account_sid: str, within: twilio_accounts.Scope, verb: str = "change"
) -> None:
    if within is not None and account_sid not in within:
        name = next(
            (str(one) for one in twilio_accounts.all_accounts() if one.sid == account_sid),
            account_sid,
        )
        raise SkipFlow(f"You don't have permission to {verb} flows in {name}.")


def check_changeable(row: Flow, held: Mapping[str, Any]) -> None:
    if row.gone_at:
        raise SkipFlow("Deleted at Twilio.")
    if row.sid in held:
        raise SkipFlow("Has an unresolved change.")


def _request_values(change: PlannedChange, row: Flow, values: Mapping[str, Any]) -> None:
    """Asks for the fields that differ from what the copy has."""
    asked = redact(replace_unstorable(dict(values)))
    if any(find_masks(value) - find_masks(row.resource.get(name)) for name, value in asked.items()):
        raise SkipFlow(NOT_STORED)
    names = flex_flow.differing_fields(row.resource, asked, asked)
    if not names:
        raise SkipFlow(ALREADY_SET)
    change.before = {name: row.resource.get(name) for name in names}
    change.asked = {name: asked[name] for name in names}


def _inline_label(name: str) -> str:
    text = labels.field_label(name)
    return (
        text
        if text.startswith("Studio")
        else re.sub(r"^[A-Z](?=[a-z])", lambda match: match[0].lower(), text)
    )


def save_draft(
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
        reason=redact_note(replace_unstorable(reason))[:200],
        undoes=undoes,
    )
    for place, change in enumerate(planned):
        change.plan, change.place = plan, place
        change.skipped = replace_unstorable(change.skipped)[:300]
        change.friendly_name, change.asked = (
            replace_unstorable(change.friendly_name),
            replace_unstorable(change.asked),
        )
        if redact(change.asked) != change.asked:
            raise ValueError("a bulk change would store a secret")
    with transaction.atomic():
        plan.save(force_insert=True)
        PlannedChange.objects.bulk_create(planned, batch_size=BATCH_SIZE)
    return plan
