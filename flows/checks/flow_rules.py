"""Rules about one flow: settings that Twilio accepts but that look wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flows.checks.contact_identity import find_identity_warnings
from flows.checks.field_values import (
    find_default_values,
    find_missing_values,
    find_unreadable_values,
    is_unset,
)
from flows.checks.findings import Finding, Rule, Severity, warnings_of
from flows.checks.target_rules import NO_NAMES, NamesBySid, check_targets
from flows.core import invisible
from flows.twilio.flex.flex_flow import FLEX_FLOW, INTEGRATION_TYPES, is_on

UNEXPECTED_VALUE: Final = Rule(
    "unexpected-value",
    Severity.WARNING,
    "A field has an unexpected value",
    "Twilio's documentation knows no such value, so what it does with it can't be told.",
    "Edit the flow and choose a documented value.",
)
VALUE_MISSING: Final = Rule(
    "required-value-missing",
    Severity.ERROR,
    "A field that the integration needs is missing",
    "Twilio has nothing to hand the message to, so customers get no answer.",
    "Edit the flow and fill in the field.",
)
DEFAULT_VALUE: Final = Rule(
    "required-value-by-default",
    Severity.INFORMATION,
    "A field that the integration needs is left to Twilio's default",
    "Twilio documents a default for it, which may not be what was meant.",
    "Edit the flow and choose a value if the default isn't meant.",
)
NO_TYPE: Final = Rule(
    "no-integration-type",
    Severity.WARNING,
    "No integration type is set",
    "Twilio then uses Studio, which may not be what was meant.",
    "Edit the flow and choose its integration type.",
)
OTHER_TYPE: Final = Rule(
    "parameters-of-another-type",
    Severity.INFORMATION,
    "Has parameters of another integration type",
    "Twilio ignores them, so a webhook or a workflow that is set here is never called.",
    "Change the integration type if they were meant. Otherwise they do no harm.",
)
IDENTITY: Final = Rule(
    "contact-identity",
    Severity.WARNING,
    "The contact identity is missing or doesn't fit the channel",
    "Twilio finds a flow by the exact address that a message was sent to.",
    "Edit the flow and enter the address as its channel writes it.",
)
INVISIBLE: Final = Rule(
    "invisible-characters",
    Severity.WARNING,
    "A name or an identity has invisible characters",
    "Two names can look the same, and a number with such a character is another number.",
    "Edit the flow and type the name or the number again.",
)
NOT_ENCRYPTED: Final = Rule(
    "webhook-not-encrypted",
    Severity.WARNING,
    "The webhook is not encrypted",
    "Customers' messages can be read and changed on their way.",
    "Use the handler's https:// address.",
)
FRAGMENT: Final = Rule(
    "webhook-fragment",
    Severity.WARNING,
    "The webhook URL has a part that is never sent",
    "Everything after # stays with the caller, so the handler never sees it.",
    "Move it into the path or the query of the URL.",
)
LONG_LIVED_JANITOR: Final = Rule(
    "long-lived-with-janitor",
    Severity.INFORMATION,
    "Is long-lived, and the janitor is on",
    "A long-lived channel is kept for the next contact, while the janitor closes what is left over.",
    "Turn one of them off if conversations end before they should.",
)
RULES: Final = (
    VALUE_MISSING,
    NO_TYPE,
    UNEXPECTED_VALUE,
    IDENTITY,
    INVISIBLE,
    NOT_ENCRYPTED,
    FRAGMENT,
    DEFAULT_VALUE,
    OTHER_TYPE,
    LONG_LIVED_JANITOR,
)
RuleMatch = tuple[Rule, str]
# The targets that an integration type doesn't use. Its other fields do no harm.
_OTHER_TARGETS: Final = {
    variant: [
        field
        for field in FLEX_FLOW.nested_fields
        if field.takes and variant not in field.takes and (field.sid_prefix or field.kind == "url")
    ]
    for variant in INTEGRATION_TYPES
}


def check_flow(snapshot: Mapping[str, Any], names: NamesBySid = NO_NAMES) -> list[Finding]:
    """Return what is wrong with a flow. `names` are those of what it points to, by SID."""
    on = is_on(snapshot)
    return [Finding(rule, message, is_on=on) for rule, message in _check(snapshot, names)]


def check_handover(snapshot: Mapping[str, Any], names: NamesBySid = NO_NAMES) -> Iterator[Finding]:
    """Yield the errors of `check_flow`, as if the flow were on: why it can't hand over a message."""
    for rule, message in _check_handover(snapshot, names):
        if rule.severity == Severity.ERROR:
            yield Finding(rule, message)


