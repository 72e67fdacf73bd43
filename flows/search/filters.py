"""The filters of the flow list, parsed from the parameters of a URL.

An invalid value becomes an `InvalidParameter`, which the page shows, and the query then finds
nothing. A misunderstood URL must never show, select or export more flows than intended.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flows.accounts import twilio_accounts
from flows.core.normalization import normalize_text
from flows.local_details.fields import NO_VALUE, InvalidDetail, clean_owner, clean_tag
from flows.mirror.targets import TargetKind
from flows.search import finding_filter
from flows.search.models import FlowTally
from flows.twilio.flex.flex_flow import CHANNEL_TYPES, INTEGRATION_TYPES

LABELS: Final = {
    "q": "Search",
    "channel": "Channel",
    "integration": "Handled by",
    "enabled": "Status",
    "account": "Account",
    "owner": "Owner",
    "tag": "Tag",
    "target": "Target",
    "warnings": "Warnings",
    "check": "Check",
    "sort": "Order",
    "page": "Page",
    "size": "Rows",
    "view": "View",
}
PAGE_SIZES: Final = (25, 50, 100)  # rows of a page that a user can choose
NOT_SET: Final = NO_VALUE  # the value of a filter for flows without a channel, an owner, …
MAX_SEARCH_LENGTH: Final = 256  # characters
# Characters of an invalid value that are kept: enough to show it, and still too long for a search.
MAX_VALUE_LENGTH: Final = 300
MAX_UNKNOWN_PARAMETERS: Final = 5  # unknown parameters that are kept
_IGNORED_PARAMETERS: Final = frozenset({"go"})  # sent by the search form in addition to filters
_ALLOWED_VALUES: Final = {
    "channel": frozenset((*CHANNEL_TYPES, NOT_SET)),
    "integration": frozenset((*INTEGRATION_TYPES, NOT_SET)),
    "enabled": frozenset(("true", "false", "gone")),
    "warnings": frozenset(("true",)),
}
ALL_FLOWS: Final = "all"  # the value of `view` for the whole list in place of a default view
_PAGE_NUMBER: Final = re.compile(r"(?!0+$)[0-9]{1,6}")  # not zero
_ERROR_MESSAGES: Final = {
    "channel": "“{}” is not a channel of any flow.",
    "integration": "“{}” is not an integration type of any flow.",
    "enabled": "“{}” is not a status. Choose On, Off or Deleted.",
    "account": "“{}” is not one of your accounts.",
    "owner": "“{}” can't be the owner of a flow.",
    "tag": "“{}” can't be a tag of a flow.",
    "target": "“{}” is not a target. Select one on the page Targets.",
    "warnings": "“{}” is not a choice of warnings. The only one is true.",
    "check": "“{}” is not a check. Select one on the page Checks.",
    "sort": "“{}” is not a column to sort by.",
    "page": "“{}” is not a page number.",
    "size": "“{}” is not a number of rows. Choose 25, 50 or 100.",
    "view": "“{}” is not a view.",
}

# "" for other parameters
_DEFAULTS: Final[dict[str, Any]] = {"sort": "name", "page": 1, "size": None}

# Filters that also accept any value that the mirror has.
_STORED_FILTERS: Final = ("channel", "integration", "account")

ValueCounts = dict[str, Counter[str]]  # a filter's name, and the number of flows by value


@dataclass(frozen=True, slots=True)
class InvalidParameter:
    """An invalid parameter of a URL, with the sentence that the page shows."""

    name: str
    value: str
    sentence: str

    @property
    def label(self) -> str:
        return f"{LABELS.get(self.name, self.name)}: {self.value}"


@dataclass(slots=True)
class ParsedParameters:
    """The parameters of a URL: a value for each known one, the errors, and the remaining pairs."""

    values: dict[str, Any] = field(default_factory=dict)
    errors: list[InvalidParameter] = field(default_factory=list)
    invalid_pairs: list[tuple[str, str]] = field(default_factory=list)

    def add_error(self, name: str, value: str, sentence: str = "") -> None:
        value = value[:MAX_VALUE_LENGTH]
        sentence = sentence or _ERROR_MESSAGES[name].format(value)
        self.errors.append(InvalidParameter(name, value, sentence))


def parse_parameters(
    parameters: Mapping[str, str], scope: twilio_accounts.Scope, sorts: Mapping[str, str]
) -> ParsedParameters:
    """Parse the parameters of a URL for a user who may see the accounts of `scope`."""
    parsed = ParsedParameters()
    _parse_search(parsed, parameters.get("q", ""))
    _parse_filters(parsed, parameters, scope)
    _parse_details(parsed, parameters)
    _parse_target(parsed, parameters.get("target", ""))
    _parse_sort(parsed, parameters.get("sort", ""), sorts)
    _parse_page(parsed, parameters.get("page", ""))
    _parse_size(parsed, parameters.get("size", ""))
    _parse_view(parsed, parameters.get("view", ""))
    _reject_repeated(parsed, parameters)
    _reject_unknown(parsed, parameters)
    return parsed


def count_stored_values(scope: twilio_accounts.Scope) -> ValueCounts:
    """Return the mirror's number of flows by channel, integration type and account."""
    tally = twilio_accounts.filter_scope(FlowTally.objects.filter(flows__gt=0), scope)
    counts: ValueCounts = {name: Counter() for name in _STORED_FILTERS}
    for account, channel, integration, flows in tally.values_list(
        "account_sid", "channel_type", "integration_type", "flows"
    ):
        counts["channel"][filter_value(channel)] += flows
        counts["integration"][filter_value(integration)] += flows
        counts["account"][account] += flows
    return counts


