"""The parameters of the history's pages, parsed from a URL or a form.

An invalid value is a fault, and a page with faults shows no flows.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.utils import timezone

from flows.accounts.twilio_accounts import Account
from flows.core.normalization import normalize_text
from flows.flex_flows.states import STATE_LABELS
from flows.history.moments import InvalidMoment, default_start, input_value, parse_moment
from flows.history.pairs import RESULTS
from flows.twilio.flex.flex_flow import FLEX_FLOW

MAX_QUERY_LENGTH: Final = 256  # characters of a search
NOT_KNOWN_YET, UNREADABLE, UNCERTAIN = "not_known_yet", "unreadable", "uncertain"
# The options of the state filter. Those of the list of flows come first.
STATE_CHOICES: Final = {
    **{state: label for state, (_, label) in STATE_LABELS.items()},
    UNREADABLE: "State not stored",
    NOT_KNOWN_YET: "Recorded later",
    UNCERTAIN: "Uncertain",
}
COMPARISONS: Final = {
    "moments": "Two moments",
    "accounts": "Two accounts",
    "flows": "Two flows",
}


@dataclass(slots=True)
class MomentInput:
    """A moment as it was typed, and parsed. Without an input `at` is a default, and now if invalid."""

    text: str
    at: datetime
    fault: str = ""

    @property
    def value(self) -> str:
        """The value of the input: as typed if it is invalid."""
        return self.text if self.fault else input_value(self.at)


@dataclass(slots=True)
class ListQuery:
    """A query of the list at a moment. `state` is a key of `STATE_CHOICES`, or ""."""

    at: MomentInput
    q: str = ""
    account: str = ""
    state: str = ""
    page: str = ""
    faults: list[str] = field(default_factory=list)

    @classmethod
    def from_parameters(
        cls, parameters: Mapping[str, str], accounts: Mapping[str, Account]
    ) -> ListQuery:
        """Parse the parameters `at`, `q`, `account` and `state`."""
        reader = ParameterReader(parameters, accounts)
        query = cls(
            at=reader.moment("at"),
            q=reader.search("q"),
            account=reader.account("account"),
            state=reader.choice("state", STATE_CHOICES),
            page=parameters.get("page", ""),
        )
        query.faults = reader.faults
        return query


@dataclass(slots=True)
class ComparisonQuery:
    """A comparison: of two moments of an account, two accounts, or two flows.

    `left` and `right` are the SIDs of the accounts or flows. Between two moments, `account` may be
    "" for all accounts, and `left_at` differs from `right_at`. Of more than two flows, `q` searches
    and `result` is one of `RESULTS`, or "".
    """

    kind: str
    left_at: MomentInput
    right_at: MomentInput
    account: str = ""
    left: str = ""
    right: str = ""
    shows_all: bool = False
    q: str = ""
    result: str = ""
    page: str = ""
    faults: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """True if nothing is missing that the comparison needs."""
        return not self.faults and (self.kind == "moments" or bool(self.left and self.right))

    @property
    def is_filtered(self) -> bool:
        return bool(self.q or self.result)

    @classmethod
    def from_parameters(
        cls, parameters: Mapping[str, str], accounts: Mapping[str, Account]
    ) -> ComparisonQuery:
        """Parse the parameters of the kind of comparison that `compare` names."""
        reader = ParameterReader(parameters, accounts)
        kind = reader.choice("compare", COMPARISONS) or "moments"
        names = ("from", "to") if kind == "moments" else ("at", "at")
        left_at = reader.moment(names[0], default_start() if kind == "moments" else None)
        right_at = left_at if kind != "moments" else reader.moment(names[1])
        query = cls(kind, left_at, right_at, page=parameters.get("page", ""))
        query.shows_all = reader.choice("all", {"1": ""}) == "1"
        if kind == "moments":
            query.account = reader.account("account")
        else:
            read = reader.account if kind == "accounts" else reader.flow
            query.left, query.right = read("left"), read("right")
        if kind != "flows":
            query.q = reader.search("q")
            query.result = reader.choice("result", RESULTS)
        if query.left and query.left == query.right:
            reader.faults.append(f"Both sides are the same {kind[:-1]}")
        query.faults = reader.faults
        return query


class ParameterReader:
    """The parameters of a URL, and the faults found in them so far."""

    def __init__(self, parameters: Mapping[str, str], accounts: Mapping[str, Account]) -> None:
        self._parameters = parameters
        self._accounts = accounts
        self.faults: list[str] = []

    def moment(self, name: str, default: datetime | None = None) -> MomentInput:
        text = self._parameters.get(name, "")
        if not text.strip():
            return MomentInput("", default or timezone.now())
        try:
            return MomentInput(text, parse_moment(text))
        except InvalidMoment as error:
            self._add_fault(str(error))
            return MomentInput(text, timezone.now(), fault=str(error))

    def search(self, name: str) -> str:
        value = self._parameters.get(name, "").strip()
        if len(value) > MAX_QUERY_LENGTH:
            self._add_fault(f"The search is too long: at most {MAX_QUERY_LENGTH} characters")
        elif value and not normalize_text(value):
            self._add_fault("The search has no visible characters")
        return value

    def account(self, name: str) -> str:
        value = self._parameters.get(name, "")
        if value and value not in self._accounts:
            self._add_fault(f"No such account: {_shorten(value)}")
            return ""
        return value

    def choice(self, name: str, choices: Container[str]) -> str:
        value = self._parameters.get(name, "")
        if value and value not in choices:
            self._add_fault(f"No such value for “{name}”: {_shorten(value)}")
            return ""
        return value

    def flow(self, name: str) -> str:
        value = self._parameters.get(name, "").strip()
        if value and not FLEX_FLOW.is_sid(value):
            self._add_fault(f"Not the SID of a Flex Flow: {_shorten(value)}")
            return ""
        return value

    def _add_fault(self, fault: str) -> None:
        if fault not in self.faults:
            self.faults.append(fault)


def _shorten(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"
