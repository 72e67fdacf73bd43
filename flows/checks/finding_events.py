"""The events of findings that appeared or were cleared, as the log gets them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from flows.audit.audit_log import Observation, Payload
from flows.audit.models import Stage
from flows.checks.actions import CHECK, FLOWS, RULE, SEVERITY, FindingAction
from flows.checks.checking import RULES_BY_ID
from flows.checks.finding_rows import Differences, FindingRow
from flows.redaction.redacted import redact_fields
from flows.twilio.flex.flex_flow import FLEX_FLOW

WAVE_SIZE: Final = 200  # events of one check; if there are more, a rule has one for all its flows
MAX_SINGLE: Final = 10  # findings of a rule that have an event each even then

Flows = Mapping[str, Mapping[str, Any]]  # snapshots by SID


def build_events(
    account_sid: str, differences: Differences, flows: Flows, judged_rules: Collection[str]
) -> list[Observation]:
    """Return an event for each finding that appeared or was cleared.

    Rules that were never judged before have none: `build_summary` is about them.
    """
    groups = defaultdict(list)
    for action, rows in (
        (FindingAction.CLEARED, differences.cleared),
        (FindingAction.APPEARED, differences.appeared),
    ):
        for row in rows:
            if row.rule_id in judged_rules:
                groups[action, row.rule_id].append(row)
    is_wave = sum(map(len, groups.values())) > WAVE_SIZE
    events: list[Observation] = []
    for (action, rule_id), members in groups.items():
        if is_wave and len(members) > MAX_SINGLE:
            events.append(_build_wave(account_sid, action, rule_id, members))
        else:
            events += _build_single(account_sid, action, members, flows)
    return events


def build_summary(
    account_sid: str, rows: Iterable[FindingRow], new_rules: Collection[str]
) -> list[Observation]:
    """Return one event about the findings of rules that are judged for the first time, if any."""
    by_rule: dict[str, set[str]] = defaultdict(set)
    findings = 0
    for row in rows:
        if row.rule_id in new_rules:
            by_rule[row.rule_id].add(row.sid)
            findings += 1
    if not findings:
        return []
    flows = len(set().union(*by_rule.values()))
    message = f"{_format(findings, 'finding')} at {_format(flows, 'flow')}, first evaluated."
    numbers = {RULES_BY_ID[rule_id].title: len(sids) for rule_id, sids in by_rule.items()}
    return [_build(account_sid, FindingAction.EVALUATED, "", numbers, message=message)]


def _build_single(
    account_sid: str, action: FindingAction, rows: Iterable[FindingRow], flows: Flows
) -> Iterator[Observation]:
    for row in rows:
        flow = flows.get(row.sid, {})
        values = {
            CHECK: RULES_BY_ID[row.rule_id].title,
            RULE: row.rule_id,
            SEVERITY: row.severity,
        }
        yield _build(account_sid, action, row.sid, values, message=row.message, flow=flow)


def _build_wave(
    account_sid: str, action: FindingAction, rule_id: str, rows: Iterable[FindingRow]
) -> Observation:
    title = RULES_BY_ID[rule_id].title
    flows = len({row.sid for row in rows})
    verb = "Appeared" if action == FindingAction.APPEARED else "Cleared"
    message = f"{verb} at {_format(flows, 'flow')} at once, so they have one event."
    values = {CHECK: title, RULE: rule_id, FLOWS: flows}
    return _build(account_sid, action, "", values, message=message)


def _build(
    account_sid: str,
    action: FindingAction,
    sid: str,
    values: dict[str, Any],
    *,
    message: str,
    flow: Mapping[str, Any] | None = None,
) -> Observation:
    return Observation(
        action=action,
        account_sid=account_sid,
        target_sid=sid,
        stage=Stage.ACCESS,  # it is no state of the flow
        payload=Payload(
            friendly_name=FLEX_FLOW.name_of(flow or {}),
            contact_identity=FLEX_FLOW.identity_of(flow or {}),
            requested=redact_fields(values),
            message=message,
        ),
    )


def _format(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