def filter_value(stored: str) -> str:
    """Return the value of a filter that finds flows with this channel or integration type."""
    return stored or NOT_SET


def _parse_filters(
    parsed: ParsedParameters, parameters: Mapping[str, str], scope: twilio_accounts.Scope
) -> None:
    for name in ("channel", "integration", "enabled", "account", "warnings", "check"):
        value = parameters.get(name, "")
        parsed.values[name] = value[:MAX_VALUE_LENGTH]
        if value and not _is_allowed_value(name, value, scope):
            parsed.add_error(name, value)


def _parse_details(parsed: ParsedParameters, parameters: Mapping[str, str]) -> None:
    """Parse the owner and the tag. They need not exist: a saved view finds nothing without them."""
    for name, clean in (("owner", clean_owner), ("tag", clean_tag)):
        value = parameters.get(name, "")
        parsed.values[name] = value[:MAX_VALUE_LENGTH]
        if value and value != NOT_SET and not _is_valid_detail(clean, value):
            parsed.add_error(name, value)


def _is_valid_detail(clean: Callable[[str], str], value: str) -> bool:
    """Return True if a flow can have this owner or tag."""
    try:
        return bool(clean(value))
    except InvalidDetail:
        return False


def _parse_target(parsed: ParsedParameters, target: str) -> None:
    """Parse a target. One that no flow uses is valid: the query finds nothing."""
    parsed.values["target"] = target[:MAX_VALUE_LENGTH]
    kind, _, value = target.partition(":")
    is_visible = bool(normalize_text(value))  # a flow without an identity has none to match
    is_valid = kind in TargetKind.values and is_visible and "\x00" not in value
    if target and not (is_valid and len(target) <= MAX_VALUE_LENGTH):
        parsed.add_error("target", target)


def _is_allowed_value(name: str, value: str, scope: twilio_accounts.Scope) -> bool:
    """Return True for a value that a filter accepts. The mirror is read only for unusual ones."""
    if value in _list_allowed_values(name, scope):
        return True
    return name in _STORED_FILTERS and value in count_stored_values(scope)[name]