def find_warnings(
    snapshot: Mapping[str, Any],
    names: NamesBySid = NO_NAMES,
    *,
    suppressed: frozenset[str] = frozenset(),
) -> list[str]:
    """Return the warnings about a flow as sentences, the most serious first.

    `suppressed` are the digests of findings that don't count.
    """
    findings = check_flow(snapshot, names)
    if suppressed:
        findings = [each for each in findings if each.digest not in suppressed]
    return warnings_of(findings)


def _check(snapshot: Mapping[str, Any], names: NamesBySid) -> Iterator[RuleMatch]:
    yield from _check_handover(snapshot, names)
    for sentence in find_unreadable_values(FLEX_FLOW, snapshot):
        yield UNEXPECTED_VALUE, sentence
    for sentence in find_default_values(FLEX_FLOW, snapshot):
        yield DEFAULT_VALUE, sentence
    yield from _check_type(snapshot)
    yield from _check_other_types(snapshot)
    channel, identity = _text_of(snapshot, "channel_type"), FLEX_FLOW.identity_of(snapshot)
    for sentence in find_identity_warnings(channel, identity):
        yield IDENTITY, sentence
    yield from _check_invisible_characters(snapshot)
    yield from _check_webhook(snapshot)
    if snapshot.get("long_lived") is True and snapshot.get("janitor_enabled") is True:
        yield LONG_LIVED_JANITOR, "The channel is long-lived, and the janitor is on."


def _check_handover(snapshot: Mapping[str, Any], names: NamesBySid) -> Iterator[RuleMatch]:
    """Check what a flow hands its messages to. All rules about a flow that are errors are here."""
    yield from check_targets(snapshot, names)
    for sentence in find_missing_values(FLEX_FLOW, snapshot):
        yield VALUE_MISSING, sentence


def _check_type(snapshot: Mapping[str, Any]) -> Iterator[RuleMatch]:
    """Check for a missing integration type. An unexpected type has a rule of its own."""
    if not is_unset(FLEX_FLOW, snapshot, "integration_type"):
        return
    if FLEX_FLOW.variant_of(snapshot):
        yield NO_TYPE, "No integration type is set. Twilio uses Studio by default."
        return
    sentence = "No integration type is set, so messages may go nowhere."
    if not is_unset(FLEX_FLOW, snapshot, "integration_url"):
        sentence += " Twilio's default is Studio, so the webhook may not be called."
    yield NO_TYPE, sentence


def _check_other_types(snapshot: Mapping[str, Any]) -> Iterator[RuleMatch]:
    """Check for targets of another integration type."""
    integration_type = snapshot.get("integration_type")
    if not isinstance(integration_type, str) or integration_type not in _OTHER_TARGETS:
        return
    labels = [field.label for field in _OTHER_TARGETS[integration_type] if snapshot.get(field.name)]
    if labels:
        verb, pronoun = ("is", "it") if len(labels) == 1 else ("are", "them")
        type_label = INTEGRATION_TYPES[integration_type]
        yield (
            OTHER_TYPE,
            f"{', '.join(labels)} {verb} set. The integration type “{type_label}” doesn't use {pronoun}.",
        )


def _check_invisible_characters(snapshot: Mapping[str, Any]) -> Iterator[RuleMatch]:
    """Check for invisible characters, which make two names look alike or change a number."""
    for name in ("friendly_name", "contact_identity"):
        characters = _invisible_characters(_text_of(snapshot, name))
        if characters:
            label = FLEX_FLOW.label_of(name)
            code_points = invisible.format_code_points(characters)
            yield INVISIBLE, f"{label} contains invisible characters: {code_points}."


def _invisible_characters(text: str) -> list[str]:
    """Return the invisible characters of a text, without white space."""
    characters = invisible.find_invisible(text)
    return [character for character in characters if not character.isspace()]


def _check_webhook(snapshot: Mapping[str, Any]) -> Iterator[RuleMatch]:
    """Check a webhook URL for encryption and for a part that is never sent."""
    if FLEX_FLOW.variant_of(snapshot) != "external":
        return
    url = _text_of(snapshot, "integration_url")
    if url.lower().startswith("http:"):
        yield NOT_ENCRYPTED, "The webhook is not encrypted. Use https:// instead of http://."
    if "#" in url:
        yield FRAGMENT, "The part of the webhook URL after # is never sent."


def _text_of(snapshot: Mapping[str, Any], name: str) -> str:
    """Return the value of a field, or "" if it is not a text."""
    value = snapshot.get(name)
    return value if isinstance(value, str) else ""
