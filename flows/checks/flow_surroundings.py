"""The checks of one flow with what surrounds it: other flows of its name or identity, and its number.

The result is what the checks of the whole account find at this flow, in a few small queries. The
flow can also be one that is only planned.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q

from flows.checks.account_rules import (
    NUMBER_CHANNELS,
    AccountState,
    channel_of,
    check_account,
    comparable_identity,
)
from flows.checks.findings import Finding
from flows.checks.flow_rules import check_flow, find_warnings
from flows.checks.left_hosts import find_left_hosts
from flows.checks.planned_flows import planned_sid
from flows.checks.stored_state import load_names, load_readings
from flows.checks.suppressions import suppressed_digests
from flows.checks.target_rules import load_target_names
from flows.core.normalization import normalize_text
from flows.mirror.models import Flow
from flows.mirror.targets import TargetKind, find_target_values
from flows.names.handling import Surroundings
from flows.names.load_handling import load_surroundings, spellings
from flows.redaction.masking import replace_unstorable
from flows.search.models import FlowEntry
from flows.search.number_spellings import is_odd_spelling
from flows.search.target_names import SENDERS
from flows.twilio.flex.flex_flow import FLEX_FLOW, is_on
from flows.twilio.taskrouter.task_channel import TASK_CHANNEL


def check_with_surroundings(
    account_sid: str,
    sid: str,
    flow: Mapping[str, Any],
    *,
    with_suppressed: bool = False,
    is_planned: bool = False,
) -> list[Finding]:
    """Return what all rules find at a flow, the worst first, but for what is suppressed.

    `flow` is its snapshot. `sid` is "" for a flow to be created. A planned flow is checked with the
    last names, however old they are.
    """
    snapshot = replace_unstorable(dict(flow))
    surroundings = _load_surroundings(account_sid, snapshot)
    names, references = load_names(account_sid, _names_of(snapshot, surroundings))
    own_sid = sid or planned_sid()
    readings = load_readings(account_sid)
    state = AccountState(
        flows={**_similar_flows(account_sid, snapshot), own_sid: snapshot},
        names=names,
        references=references,
        complete=readings.keys(),
        read_at=readings,
        changed_at={} if is_planned else _load_change_time(sid),
        surroundings=surroundings,
        left_hosts=_left_hosts(account_sid, snapshot),
    )
    on = is_on(snapshot)
    findings = check_flow(snapshot, names)
    findings += [
        Finding(rule, message, is_on=on)
        for found_sid, rule, message in check_account(state)
        if found_sid == own_sid
    ]
    if findings and sid and not with_suppressed:
        suppressed = suppressed_digests([sid]).get(sid, ())
        findings = [each for each in findings if not suppressed or each.digest not in suppressed]
    return sorted(findings, key=lambda each: each.severity.rank)


def find_accepted_flows() -> set[str]:
    """Return the SIDs of flows whose own warnings, and those of their targets, are all suppressed."""
    suppressed = suppressed_digests(None)
    flows = list(Flow.objects.filter(sid__in=suppressed)) if suppressed else []
    names = load_target_names((flow.account_sid, flow.resource) for flow in flows)
    return {
        flow.sid
        for flow in flows
        if not find_warnings(
            flow.resource, names[flow.account_sid], suppressed=suppressed[flow.sid]
        )
    }


def _load_change_time(sid: str) -> dict[str, datetime]:
    """Return the time of the last change of a flow by its SID, or {} for a flow without a row."""
    return dict(Flow.objects.filter(sid=sid).values_list("sid", "mirrored_at")) if sid else {}


def _similar_flows(account_sid: str, snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """Return the snapshots of the account's flows that may have this name or identity."""
    identity = FLEX_FLOW.identity_of(snapshot)
    is_similar = Q(name_folded=normalize_text(FLEX_FLOW.name_of(snapshot)) or None)
    if identity:
        channel = channel_of(snapshot)
        same_identity = Q(identity_folded__in=spellings(identity))
        if channel in NUMBER_CHANNELS:
            same_identity |= is_odd_spelling()
        is_similar |= Q(enabled=True, channel_type=channel) & same_identity
    entries = FlowEntry.objects.filter(is_similar, account_sid=account_sid, gone_at=None)
    # Their snapshots are read only of those that are really similar: others can be many.
    candidates = Flow.objects.filter(sid__in=entries.values("sid"))
    columns = candidates.values_list("sid", "friendly_name", "channel_type", "contact_identity")
    name = normalize_text(FLEX_FLOW.name_of(snapshot))
    key = comparable_identity(channel_of(snapshot), identity)
    sids = [
        other_sid
        for other_sid, other_name, channel, other_identity in columns
        if (name and normalize_text(other_name) == name)
        or (identity and comparable_identity(channel, other_identity) == key)
    ]
    return dict(Flow.objects.filter(sid__in=sids).order_by("sid").values_list("sid", "resource"))


def _load_surroundings(account_sid: str, snapshot: Mapping[str, Any]) -> Surroundings:
    """Return what surrounds one flow: its number or sender, and its Studio Flow."""
    identity = FLEX_FLOW.identity_of(snapshot)
    has_number = identity and channel_of(snapshot) in NUMBER_CHANNELS
    return load_surroundings(
        account_sid,
        identities=[identity] if has_number else [],
        studio_flow_sids=[value for _, value in find_target_values(snapshot)],
    )


def _left_hosts(account_sid: str, snapshot: Mapping[str, Any]) -> frozenset[str]:
    """Return the hosts that other flows have left. Only a flow with a webhook needs them."""
    has_webhook = any(kind == TargetKind.WEBHOOK for kind, _ in find_target_values(snapshot))
    return find_left_hosts(account_sid) if has_webhook else frozenset()


def _names_of(snapshot: Mapping[str, Any], surroundings: Surroundings) -> Q:
    """Return the condition for the objects at Twilio that the rules ask about."""
    sids = [value for _, value in find_target_values(snapshot)]
    for facts in surroundings.studio_flows.values():
        sids += [sid for each in facts.send_to_flex for sid in (each.workflow, each.channel)]
    condition = Q(sid__in=[sid for sid in sids if sid.isascii() and sid.isalnum()])
    identity = FLEX_FLOW.identity_of(snapshot)
    if identity:
        condition |= Q(resource__in=SENDERS, reference__in=spellings(identity))
    workspace_sid = snapshot.get("integration_workspace_sid")
    if isinstance(workspace_sid, str) and workspace_sid.isascii() and workspace_sid.isalnum():
        condition |= Q(resource=TASK_CHANNEL.name, parent_sid=workspace_sid)
    return condition
