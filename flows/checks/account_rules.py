"""Rules about the flows of an account together, and about the numbers and senders around them.

They are pure functions of `AccountState`, so they can also be asked about a state that is planned.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from django.utils.text import get_text_list

from flows.checks import handling_rules, missing_targets, studio_rules
from flows.checks.account_state import AccountState as AccountState
from flows.checks.account_state import FlowRuleMatch, identities_on
from flows.checks.account_state import channel_of as channel_of
from flows.checks.findings import Rule, Severity
from flows.core.identities import normalize_identity
from flows.core.normalization import normalize_text
from flows.names.lookup import Name
from flows.twilio.api.incoming_phone_number import INCOMING_PHONE_NUMBER
from flows.twilio.flex.flex_flow import CHANNEL_TYPES, FLEX_FLOW, is_on
from flows.twilio.messaging.whatsapp_sender import STATUSES, WHATSAPP_SENDER
from flows.twilio.taskrouter.task_channel import TASK_CHANNEL

MAX_NAMED: Final = 3  # other flows that a sentence names
NUMBER_CHANNELS: Final = ("sms", "whatsapp")  # whose identities are phone numbers

TWO_ON: Final = Rule(
    "two-flows-on-for-one-identity",
    Severity.ERROR,
    "Several flows are on for the same channel and contact identity",
    "Twilio documents one enabled flow for each. Which of them gets a message can't be told.",
    "Turn off all but one of them.",
)
SAME_NAME: Final = Rule(
    "same-name",
    Severity.WARNING,
    "Several flows have the same name",
    "A flow is found by its name, so the wrong one may be changed.",
    "Give each flow a name of its own.",
)
NUMBER_NOT_OWNED: Final = Rule(
    "number-not-owned",
    Severity.WARNING,
    "The number doesn't belong to this account",
    "Twilio hands over messages only for numbers that the account owns.",
    "Check the number, or buy it for this account.",
    needs=(INCOMING_PHONE_NUMBER.name,),
)
SENDER_MISSING: Final = Rule(
    "whatsapp-sender-missing",
    Severity.WARNING,
    "The account has no such WhatsApp sender",
    "Twilio hands over WhatsApp messages only for senders of the account.",
    "Check the number, or register it as a sender in the Console.",
    needs=(WHATSAPP_SENDER.name,),
)
SENDER_OFFLINE: Final = Rule(
    "whatsapp-sender-offline",
    Severity.ERROR,
    "The WhatsApp sender isn't online",
    "WhatsApp delivers no messages to it, so customers get no answer.",
    "Look at the sender in the Console, which says why it is offline.",
    needs=(WHATSAPP_SENDER.name,),
)
TASK_CHANNEL_UNKNOWN: Final = Rule(
    "task-channel-unknown",
    Severity.ERROR,
    "The workspace has no such task channel",
    "TaskRouter refuses a task with an unknown channel, so customers get no answer.",
    "Choose a task channel of the flow's workspace.",
    needs=(TASK_CHANNEL.name,),
)


def check_account(state: AccountState) -> Iterator[FlowRuleMatch]:
    """Yield what is wrong with the flows of an account together. Needs that aren't met are skipped.

    A number may have been bought together with a later change of its flow, so what needs a reading
    from before that change is skipped, too.
    """
    for sid, rule, message in _check_all(state):
        if not state.is_outdated(rule, sid):
            yield sid, rule, message


def check_handover(state: AccountState) -> Iterator[FlowRuleMatch]:
    """Yield the errors of `check_account` that keep a flow from handing over a message it gets."""
    matches = [
        *missing_targets.check_missing_targets(state),
        *studio_rules.check_studio_flows(state),
    ]
    for rules, check in HANDOVER_CHECKS:
        if all(need in state.complete for rule in rules for need in rule.needs):
            matches += check(state)
    yield from (each for each in matches if each[1].severity == Severity.ERROR)


def find_outdated(state: AccountState) -> Iterator[FlowRuleMatch]:
    """Yield what `check_account` skips, because the flow was changed after the reading."""
    oldest_reading = min(state.read_at.values(), default=None)
    if oldest_reading is None or all(at <= oldest_reading for at in state.changed_at.values()):
        return
    for sid, rule, message in _check_all(state):
        if state.is_outdated(rule, sid):
            yield sid, rule, message


def _check_all(state: AccountState) -> Iterator[FlowRuleMatch]:
    """Yield all findings. A partial check looks at its needs itself: it judges what is known of them."""
    for rules, check in CHECKS:
        if all(need in state.complete for rule in rules for need in rule.needs):
            yield from check(state)
    for check in PARTIAL_CHECKS:
        yield from check(state)


def _check_identities(state: AccountState) -> Iterator[FlowRuleMatch]:
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for sid, flow in state.flows.items():
        identity = FLEX_FLOW.identity_of(flow)
        if identity and is_on(flow):
            channel = channel_of(flow)
            groups[channel, comparable_identity(channel, identity)].append(sid)
    for (channel, _), sids in groups.items():
        verb = "is" if len(sids) == 2 else "are"
        label = CHANNEL_TYPES.get(channel, channel) or "contact"
        for sid in sids if len(sids) > 1 else ():
            names = _quote_others(state, sid, sids)
            yield sid, TWO_ON, f"{names} {verb} also on for this {label} identity."


def _check_names(state: AccountState) -> Iterator[FlowRuleMatch]:
    groups: dict[str, list[str]] = defaultdict(list)
    for sid, flow in state.flows.items():
        name = normalize_text(FLEX_FLOW.name_of(flow))
        if name:
            groups[name].append(sid)
    for sids in groups.values():
        other_count = len(sids) - 1
        flows = "One other flow has" if other_count == 1 else f"{other_count} other flows have"
        for sid in sids if other_count else ():
            yield sid, SAME_NAME, f"{flows} this name."


def _check_numbers(state: AccountState) -> Iterator[FlowRuleMatch]:
    owned = _known_references(state, INCOMING_PHONE_NUMBER.name)
    for sid, identity in identities_on(state, "sms"):
        if identity.startswith("+") and normalize_identity(identity) not in owned:
            yield sid, NUMBER_NOT_OWNED, f"This account doesn't own the number {identity}."


def _check_senders(state: AccountState) -> Iterator[FlowRuleMatch]:
    senders = _known_references(state, WHATSAPP_SENDER.name)
    for sid, identity in identities_on(state, "whatsapp"):
        sender = senders.get(normalize_identity(identity))
        if sender is None:
            yield sid, SENDER_MISSING, f"This account has no WhatsApp sender {identity}."
        elif sender.status and not sender.status.startswith("ONLINE"):
            status = STATUSES.get(sender.status, sender.status)
            yield (
                sid,
                SENDER_OFFLINE,
                f"The WhatsApp sender isn't online: {status[:1].lower()}{status[1:]}.",
            )


def _check_task_channels(state: AccountState) -> Iterator[FlowRuleMatch]:
    channels_by_workspace: dict[str, set[str]] = defaultdict(set)
    for name in state.names.values():
        if name.resource == TASK_CHANNEL.name and not name.is_gone:
            channels_by_workspace[name.parent_sid] |= {name.sid, state.references.get(name.sid, "")}
    for sid, flow in state.flows.items():
        if FLEX_FLOW.variant_of(flow) != "task":
            continue
        channels = channels_by_workspace.get(str(flow.get("integration_workspace_sid")))
        channel = flow.get("integration_channel")
        if channels and isinstance(channel, str) and channel and channel not in channels:
            yield (
                sid,
                TASK_CHANNEL_UNKNOWN,
                f"The flow's workspace has no task channel “{channel}”.",
            )


_Checks = tuple[tuple[tuple[Rule, ...], Callable[[AccountState], Iterator[FlowRuleMatch]]], ...]
HANDOVER_CHECKS: Final[_Checks] = (((TASK_CHANNEL_UNKNOWN,), _check_task_channels),)
CHECKS: Final[_Checks] = (
    ((TWO_ON,), _check_identities),
    ((SENDER_OFFLINE, SENDER_MISSING), _check_senders),
    *HANDOVER_CHECKS,
    ((NUMBER_NOT_OWNED,), _check_numbers),
    ((SAME_NAME,), _check_names),
)
PARTIAL_CHECKS: Final = (*missing_targets.CHECKS, *studio_rules.CHECKS, *handling_rules.CHECKS)
RULES: Final = (
    *(rule for rules, _ in CHECKS for rule in rules),
    *studio_rules.RULES,
    *handling_rules.RULES,
)


def comparable_identity(channel: str, identity: str) -> str:
    """Return an identity in the form that all spellings of a number share.

    Identities of other channels are no numbers, and Twilio compares them letter by letter.
    """
    return normalize_identity(identity) if channel in NUMBER_CHANNELS else identity


def _quote_others(state: AccountState, sid: str, sids: Sequence[str]) -> str:
    """Return the names of the other flows as a list in words, with the number of those omitted."""
    other_sids = list(islice((other for other in sids if other != sid), MAX_NAMED))
    named = [f"“{FLEX_FLOW.name_of(state.flows[other]) or other}”" for other in other_sids]
    omitted = len(sids) - 1 - len(named)
    if omitted:
        named.append(f"{omitted} more")
    return str(get_text_list(named, "and"))


def _known_references(state: AccountState, resource: str) -> dict[str, Name]:
    """Return the objects of a resource that Twilio has, by their normalized number."""
    return {
        normalize_identity(state.references[name.sid]): name
        for name in _live(state.names.values(), resource)
        if state.references.get(name.sid)
    }


def _live(names: Iterable[Name], resource: str) -> Iterator[Name]:
    return (name for name in names if name.resource == resource and not name.is_gone)
