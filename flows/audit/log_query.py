"""A query of the audit log, parsed from the URL of its page.

No parameter is ignored. An invalid value is a fault, and a query with faults matches nothing.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, tzinfo
from typing import Final
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils import timezone

from flows.audit import action_registry
from flows.audit.models import Result
from flows.audit.search_terms import SearchTerms
from flows.core import local_days, matching
from flows.core.invisible import strip_invisible
from flows.core.normalization import normalize_text
from flows.twilio.sids import is_sid

MAX_QUERY_LENGTH: Final = 256  # characters of a search
MAX_TERMS: Final = 16  # distinct words of a search
UNRESOLVED: Final = "unresolved"
RESOLVED_LATER: Final = "resolved_later"
OPEN_RESULTS: Final = (Result.PENDING, Result.UNKNOWN, UNRESOLVED)
PARAMETER_NAMES: Final = {"from_date": "from", "to_date": "to"}
_PASTED_PARAMETERS: Final = frozenset(("q", "sid"))  # invisible characters come with pasted text
_EVENT_NUMBER_PATTERN: Final = re.compile(r"[0-9]{1,18}")  # the database's limit has 19 digits


@dataclass(frozen=True, slots=True)
class LogQuery:
    """A query of the log.

    Dates are inclusive days of the time zone `zone`. A change belongs to the day of its start.
    """

    q: str = ""
    actor: str = ""
    action: str = ""
    result: str = ""
    sid: str = ""
    account: str = ""
    from_date: str = ""
    to_date: str = ""
    plan: str = ""  # id of a bulk change
    before: int = 0  # only entries older than this seq
    whole: str = ""  # "1" to search the log to its beginning, however long that takes
    faults: Mapping[str, str] = field(default_factory=dict)  # error messages by parameter
    zone: tzinfo = UTC  # not in the URL

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> LogQuery:
        """Parse the parameters of a URL, without those that belong to its page only.

        Days are those of the user's time zone.
        """
        reader = _ParameterReader(parameters)
        filters = {name: reader.read(parameter) for name, parameter in _FILTERS.items()}
        before = reader.read_event_number("before")
        reader.check_order_of_dates(filters["from_date"], filters["to_date"])
        whole = "1" if reader.values.get("whole") == "1" else ""
        zone = timezone.get_current_timezone()
        return cls(**filters, before=before, whole=whole, faults=reader.faults, zone=zone)

    @property
    def has_period(self) -> bool:
        """True if the days have a beginning or an end."""
        return bool(self.from_date or self.to_date)

    @property
    def since(self) -> datetime | None:
        """The first moment of the query's days, or None if they have no beginning."""
        if not self.from_date:
            return None
        return local_days.start_of_day(date.fromisoformat(self.from_date), self.zone)

    @property
    def until(self) -> datetime | None:
        """The first moment after the query's days, or None if they have no end."""
        if not self.to_date:
            return None
        return local_days.end_of_day(date.fromisoformat(self.to_date), self.zone)

    @property
    def terms(self) -> SearchTerms:
        return SearchTerms.parse(self.q)

    @property
    def flow_sids(self) -> frozenset[str]:
        """The SIDs that an entry's flow must all equal. With two of them, no entry matches."""
        return frozenset(filter(None, (self.sid, *self.terms.sids)))

    @property
    def is_history_of_flow(self) -> bool:
        """True if the only filters are one flow and days, so that its first sync is listed, too."""
        other_filters = (self.action, self.result, self.actor, self.plan, self.terms.ids)
        return (
            len(self.flow_sids) == 1 and not any(other_filters) and not self.terms.needs_text_scan
        )

    @property
    def is_narrow(self) -> bool:
        """True if few entries can match, however long the log is.

        That holds for bulk changes, ids, and changes that are or were unresolved.
        """
        if self.plan or self.terms.ids:
            return True
        return self.result in (*OPEN_RESULTS, RESOLVED_LATER)

    @property
    def scan_scope(self) -> str:
        """The entries that are searched one by one, a window at a time.

        It is "log", "flow" or "user": the entries of the log, of the flow, or of the user, who
        may have signed in only. It is "" where an index finds the entries.
        """
        if self.whole or self.is_narrow:
            return ""
        if not self._is_indexed:
            return "flow" if self.flow_sids else "log"
        if self.actor and not self.account:
            return "user"
        return ""

    @property
    def _is_indexed(self) -> bool:
        """True if an index covers the filters.

        An index covers accounts with one filter, on any days. No index covers two filters, or text.
        """
        filters = (self.flow_sids, self.actor, self.action, self.result)
        filter_count = sum(map(bool, filters))
        return filter_count <= 1 and not self.terms.needs_text_scan

    def valid_value(self, name: str) -> str:
        """Return the value of a filter, by the name of its field, or "" if it is invalid."""
        if _FILTERS[name] in self.faults:
            return ""
        return str(getattr(self, name))

    def url(self, **changes: str | int) -> str:
        """Return the query string, with `changes`."""
        return "?" + urlencode(self.parameters(**changes))

    def parameters(self, **changes: str | int) -> dict[str, str | int]:
        """Return the query as URL parameters, with `changes`. It starts at the newest entry."""
        values = {name: getattr(self, name) for name in _FILTERS}
        values |= {"before": 0, "whole": "", **changes}
        return {_FILTERS.get(name, name): value for name, value in values.items() if value}


