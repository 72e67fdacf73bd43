"""The filters above the list: their options with counts, and the chips of the active ones."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Account
from flows.checks.checking import RULES, RULES_BY_ID
from flows.local_details.choices import load_choices
from flows.mirror.targets import describe_target
from flows.search import facets, flow_search, target_names
from flows.search.filters import LABELS, NOT_SET
from flows.search.finding_filter import ANY
from flows.twilio.flex.flex_flow import CHANNEL_TYPES, INTEGRATION_TYPES, STATES

MAX_EXTRA_OPTIONS: Final = 20  # options for values that the schema does not know
_VALUE_LABELS: Final[dict[str, dict[str, str]]] = {
    "q": {},
    "channel": {**CHANNEL_TYPES, NOT_SET: "Not set"},
    "integration": {**INTEGRATION_TYPES, NOT_SET: "Not set"},
    "enabled": {**STATES, "gone": "Deleted at Twilio"},
    "owner": {NOT_SET: "No owner"},
    "tag": {NOT_SET: "No tag"},
    "warnings": {"true": "Yes"},
    "check": {ANY: "Any finding"} | {rule.rule_id: rule.title for rule in RULES},
}
_STANDARD_VALUES: Final[dict[str, tuple[str, ...]]] = {
    "channel": tuple(CHANNEL_TYPES),
    "integration": (*INTEGRATION_TYPES, NOT_SET),
    "enabled": ("true", "false", "gone"),
}

Option = tuple[str, str]  # value, label


def filter_options(
    query: flow_search.Query,
    answer: flow_search.SearchResult,
    accounts: Sequence[Account],
    *,
    tally: facets.Tally,
    has_details: bool,
    checks: Mapping[str, int],
) -> dict[str, list[Option]]:
    """Return the options of each filter with the number of flows that each would find.

    They include values that only the mirror has, and the active one. Accounts are a filter only if
    there are several. `checks` has the numbers of flows at which each check found something.
    """
    stored_values = facets.count_values(facets.group_tally(tally, query.scope))
    options = {}
    for name, standard_values in _STANDARD_VALUES.items():
        extra_values = _extra_values(stored_values.get(name, Counter()), standard_values)
        values = [*standard_values, *extra_values]
        options[name] = _build_options(query, answer, name, values)
    if len(accounts) > 1:
        sids = [account.sid for account in accounts]
        options["account"] = _build_options(query, answer, "account", sids)
    return {
        **options,
        **_details_options(query, has_details=has_details),
        **_check_options(query, checks),
    }


def _check_options(query: flow_search.Query, checks: Mapping[str, int]) -> dict[str, list[Option]]:
    """Return the options of the filter by check, the worst first, or none without any finding."""
    labels = _VALUE_LABELS["check"]
    options = [
        (rule.rule_id, f"{rule.title} ({checks[rule.rule_id]})")
        for rule in RULES
        if checks.get(rule.rule_id)
    ]
    if query.check in RULES_BY_ID and not checks.get(query.check):
        options.append((query.check, labels[query.check]))
    if not options and not query.check:
        return {}
    if query.has_error("check"):
        options.append((query.check, f"Unknown: {query.check}"))
    return {"check": [(ANY, labels[ANY]), *options]}


def _details_options(query: flow_search.Query, *, has_details: bool) -> dict[str, list[Option]]:
    """Return the options of the filters by owner and tag, which flows have on this site only.

    A filter without options is omitted. The options have no numbers of flows, because the tally
    doesn't count by owner and tag.
    """
    options = {}
    choices = load_choices(query.scope) if has_details else {"owner": [], "tag": []}
    for name, values in choices.items():
        labels = [(value, value) for value in values]
        active_value = str(getattr(query, name))
        if active_value and active_value not in (*values, NOT_SET):
            labels.append((active_value, active_value))
        if labels:
            options[name] = [*labels, (NOT_SET, _VALUE_LABELS[name][NOT_SET])]
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
    chips: list[dict[str, Any]] = []
    for name in ("q", *flow_search.FILTERS):
        value = getattr(query, name)
        if value and not query.has_error(name):
            value_label = _target_label(query) if name == "target" else ""
            value_label = value_label or _value_labels(query, name).get(value, value)
            label = f"{LABELS[name]}: {value_label}"
            chips.append({"label": label, "remove_url": query.without(name).url()})
    return chips + _error_chips(query)


def _target_label(query: flow_search.Query) -> str:
    kind, value = query.target_key
    return describe_target(kind, value, target_names.find_name(value, query.scope))


def _error_chips(query: flow_search.Query) -> list[dict[str, Any]]:
    """Return a marked chip for each parameter with an error, the last one of each."""
    errors = {error.name: error for error in query.errors}
    return [
        {"label": error.label, "remove_url": query.without(name).url(), "is_wrong": True}
        for name, error in errors.items()
    ]


def _extra_values(stored_values: Counter[str], standard_values: Sequence[str]) -> list[str]:
    """Return the most frequent values of the mirror that the schema doesn't know."""
    values = [value for value, _ in stored_values.most_common() if value not in standard_values]
    return values[:MAX_EXTRA_OPTIONS]


def _build_options(
    query: flow_search.Query,
    answer: flow_search.SearchResult,
    name: str,
    values: Sequence[str],
) -> list[Option]:
    """Return the options of one filter, with the active value even if it isn't one of `values`.

    Without it, the form would drop the filter with the next keystroke.
    """
    value_labels = _value_labels(query, name)
    options = []
    for value in values:
        count = _format_count(answer, answer.facets[name][value])
        options.append((value, f"{value_labels.get(value, value)} ({count})"))
    active_value = str(getattr(query, name))
    if active_value and active_value not in values:
        label = value_labels.get(active_value, active_value)
        if query.has_error(name):
            label = f"Unknown: {active_value}"
        options.append((active_value, label))
    return options


def _value_labels(query: flow_search.Query, name: str) -> Mapping[str, str]:
    """Return the labels of a filter's values. The page shows other values as they are."""
    if name == "account":
        accounts = twilio_accounts.visible_accounts(query.scope)
        return {account.sid: str(account) for account in accounts}
    return _VALUE_LABELS[name]


def _format_count(answer: flow_search.SearchResult, count: int) -> str:
    return f"{count}+" if answer.is_bounded else str(count)