def _list_allowed_values(name: str, scope: twilio_accounts.Scope) -> Collection[str]:
    """Return the values that a filter accepts whatever the mirror has."""
    if name == "account":
        return [account.sid for account in twilio_accounts.visible_accounts(scope)]
    if name == "check":
        return finding_filter.allowed_values()
    return _ALLOWED_VALUES[name]


def _parse_search(parsed: ParsedParameters, text: str) -> None:
    is_blank = not text.strip()
    parsed.values["q"] = "" if is_blank else text[:MAX_VALUE_LENGTH]
    if "\x00" in text:
        parsed.add_error("q", text, "The search contains a NUL character (U+0000).")
    elif len(text) > MAX_SEARCH_LENGTH:
        parsed.add_error("q", text, f"The search is longer than {MAX_SEARCH_LENGTH} characters.")
    elif not is_blank and not normalize_text(text):
        parsed.add_error("q", text, "The search has no visible characters.")


def _parse_sort(parsed: ParsedParameters, sort: str, sorts: Mapping[str, str]) -> None:
    parsed.values["sort"] = sort[:MAX_VALUE_LENGTH] or "name"
    if sort and sort.removeprefix("-") not in sorts:
        parsed.add_error("sort", sort)


def _parse_page(parsed: ParsedParameters, page: str) -> None:
    is_number = _PAGE_NUMBER.fullmatch(page) is not None
    parsed.values["page"] = int(page) if is_number else 1
    if page and not is_number:
        parsed.add_error("page", page)
        parsed.invalid_pairs.append(("page", page[:MAX_VALUE_LENGTH]))


def _parse_size(parsed: ParsedParameters, size: str) -> None:
    sizes = {str(rows): rows for rows in PAGE_SIZES}
    parsed.values["size"] = sizes.get(size)
    if size and size not in sizes:
        parsed.add_error("size", size)
        parsed.invalid_pairs.append(("size", size[:MAX_VALUE_LENGTH]))


def _parse_view(parsed: ParsedParameters, view: str) -> None:
    is_known = view in ("", ALL_FLOWS)
    parsed.values["view"] = view if is_known else ""
    if not is_known:
        parsed.add_error("view", view)
        parsed.invalid_pairs.append(("view", view[:MAX_VALUE_LENGTH]))


def _reject_repeated(parsed: ParsedParameters, parameters: Mapping[str, str]) -> None:
    """Reject a parameter with several different values: any one of them could be the wrong one."""
    if not hasattr(parameters, "getlist"):
        return
    for name in LABELS:
        distinct_values = list(dict.fromkeys(parameters.getlist(name)))
        if len(distinct_values) > 1:
            _reject_values(parsed, name, distinct_values)


def _reject_values(parsed: ParsedParameters, name: str, values: list[str]) -> None:
    """Replace the values of a parameter with its default, and keep them as an error."""
    values = [value[:MAX_VALUE_LENGTH] for value in values]
    quoted_values = ", ".join(f"“{value}”" for value in values)
    sentence = f"{LABELS[name]} has more than one value: {quoted_values}."
    parsed.add_error(name, quoted_values, sentence)
    parsed.values[name] = _DEFAULTS.get(name, "")
    other_pairs = [pair for pair in parsed.invalid_pairs if pair[0] != name]
    own_pairs = [(name, value) for value in values[:MAX_UNKNOWN_PARAMETERS]]
    parsed.invalid_pairs = other_pairs + own_pairs


def _reject_unknown(parsed: ParsedParameters, parameters: Mapping[str, str]) -> None:
    expected = LABELS.keys() | _IGNORED_PARAMETERS
    unknown = [name for name in parameters if name not in expected]
    for full_name in unknown[:MAX_UNKNOWN_PARAMETERS]:
        name = full_name[:MAX_VALUE_LENGTH]
        value = parameters[full_name][:MAX_VALUE_LENGTH]
        if value:
            parsed.add_error(name, value, f"There is no filter called “{name}”.")
            parsed.invalid_pairs.append((name, value))
