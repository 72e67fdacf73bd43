"""The parameters of a copy: the two accounts, the moment on the left, and the chosen flows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from flows.accounts.twilio_accounts import Account
from flows.history.moments import format_moment
from flows.history.pairs import RESULTS
from flows.history.parameters import MomentInput, ParameterReader
from flows.sid_map.mappings import Direction
from flows.twilio.flex.flex_flow import FLEX_FLOW

MAX_CHOSEN: Final = 500  # SIDs in an address; all flows that differ can be chosen instead


@dataclass(slots=True)
class CopyQuery:
    """The flows to copy from the account `source` to the account `target`.

    `sids` are those of flows of the source account. With `has_all`, all flows that can be copied
    are chosen. `q` and `result` are the filters of the comparison that they were chosen on.
    """

    source: str
    target: str
    at: MomentInput
    sids: list[str] = field(default_factory=list)
    has_all: bool = False
    q: str = ""
    result: str = ""
    faults: list[str] = field(default_factory=list)

    @classmethod
    def from_parameters(cls, parameters: QueryDict, accounts: Mapping[str, Account]) -> CopyQuery:
        """Parse the parameters `left`, `right`, `at`, `every`, `flow`, `q` and `result`.

        `flow` can be repeated, and can have several SIDs with spaces between them.
        """
        reader = ParameterReader(parameters, accounts)
        query = cls(reader.account("left"), reader.account("right"), reader.moment("at"))
        query.has_all = reader.choice("every", {"1": ""}) == "1"
        query.q, query.result = reader.search("q"), reader.choice("result", RESULTS)
        chosen = dict.fromkeys(" ".join(parameters.getlist("flow")).split())
        query.sids = [sid for sid in chosen if FLEX_FLOW.is_sid(sid)]
        query.faults = reader.faults
        if len(query.sids) < len(chosen):
            query.faults.append("A chosen flow has no valid SID")
        if len(chosen) > MAX_CHOSEN:
            query.faults.append(f"More than {MAX_CHOSEN} flows are chosen. Choose all of them")
        if not (query.source and query.target):
            query.faults.append("Choose both accounts")
        elif query.source == query.target:
            query.faults.append("Both sides are the same account")
        return query

    @property
    def direction(self) -> Direction:
        return Direction(self.source, self.target)

    @property
    def moment_parameter(self) -> str:
        """The moment as the form and links have it, "" for now."""
        return format_moment(self.at.at) if self.at.text.strip() else ""

    @property
    def hidden_inputs(self) -> list[tuple[str, str]]:
        """The names and values that the form carries along."""
        inputs = [("left", self.source), ("right", self.target), ("at", self.moment_parameter)]
        inputs += [("q", self.q), ("result", self.result)]
        if self.has_all:
            return [*inputs, ("every", "1")]
        return [*inputs, ("flow", " ".join(self.sids))]

    @property
    def comparison_url(self) -> str:
        """The address of the comparison that the flows were chosen on."""
        parameters = {"compare": "accounts", "left": self.source, "right": self.target}
        optional = {"at": self.moment_parameter, "q": self.q, "result": self.result}
        parameters |= {name: value for name, value in optional.items() if value}
        return f"{reverse('flows:history-compare')}?{urlencode(parameters)}"
