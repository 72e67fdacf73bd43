"""The filters of the list of flows, read from an address. A value that means nothing is a `Mistake`, which the page
shows and which finds nothing: no address that is not understood ever shows, selects or exports more than was asked for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flows.accounts import twilio_accounts
from flows.core.normalization import normalize_text
from flows.search.models import FlowTally
from flows.twilio.flex import flex_flow

LABELS: Final = {
    "q": "Search",
    "channel": "Channel",
    "integration": "Handled by",
    "enabled": "Status",
    "account": "Account",
    "sort": "Order",
    "page": "Page",
}
NOT_SET: Final = "none"  # the filter's value for flows that have no channel, or no integration type
MAX_SEARCH_LENGTH: Final = 256  # characters of a search
MAX_VALUE_LENGTH: Final = (
    300  # characters of a value that means nothing: enough to show it, and to stay too long
)
MAX_UNKNOWN_PARAMETERS: Final = 5  # unknown parameters that are kept
_IGNORED_PARAMETERS: Final = frozenset({"go"})  # what the form sends beside its filters
_ALLOWED_VALUES: Final = {
    "channel": frozenset((*flex_flow.CHANNEL_TYPES, NOT_SET)),
    "integration": frozenset((*flex_flow.INTEGRATION_TYPES, NOT_SET)),
    "enabled": frozenset(("true", "false", "gone")),
}
_ERROR_MESSAGES: Final = {
    "channel": "“{}” is not a channel of any flow.",
    "integration": "“{}” is not an integration type of any flow.",
    "enabled": "“{}” is not a status. Choose On, Off or Deleted.",
    "account": "“{}” is not one of your accounts.",
    "sort": "“{}” is not a column to sort by.",
    "page": "“{}” is not a page number.",
}

_STORED_FILTERS: Final = (
    "channel",
    "integration",
    "account",
)  # whose values the mirror holds, also unusual ones

ValueCounts = dict[str, Counter[str]]


@dataclass(frozen=True, slots=True)
class InvalidParameter:
    """A parameter of an address that means nothing: its name, its value, and what to say of it."""

    name: str
    value: str
    sentence: str

    @property
    def label(self) -> str:
        return f"{LABELS.get(self.name, self.name)}: {self.value}"


@dataclass(slots=True)
class ParsedParameters:
    """What an address asks for: a value for each known parameter, the errors, and what else stood there."""

    values: dict[str, Any] = field(default_factory=dict)
    errors: list[InvalidParameter] = field(default_factory=list)
    leftover: list[tuple[str, str]] = field(default_factory=list)

    def refuse(self, name: str, value: str, sentence: str = "") -> None:
        value = value[:MAX_VALUE_LENGTH]
        self.errors.append(
            InvalidParameter(name, value, sentence or _ERROR_MESSAGES[name].format(value))
        )


def parse_parameters(
    parameters: Mapping[str, str], within: twilio_accounts.Scope, sorts: Mapping[str, str]
) -> ParsedParameters:
    """Read the parameters of an address, as somebody who sees the accounts of `within`."""
    reading = ParsedParameters()
    _parse_search(reading, parameters.get("q", ""))
    held: ValueCounts | None = None
    for name in ("channel", "integration", "enabled", "account"):
        value = parameters.get(name, "")
        reading.values[name] = value[:MAX_VALUE_LENGTH]
        if not value or _is_known_value(name, value, within):
            continue
        if name in _STORED_FILTERS and held is None:
            held = count_stored_values(within)
        if value not in (held or {}).get(name, ()):
            reading.refuse(name, value)
    _parse_sort(reading, parameters.get("sort", ""), sorts)
    _parse_page(reading, parameters.get("page", ""))
    _reject_repeated(reading, parameters)
    _reject_unknown(reading, parameters)
    return reading


def count_stored_values(within: twilio_accounts.Scope) -> ValueCounts:
    """The number of flows by channel, integration type and account that the mirror holds of these accounts."""
    tally = twilio_accounts.filter_scope(FlowTally.objects.filter(flows__gt=0), within)
    held: ValueCounts = {name: Counter() for name in _STORED_FILTERS}
    for account, channel, integration, flows in tally.values_list(
        "account_sid", "channel_type", "integration_type", "flows"
    ):
        held["channel"][channel or NOT_SET] += flows
        held["integration"][integration or NOT_SET] += flows
        held["account"][account] += flows
    return held


def _is_known_value(name: str, value: str, within: twilio_accounts.Scope) -> bool:
    if name == "account":
        return any(account.sid == value for account in twilio_accounts.visible_accounts(within))
    return value in _ALLOWED_VALUES[name]


def _parse_search(reading: ParsedParameters, text: str) -> None:
    reading.values["q"] = text[:MAX_VALUE_LENGTH] if text.strip() else ""
    if "\x00" in text:
        reading.refuse("q", text, "The search contains a NUL character (U+0000).")
    elif len(text) > MAX_SEARCH_LENGTH:
        reading.refuse("q", text, f"The search is longer than {MAX_SEARCH_LENGTH} characters.")
    elif text.strip() and not normalize_text(text):
        reading.refuse("q", text, "The search has no visible characters.")


def _parse_sort(reading: ParsedParameters, sort: str, sorts: Mapping[str, str]) -> None:
    reading.values["sort"] = sort[:MAX_VALUE_LENGTH] or "name"
    if sort and sort.removeprefix("-") not in sorts:
        reading.refuse("sort", sort)


def _parse_page(reading: ParsedParameters, page: str) -> None:
    is_number = re.fullmatch(r"[0-9]{1,6}", page) is not None and int(page) > 0
    reading.values["page"] = int(page) if is_number else 1
    if page and not is_number:
        reading.refuse("page", page)
        reading.leftover.append(("page", page[:MAX_VALUE_LENGTH]))


def _reject_repeated(reading: ParsedParameters, parameters: Mapping[str, str]) -> None:
    """Of a parameter that is given twice with different values, nobody knows which is meant."""
    usual = {"sort": "name", "page": 1}
    for name in LABELS:
        given = parameters.getlist(name) if hasattr(parameters, "getlist") else []
        different = [value[:MAX_VALUE_LENGTH] for value in dict.fromkeys(given)]
        if len(different) > 1:
            values = ", ".join(f"“{value}”" for value in different)
            reading.refuse(name, values, f"{LABELS[name]} has more than one value: {values}.")
            reading.values[name] = usual.get(name, "")
            reading.leftover = [one for one in reading.leftover if one[0] != name]
            reading.leftover += [(name, value) for value in different[:MAX_UNKNOWN_PARAMETERS]]


def _reject_unknown(reading: ParsedParameters, parameters: Mapping[str, str]) -> None:
    unknown = [
        name for name in parameters if name not in LABELS and name not in _IGNORED_PARAMETERS
    ]
    for name in unknown[:MAX_UNKNOWN_PARAMETERS]:
        value = parameters[name][:MAX_VALUE_LENGTH]
        if value:
            reading.refuse(
                name[:MAX_VALUE_LENGTH],
                value,
                f"There is no filter called “{name[:MAX_VALUE_LENGTH]}”.",
            )
            reading.leftover.append((name[:MAX_VALUE_LENGTH], value))
