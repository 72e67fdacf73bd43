"""A query of the audit log, as it stands in the address of its page. Nothing is dropped: a
value that can't be understood is a fault, and a query with a fault finds nothing."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from django.http import QueryDict

from flows.audit import actions
from flows.audit.models import Result
from flows.audit.search_text import url_host
from flows.core import matching
from flows.core.invisible import strip_invisible
from flows.core.normalization import normalize_text
from flows.twilio.flex import flex_flow

MAX_QUERY_LENGTH: Final = 256  # letters of a search
MAX_TERMS: Final = 16  # words of a search, each counted once
UNRESOLVED: Final = "unresolved"
RESOLVED_LATER: Final = "resolved_later"
OPEN_RESULTS: Final = (Result.PENDING, Result.UNKNOWN, UNRESOLVED)
PARAMETER_NAMES: Final = {"from_date": "from", "to_date": "to"}
_REMOTE_ID_PATTERN: Final = re.compile(r"RQ[0-9a-f]{32}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """The words of a search by how they are looked for: some by an index, the rest in the text of each
    entry."""

    ids: tuple[str, ...] = ()  # ids of an event, a change or a request
    sids: tuple[str, ...] = ()  # whole SIDs of flows
    short_sids: tuple[tuple[str, str], ...] = ()  # beginning and end of a SID, as pages show it
    text: str = ""
    hosts: tuple[str, ...] = ()  # those that stand in the text in place of a web address

    @classmethod
    def of(cls, q: str) -> SearchTerms:
        ids, sids, short_sids, rest, hosts = [], [], [], [], []
        for word in q.split():
            if _is_id(word):
                ids.append(word)
            elif flex_flow.is_sid("FO", word):
                sids.append(word)
            elif ends := matching.split_short_sid(word):
                short_sids.append(ends)
            elif "://" in word and (host := url_host(word)):
                hosts.append(host)
                rest.append(host)
            else:
                rest.append(word)
        return cls(tuple(ids), tuple(sids), tuple(short_sids), " ".join(rest), tuple(hosts))

    @property
    def is_text(self) -> bool:
        """True if the text of entries has to be compared, which no index does."""
        return bool(self.text or self.short_sids)


@dataclass(frozen=True, slots=True)
class LogQuery:
    """A query of the log. Dates are days in UTC, both included; a change belongs to the day it was begun."""

    q: str = ""
    actor: str = ""
    action: str = ""
    result: str = ""
    sid: str = ""
    account: str = ""
    from_date: str = ""
    to_date: str = ""
    plan: str = ""  # the id of a bulk change, whose changes are asked for
    before: int = 0  # entries older than this seq
    whole: str = ""  # "1": the log is searched to its beginning, however long that takes
    faults: Mapping[str, str] = field(
        default_factory=dict
    )  # by parameter, what can't be understood

    @classmethod
    def of(cls, parameters: Mapping[str, str], *, others: Collection[str] = ()) -> LogQuery:
        """Read a query from the parameters of an address. `others` are parameters of the page that are no filters."""
        given = {
            name: _strip_hidden(value) if name in ("q", "sid") else value
            for name, value in parameters.items()
            if name not in others and value.strip()
        }
        faults = {**_unknown_parameters(given), **_repeated_parameters(parameters, others)}
        values: dict[str, Any] = {}
        for name in (
            one.name for one in fields(cls) if one.name not in ("before", "whole", "faults")
        ):
            parameter = PARAMETER_NAMES.get(name, name)
            values[name], fault = _parse_parameter(parameter, given.get(parameter, ""))
            if fault:
                faults[parameter] = fault
        before = given.get("before", "")
        if before and not _is_seq(before):
            faults["before"] = f"Not an event number: {before}"
        if not {"from", "to"} & {*faults} and "" < values["to_date"] < values["from_date"]:
            faults["from"] = f"“From” ({values['from_date']}) is after “to” ({values['to_date']})"
        return cls(
            **values,
            before=int(before) if _is_seq(before) else 0,
            whole="1" if given.get("whole") == "1" else "",
            faults=faults,
        )

    @property
    def terms(self) -> SearchTerms:
        return SearchTerms.of(self.q)

    @property
    def flow_sids(self) -> frozenset[str]:
        """The flows that all of the entries have to be about: one, or none where two are asked for."""
        return frozenset(filter(None, (self.sid, *self.terms.sids)))

    @property
    def is_narrow(self) -> bool:
        """True if the query is for little, however long the log: a bulk change, an id, what is open or
        was."""
        return bool(self.plan or self.terms.ids) or self.result in (*OPEN_RESULTS, RESOLVED_LATER)

    @property
    def scanned(self) -> str:
        """Name what is searched entry by entry, so many at a time: the "log", or the entries of a "flow"
        or a "person" (who may only have signed in). It is "" where an index has the answer: one knows the
        accounts and one thing more, whatever the days. Two filters at once, and words, are in no index."""
        filters = sum(map(bool, (self.actor, self.action, self.result)))
        has_text = self.terms.is_text
        if self.whole or self.is_narrow:
            return ""
        if self.flow_sids:
            return "flow" if filters or has_text else ""
        if filters > 1 or has_text:
            return "log"
        return "person" if self.actor and not self.account else ""

    def url(self, **changes: str | int) -> str:
        return "?" + urlencode(self.parameters(**changes))

    def parameters(self, **changes: str | int) -> dict[str, str | int]:
        """Return the query as an address names it; from the newest entry on, if not told otherwise."""
        values = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "faults"}
        values |= {"before": 0, "whole": "", **changes}
        return {PARAMETER_NAMES.get(name, name): value for name, value in values.items() if value}


def _parse_parameter(parameter: str, value: str) -> tuple[str, str]:
    """Return a parameter's value, and what is wrong with it."""
    if "\x00" in value:
        return value.replace("\x00", "\u2400"), f"Not valid text: {value}"
    read = _PARSERS.get(parameter)
    return read(value) if read and value else (value.strip(), "")