# The parameter of each filter, by the filter's field in `LogQuery`.
_FILTERS: Final = {
    one.name: PARAMETER_NAMES.get(one.name, one.name)
    for one in fields(LogQuery)
    if one.name not in ("before", "whole", "faults", "zone")
}
KNOWN_PARAMETERS: Final = frozenset({*_FILTERS.values(), "before", "whole"})


class InvalidValue(ValueError):
    """A parameter has an invalid value. The message tells the user why."""


class _ParameterReader:
    """The parameters of a URL that have a value, and the faults found in them so far."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self.values = {name: value for name, value in parameters.items() if value.strip()}
        self.faults = _unknown_parameters(self.values) | _repeated_parameters(parameters)

    def read(self, parameter: str) -> str:
        """Return the parsed value of a filter. An invalid one is returned as it was typed."""
        value = self.values.get(parameter, "")
        if not value:
            return ""
        if "\x00" in value:
            self.faults[parameter] = f"Not valid text: {value}"
            return value.replace("\x00", "\u2400")
        if parameter in _PASTED_PARAMETERS:
            # A value of invisible characters only is left as it is: it is a fault.
            value = strip_invisible(value).strip() or value
        parse = _PARSERS.get(parameter, str.strip)
        try:
            return parse(value)
        except InvalidValue as error:
            self.faults[parameter] = str(error)
            return value

    def read_event_number(self, parameter: str) -> int:
        """Return the seq in a parameter, or 0 if it has none."""
        text = self.values.get(parameter, "")
        seq = int(text) if is_event_number(text) else 0
        if text and not seq:
            self.faults[parameter] = f"Not an event number: {text}"
        return seq

    def check_order_of_dates(self, from_date: str, to_date: str) -> None:
        """Add a fault if both dates are valid and in the wrong order."""
        are_valid = self.faults.keys().isdisjoint(("from", "to"))
        if are_valid and "" < to_date < from_date:
            self.faults["from"] = f"“From” ({from_date}) is after “to” ({to_date})"


def _parse_search(value: str) -> str:
    if len(value) > MAX_QUERY_LENGTH:
        raise InvalidValue(
            f"The search is too long: {len(value)} characters, at most {MAX_QUERY_LENGTH}"
        )
    if not normalize_text(value):
        raise InvalidValue("The search has no visible characters")
    parts = matching.split_parts(value)
    if len(parts) > MAX_TERMS:
        raise InvalidValue(f"The search has too many words: {len(parts)}, at most {MAX_TERMS}")
    return value


def _parse_result(value: str) -> str:
    if value not in action_registry.RESULT_FILTER_LABELS:
        raise InvalidValue(f"No such result: {value}")
    return value


def _parse_account(value: str) -> str:
    if not is_sid("AC", value):
        raise InvalidValue(f"No such account: {value}")
    return value


def _parse_plan(value: str) -> str:
    try:
        return str(uuid.UUID(value))
    except ValueError:
        raise InvalidValue(f"No such bulk change: {value}") from None


def _parse_day(value: str) -> str:
    try:
        return date.fromisoformat(value.strip()).isoformat()
    except ValueError:
        message = f"No such day: {value} (write days as 2026-11-25)"
        raise InvalidValue(message) from None


# Parameters without a parser take any text.
_PARSERS: Final[Mapping[str, Callable[[str], str]]] = {
    "q": _parse_search,
    "result": _parse_result,
    "account": _parse_account,
    "plan": _parse_plan,
    "from": _parse_day,
    "to": _parse_day,
}


def _unknown_parameters(names: Iterable[str]) -> dict[str, str]:
    """Return an error message, by parameter, for each name that is no filter."""
    return {name: f"No such filter: {name}" for name in names if name not in KNOWN_PARAMETERS}


def _repeated_parameters(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return an error message for each parameter that has several values."""
    if not isinstance(parameters, QueryDict):
        return {}
    faults = {}
    for name, values in parameters.lists():
        if len(set(values)) > 1:
            faults[name] = f"More than one value for “{name}”: {', '.join(values)}"
    return faults


def is_event_number(text: str) -> bool:
    """Return True for a whole number that a seq or 0 can be."""
    return _EVENT_NUMBER_PATTERN.fullmatch(text) is not None
