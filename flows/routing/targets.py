"""What stands behind a flow or an address that gets a message, and what is wrong with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from flows.checks import flow_rules, studio_rules, target_rules
from flows.checks.account_rules import check_handover
from flows.checks.findings import Finding, Severity
from flows.core.safe_text import short
from flows.mirror.targets import TargetKind, find_target_values
from flows.names.handling import INCOMING_CONVERSATION
from flows.routing.answers import Handler, HandlerKind, Problem, Step
from flows.routing.routing_state import Address, RoutingState
from flows.twilio.flex.flex_flow import FLEX_FLOW

# The kinds of targets that a message is handed to.
HANDING: Final = (TargetKind.STUDIO_FLOW, TargetKind.WEBHOOK, TargetKind.WORKFLOW)
NO_HANDOVER: Final = "address-without-handover"
INTEGRATIONS: Final = {"studio": "Studio Flow", "webhook": "Webhook", "default": "Conversation"}


def flow_handler(sid: str, state: RoutingState, handover_errors: Sequence[Finding]) -> Handler:
    """Return a flow that gets a message, with what it points to and why that can't work.

    `handover_errors` are the findings of `find_handover_errors` at this flow.
    """
    snapshot = state.account.flows[sid]
    problems = tuple(
        Problem(finding.rule.rule_id, finding.message)
        for finding in (*flow_rules.check_handover(snapshot, state.account.names), *handover_errors)
    )
    target = _flow_target(snapshot, state, is_broken=bool(problems))
    return Handler(HandlerKind.FLOW, sid, FLEX_FLOW.name_of(snapshot), target, problems)


def address_handler(sid: str, state: RoutingState, *, is_doubtful: bool) -> Handler:
    """Return an address that gets a message, with what it points to and why that can't work."""
    address = state.addresses[sid]
    problems = tuple(_find_address_problems(address, state))
    kind = INTEGRATIONS.get(address.integration, address.integration or "No integration")
    target_sid = address.studio_flow_sid if address.integration == "studio" else ""
    text = _name_of(target_sid, state) if target_sid else address.webhook_host
    step = Step(kind, text, sid=target_sid, is_broken=bool(problems))
    name = address.name or address.address
    return Handler(HandlerKind.ADDRESS, sid, name, step, problems, is_doubtful)


def is_target_known(handler: Handler, state: RoutingState) -> bool:
    """Return False if it isn't known whether what a handler points to exists."""
    if any(problem.rule_id == target_rules.TARGET_GONE.rule_id for problem in handler.problems):
        return True
    target = handler.target
    return not target or not target.sid or target.sid in state.account.names


def find_handover_errors(state: RoutingState) -> dict[str, list[Finding]]:
    """Return why flows can't hand over a message they get, by SID, for all flows of a state at once."""
    errors: dict[str, list[Finding]] = defaultdict(list)
    for sid, rule, message in check_handover(state.account):
        errors[sid].append(Finding(rule, message))
    return errors


def _flow_target(
    snapshot: Mapping[str, Any], state: RoutingState, *, is_broken: bool
) -> Step | None:
    """Return the stop behind a flow: its Studio Flow, webhook or workflow."""
    for kind, value in find_target_values(snapshot):
        if kind == TargetKind.WEBHOOK:
            return Step(kind.label, value, is_broken=is_broken)
        if kind in HANDING:
            return Step(kind.label, _name_of(value, state), sid=value, is_broken=is_broken)
    return Step("No target", "", is_broken=True) if is_broken else None


def _find_address_problems(address: Address, state: RoutingState) -> Iterator[Problem]:
    if address.integration == "studio":
        yield from _find_studio_problems(address.studio_flow_sid, state)
    elif address.integration == "webhook" and not address.webhook_host:
        yield Problem(flow_rules.VALUE_MISSING.rule_id, "The address has no webhook URL.")
    elif address.integration == "default":
        yield Problem(
            NO_HANDOVER,
            "The address only opens a conversation. Nothing hands it to an agent.",
        )


def _find_studio_problems(sid: str, state: RoutingState) -> Iterator[Problem]:
    if not sid:
        yield Problem(flow_rules.VALUE_MISSING.rule_id, "The address has no Studio Flow.")
        return
    as_flow = {"integration_type": "studio", "integration_flow_sid": sid}
    for rule, message in target_rules.check_targets(as_flow, state.account.names):
        if rule.severity == Severity.ERROR:
            yield Problem(rule.rule_id, message)
    facts = state.surroundings.studio_flows.get(sid)
    if facts and facts.is_current and INCOMING_CONVERSATION not in facts.trigger_events:
        yield Problem(
            studio_rules.TAKES_NO_MESSAGE.rule_id,
            "The Studio Flow does nothing with conversations: its trigger for incoming ones leads "
            "nowhere.",
        )


def _name_of(sid: str, state: RoutingState) -> str:
    name = state.account.names.get(sid)
    return f"{name.name} · {short(sid)}" if name and name.name else short(sid)