def _parse_search(value: str) -> tuple[str, str]:
    if len(value) > MAX_QUERY_LENGTH:
        return value, f"The search is too long: {len(value)} characters, at most {MAX_QUERY_LENGTH}"
    if not normalize_text(value):
        return value, "The search has no visible characters"
    parts = matching.split_parts(value)
    if len(parts) > MAX_TERMS:
        return value, f"The search has too many words: {len(parts)}, at most {MAX_TERMS}"
    return value, ""


def _parse_result(value: str) -> tuple[str, str]:
    return value, "" if value in actions.RESULT_FILTER_LABELS else f"No such result: {value}"


def _parse_account(value: str) -> tuple[str, str]:
    return value, "" if flex_flow.is_sid("AC", value) else f"No such account: {value}"


def _parse_plan(value: str) -> tuple[str, str]:
    try:
        return str(uuid.UUID(value)), ""
    except ValueError:
        return value, f"No such bulk change: {value}"


def _parse_day(value: str) -> tuple[str, str]:
    try:
        return date.fromisoformat(value.strip()).isoformat(), ""
    except ValueError:
        return value, f"No such day: {value} (write days like 2026-11-25)"


_PARSERS: Final[Mapping[str, Callable[[str], tuple[str, str]]]] = {
    "q": _parse_search,
    "result": _parse_result,
    "account": _parse_account,
    "plan": _parse_plan,
    "from": _parse_day,
    "to": _parse_day,
}
KNOWN_PARAMETERS: Final = frozenset(
    PARAMETER_NAMES.get(one.name, one.name) for one in fields(LogQuery)
) - {"faults"}


def _strip_hidden(text: str) -> str:
    """A text without the characters that nobody sees, unless it has no others: then that is what is wrong with it."""
    return text if "\x00" in text else strip_invisible(text).strip() or text


def _unknown_parameters(given: Iterable[str]) -> dict[str, str]:
    return {name: f"No such filter: {name}" for name in given if name not in KNOWN_PARAMETERS}


def _repeated_parameters(parameters: Mapping[str, str], others: Collection[str]) -> dict[str, str]:
    if not isinstance(parameters, QueryDict):
        return {}
    return {
        name: f"More than one value for “{name}”: {', '.join(values)}"
        for name, values in parameters.lists()
        if len(set(values)) > 1 and name not in others
    }


def _is_seq(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19 and int(text) > 0


def _is_id(word: str) -> bool:
    if _REMOTE_ID_PATTERN.fullmatch(word):
        return True
    try:
        return len(word) in (32, 36) and bool(uuid.UUID(word))
    except ValueError:
        return False
