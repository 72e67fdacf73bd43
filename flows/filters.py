"""The filters of the list of flows, read from an address. A value that means nothing is a `Mistake`, which the page
shows and which finds nothing: no address that is not understood ever shows, selects or exports more than was asked for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flows import accounts
from flows.flexapi import schema
from flows.folding import fold
from flows.models import FlowTally

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
LONGEST: Final = 256  # characters of a search
KEPT: Final = 300  # characters of a value that means nothing: enough to show it, and to stay too long
MOST_UNKNOWN: Final = 5  # unknown parameters that are kept
_NO_FILTERS: Final = frozenset({"go"})  # what the form sends beside its filters
_ALLOWED: Final = {
    "channel": frozenset((*schema.CHANNEL_TYPES, NOT_SET)),
    "integration": frozenset((*schema.INTEGRATION_TYPES, NOT_SET)),
    "enabled": frozenset(("true", "false", "gone")),
}
_SAYS: Final = {
    "channel": "“{}” is not a channel of any flow.",
    "integration": "“{}” is not an integration type of any flow.",
    "enabled": "“{}” is not a status. Choose On, Off or Deleted.",
    "account": "“{}” is not one of your accounts.",
    "sort": "“{}” is not a column to sort by.",
    "page": "“{}” is not a page number.",
}

_HELD: Final = ("channel", "integration", "account")  # whose values the mirror holds, also unusual ones

Held = dict[str, Counter[str]]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A parameter of an address that means nothing: its name, its value, and what to say of it."""

    name: str
    value: str
    sentence: str

    @property
    def label(self) -> str:
        return f"{LABELS.get(self.name, self.name)}: {self.value}"


@dataclass(slots=True)
class Reading:
    """What an address asks for: a value for each known parameter, the mistakes, and what else stood there."""

    values: dict[str, Any] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    leftover: list[tuple[str, str]] = field(default_factory=list)

    def refuse(self, name: str, value: str, sentence: str = "") -> None:
        value = value[:KEPT]
        self.mistakes.append(Mistake(name, value, sentence or _SAYS[name].format(value)))


def read(parameters: Mapping[str, str], within: accounts.Scope, sorts: Mapping[str, str]) -> Reading:
    """Read the parameters of an address, as somebody who sees the accounts of `within`."""
    reading = Reading()
    _read_search(reading, parameters.get("q", ""))
    held: Held | None = None
    for name in ("channel", "integration", "enabled", "account"):
        value = parameters.get(name, "")
        reading.values[name] = value[:KEPT]
        if not value or _is_usual(name, value, within):
            continue
        if name in _HELD and held is None:
            held = held_values(within)
        if value not in (held or {}).get(name, ()):
            reading.refuse(name, value)
    _read_order(reading, parameters.get("sort", ""), sorts)
    _read_page(reading, parameters.get("page", ""))
    _read_repeated(reading, parameters)
    _read_unknown(reading, parameters)
    return reading


def held_values(within: accounts.Scope) -> Held:
    """The number of flows by channel, integration type and account that the mirror holds of these accounts."""
    tally = accounts.within(FlowTally.objects.filter(flows__gt=0), within)
    held: Held = {name: Counter() for name in _HELD}
    for account, channel, integration, flows in tally.values_list(
        "account_sid", "channel_type", "integration_type", "flows"
    ):
        held["channel"][channel or NOT_SET] += flows
        held["integration"][integration or NOT_SET] += flows
        held["account"][account] += flows
    return held


def _is_usual(name: str, value: str, within: accounts.Scope) -> bool:
    if name == "account":
        return any(account.sid == value for account in accounts.of_scope(within))
    return value in _ALLOWED[name]


def _read_search(reading: Reading, text: str) -> None:
    reading.values["q"] = text[:KEPT] if text.strip() else ""
    if "\x00" in text:
        reading.refuse("q", text, "The search contains a NUL character (U+0000).")
    elif len(text) > LONGEST:
        reading.refuse("q", text, f"The search is longer than {LONGEST} characters.")
    elif text.strip() and not fold(text):
        reading.refuse("q", text, "The search has no visible characters.")


def _read_order(reading: Reading, sort: str, sorts: Mapping[str, str]) -> None:
    reading.values["sort"] = sort[:KEPT] or "name"
    if sort and sort.removeprefix("-") not in sorts:
        reading.refuse("sort", sort)


def _read_page(reading: Reading, page: str) -> None:
    is_number = re.fullmatch(r"[0-9]{1,6}", page) is not None and int(page) > 0
    reading.values["page"] = int(page) if is_number else 1
    if page and not is_number:
        reading.refuse("page", page)
        reading.leftover.append(("page", page[:KEPT]))


def _read_repeated(reading: Reading, parameters: Mapping[str, str]) -> None:
    """Of a parameter that is given twice with different values, nobody knows which is meant."""
    usual = {"sort": "name", "page": 1}
    for name in LABELS:
        given = parameters.getlist(name) if hasattr(parameters, "getlist") else []
        different = [value[:KEPT] for value in dict.fromkeys(given)]
        if len(different) > 1:
            values = ", ".join(f"“{value}”" for value in different)
            reading.refuse(name, values, f"{LABELS[name]} has more than one value: {values}.")
            reading.values[name] = usual.get(name, "")
            reading.leftover = [one for one in reading.leftover if one[0] != name]
            reading.leftover += [(name, value) for value in different[:MOST_UNKNOWN]]


def _read_unknown(reading: Reading, parameters: Mapping[str, str]) -> None:
    unknown = [name for name in parameters if name not in LABELS and name not in _NO_FILTERS]
    for name in unknown[:MOST_UNKNOWN]:
        value = parameters[name][:KEPT]
        if value:
            reading.refuse(name[:KEPT], value, f"There is no filter called “{name[:KEPT]}”.")
            reading.leftover.append((name[:KEPT], value))
