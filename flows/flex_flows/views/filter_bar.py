"""The filters of the list as its page shows them: the options with their counts, and the chips of those in force."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Account
from flows.search import filters, flow_search
from flows.search.filters import LABELS, NOT_SET
from flows.twilio import labels
from flows.twilio.flex import flex_flow

MAX_EXTRA_OPTIONS: Final = 20  # options for values that the schema does not know
_STATUS_LABELS: Final = {"true": "On", "false": "Off", "gone": "Deleted at Twilio"}
_STANDARD_VALUES: Final[dict[str, tuple[str, ...]]] = {
    "channel": flex_flow.CHANNEL_TYPES,
    "integration": (*flex_flow.INTEGRATION_TYPES, NOT_SET),
    "enabled": ("true", "false", "gone"),
}

Option = tuple[str, str]  # the value, and the words for it


def filter_options(
    query: flow_search.Query, answer: flow_search.SearchResult, here: Sequence[Account]
) -> dict[str, list[Option]]:
    """The options of each filter with the number of flows that it would give, also of values that only the mirror
    knows, and of the one in force. A choice of accounts only where there are several."""
    held = answer.value_counts or filters.count_stored_values(query.scope)
    found = {
        name: [*usual, *_extra_values(held.get(name, Counter()), usual)]
        for name, usual in _STANDARD_VALUES.items()
    } | ({"account": [account.sid for account in here]} if len(here) > 1 else {})
    return {name: [_build_option(query, answer, name, value) for value in values] + _unlisted_option(query, name, values)
            for name, values in found.items()}  # fmt: skip


def facets_as_json(answer: flow_search.SearchResult) -> str:
    """The counts that the script writes into the options; the empty key has the one of all others."""
    shown = {
        name: {value: _format_count(answer, flows) for value, flows in counts.items()}
        for name, counts in answer.facets.items()
    }
    return json.dumps({"": _format_count(answer, 0), **shown}, separators=(",", ":"))


def filter_chips(query: flow_search.Query) -> list[dict[str, Any]]:
    """The filters in force, each with the address without it; those that mean nothing are marked."""
    wrong = {one.name: one for one in query.errors}
    in_force = [
        name for name in ("q", *flow_search.FILTERS) if getattr(query, name) and name not in wrong
    ]
    return [
        {
            "label": f"{LABELS[name]}: {_value_label(query, name, getattr(query, name))}",
            "remove_url": query.without(name).url(),
        }
        for name in in_force
    ] + [
        {"label": one.label, "remove_url": query.without(name).url(), "is_wrong": True}
        for name, one in wrong.items()
    ]


def _extra_values(held: Counter[str], usual: Sequence[str]) -> list[str]:
    values = [value for value, _ in held.most_common() if value not in usual]
    return values[:MAX_EXTRA_OPTIONS]


def _build_option(
    query: flow_search.Query, answer: flow_search.SearchResult, name: str, value: str
) -> Option:
    count = _format_count(answer, answer.facets[name][value])
    return value, f"{_value_label(query, name, value)} ({count})"


def _unlisted_option(query: flow_search.Query, name: str, offered: Sequence[str]) -> list[Option]:
    """The option of a value that is not offered: without it, the form would drop the filter at the next key."""
    value = str(getattr(query, name))
    if not value or value in offered:
        return []
    is_wrong = any(one.name == name for one in query.errors)
    return [(value, f"Unknown: {value}" if is_wrong else _value_label(query, name, value))]


def _value_label(query: flow_search.Query, name: str, value: str) -> str:
    if name == "account":
        return {
            account.sid: str(account) for account in twilio_accounts.visible_accounts(query.scope)
        }.get(value, value)
    if name == "enabled":
        return _STATUS_LABELS.get(value, value)
    if name == "q":
        return value
    return "Not set" if value == NOT_SET else labels.CHOICE_LABELS.get(value, value)


def _format_count(answer: flow_search.SearchResult, flows: int) -> str:
    return f"{flows}+" if answer.is_bounded else str(flows)
