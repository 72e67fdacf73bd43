"""The filters of the list as its page shows them: the options with their counts, and the chips of those in force."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from flows import accounts, filters, search, words
from flows.accounts import Account
from flows.filters import LABELS, NOT_SET
from flows.flexapi import schema

MOST_UNUSUAL: Final = 20  # options for values that the schema does not know
_STATUSES: Final = {"true": "On", "false": "Off", "gone": "Deleted at Twilio"}
_USUAL: Final[dict[str, tuple[str, ...]]] = {
    "channel": schema.CHANNEL_TYPES,
    "integration": (*schema.INTEGRATION_TYPES, NOT_SET),
    "enabled": ("true", "false", "gone"),
}

Option = tuple[str, str]  # the value, and the words for it


def choices(query: search.Query, answer: search.Answer, here: Sequence[Account]) -> dict[str, list[Option]]:
    """The options of each filter with the number of flows that it would give, also of values that only the mirror
    knows, and of the one in force. A choice of accounts only where there are several."""
    held = answer.held or filters.held_values(query.within)
    found = {
        name: [*usual, *_unusual(held.get(name, Counter()), usual)] for name, usual in _USUAL.items()
    } | ({"account": [account.sid for account in here]} if len(here) > 1 else {})
    return {name: [_option(query, answer, name, value) for value in values] + _wrong(query, name, values)
            for name, values in found.items()}  # fmt: skip


def facets_as_json(answer: search.Answer) -> str:
    """The counts that the script writes into the options; the empty key has the one of all others."""
    shown = {
        name: {value: _count(answer, flows) for value, flows in counts.items()}
        for name, counts in answer.facets.items()
    }
    return json.dumps({"": _count(answer, 0), **shown}, separators=(",", ":"))


def chips(query: search.Query) -> list[dict[str, Any]]:
    """The filters in force, each with the address without it; those that mean nothing are marked."""
    wrong = {one.name: one for one in query.mistakes}
    in_force = [name for name in ("q", *search.FILTERS) if getattr(query, name) and name not in wrong]
    return [
        {
            "label": f"{LABELS[name]}: {_name_of(query, name, getattr(query, name))}",
            "remove_url": query.without(name).url(),
        }
        for name in in_force
    ] + [
        {"label": one.label, "remove_url": query.without(name).url(), "is_wrong": True}
        for name, one in wrong.items()
    ]


def _unusual(held: Counter[str], usual: Sequence[str]) -> list[str]:
    values = [value for value, _ in held.most_common() if value not in usual]
    return values[:MOST_UNUSUAL]


def _option(query: search.Query, answer: search.Answer, name: str, value: str) -> Option:
    count = _count(answer, answer.facets[name][value])
    return value, f"{_name_of(query, name, value)} ({count})"


def _wrong(query: search.Query, name: str, offered: Sequence[str]) -> list[Option]:
    """The option of a value that is not offered: without it, the form would drop the filter at the next key."""
    value = str(getattr(query, name))
    if not value or value in offered:
        return []
    is_wrong = any(one.name == name for one in query.mistakes)
    return [(value, f"Unknown: {value}" if is_wrong else _name_of(query, name, value))]


def _name_of(query: search.Query, name: str, value: str) -> str:
    if name == "account":
        return {account.sid: str(account) for account in accounts.of_scope(query.within)}.get(value, value)
    if name == "enabled":
        return _STATUSES.get(value, value)
    if name == "q":
        return value
    return "Not set" if value == NOT_SET else words.ENUMS.get(value, value)


def _count(answer: search.Answer, flows: int) -> str:
    return f"{flows}+" if answer.is_bounded else str(flows)
