"""The filters above the list: their options with counts, and the chips of the active ones."""

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
from flows.twilio.flex.flex_flow import CHANNEL_TYPES, INTEGRATION_TYPES

MAX_EXTRA_OPTIONS: Final = 20  # options for values that the schema does not know
_STATUS_LABELS: Final = {"true": "On", "false": "Off", "gone": "Deleted at Twilio"}
_CHOICE_LABELS: Final = {**labels.CHOICE_LABELS, NOT_SET: "Not set"}
_STANDARD_VALUES: Final[dict[str, tuple[str, ...]]] = {
    "channel": CHANNEL_TYPES,
    "integration": (*INTEGRATION_TYPES, NOT_SET),
    "enabled": ("true", "false", "gone"),
}

Option = tuple[str, str]  # value, label


def filter_options(
    query: flow_search.Query, answer: flow_search.SearchResult, accounts: Sequence[Account]
) -> dict[str, list[Option]]:
    """Return the options of each filter with the number of flows that each would find.

    They include values that only the mirror has, and the active one. Accounts are a filter only if
    there are several.
    """
    stored_values = answer.value_counts or filters.count_stored_values(query.scope)
    values_by_filter: dict[str, list[str]] = {}
    for name, standard_values in _STANDARD_VALUES.items():
        extra_values = _extra_values(stored_values.get(name, Counter()), standard_values)
        values_by_filter[name] = [*standard_values, *extra_values]
    if len(accounts) > 1:
        values_by_filter["account"] = [account.sid for account in accounts]

    options = {}
    for name, values in values_by_filter.items():
        options[name] = [_build_option(query, answer, name, value) for value in values]
        options[name] += _unlisted_option(query, name, values)
    return options


def facets_as_json(answer: flow_search.SearchResult) -> str:
    """Return the counts that the script writes into the options.

    The count under the empty key is for all options that have none of their own.
    """
    labels_by_filter: dict[str, Any] = {"": _format_count(answer, 0)}
    for name, counts in answer.facets.items():
        labels_by_filter[name] = {
            value: _format_count(answer, count) for value, count in counts.items()
        }
    return json.dumps(labels_by_filter, separators=(",", ":"))


def filter_chips(query: flow_search.Query) -> list[dict[str, Any]]:
    """Return a chip for each active filter, with the address without it.

    Filters with an error come last and are marked.
    """
    errors = {error.name: error for error in query.errors}
    chips: list[dict[str, Any]] = []
    for name in ("q", *flow_search.FILTERS):
        value = getattr(query, name)
        if not value or name in errors:
            continue
        label = f"{LABELS[name]}: {_value_label(query, name, value)}"
        remove_url = query.without(name).url()
        chips.append({"label": label, "remove_url": remove_url})
    for name, error in errors.items():
        remove_url = query.without(name).url()
        chips.append({"label": error.label, "remove_url": remove_url, "is_wrong": True})
    return chips


def _extra_values(stored_values: Counter[str], standard_values: Sequence[str]) -> list[str]:
    """Return the most frequent values of the mirror that the schema doesn't know."""
    values = [value for value, _ in stored_values.most_common() if value not in standard_values]
    return values[:MAX_EXTRA_OPTIONS]


def _build_option(
    query: flow_search.Query, answer: flow_search.SearchResult, name: str, value: str
) -> Option:
    count = _format_count(answer, answer.facets[name][value])
    return value, f"{_value_label(query, name, value)} ({count})"


def _unlisted_option(query: flow_search.Query, name: str, values: Sequence[str]) -> list[Option]:
    """Return the active value as an option if it isn't one already.

    Without it, the form would drop the filter with the next keystroke.
    """
    value = str(getattr(query, name))
    if not value or value in values:
        return []
    label = _value_label(query, name, value)
    if query.has_error(name):
        label = f"Unknown: {value}"
    return [(value, label)]


def _value_label(query: flow_search.Query, name: str, value: str) -> str:
    """Return the value of a filter as the page shows it. One without a label stays as it is."""
    if name == "q":
        return value
    if name == "account":
        accounts = twilio_accounts.visible_accounts(query.scope)
        value_labels = {account.sid: str(account) for account in accounts}
    elif name == "enabled":
        value_labels = _STATUS_LABELS
    else:
        value_labels = _CHOICE_LABELS
    return value_labels.get(value, value)


def _format_count(answer: flow_search.SearchResult, count: int) -> str:
    return f"{count}+" if answer.is_bounded else str(count)
