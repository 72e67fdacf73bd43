"""Numbers of flows that are on and off, by channel and by account, as rows of a chart.

They come from the tally that triggers keep (flows/search/counters.py), so they cost one query.
Deleted flows are not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Account, Scope
from flows.core import charts, safe_text
from flows.core.charts import BarPart
from flows.search import filters
from flows.search.models import FlowTally
from flows.twilio.flex.flex_flow import CHANNEL_TYPES

CHART_NAME: Final = "flows"
_ON, _OFF = "good", "none"  # series of the chart


@dataclass(frozen=True, slots=True)
class FlowCount:
    """The numbers of flows that are on and off among those that a filter of the list finds.

    As in the list, a flow without a status counts as off. `account` is set if they are of one
    account. `longest` is the highest total of the chart.
    """

    label: str
    filters: dict[str, str]
    on: int
    off: int
    longest: int = 0
    account: Account | None = None

    @property
    def total(self) -> int:
        return self.on + self.off

    @property
    def url(self) -> str:
        return self._list_url()

    @property
    def on_url(self) -> str:
        return self._list_url(enabled="true")

    @property
    def off_url(self) -> str:
        return self._list_url(enabled="false")

    @property
    def bar(self) -> SafeString:
        parts = [
            BarPart(self._tooltip(f"{self.on:,} on"), self.on_url, _ON, self.on),
            BarPart(self._tooltip(f"{self.off:,} off"), self.off_url, _OFF, self.off),
        ]
        return charts.row_bar(CHART_NAME, parts, longest=self.longest)

    def _tooltip(self, figure: str) -> SafeString:
        return format_html("{}: {}", safe_text.visible_attribute(self.label), figure)

    def _list_url(self, **more_filters: str) -> str:
        query = urlencode(self.filters | more_filters)
        return f"{reverse('flows:list')}?{query}" if query else reverse("flows:list")


@dataclass(frozen=True, slots=True)
class FlowCounts:
    """The flows of the accounts that a user may see. `by_account` is empty for a single account."""

    total: FlowCount
    by_channel: list[FlowCount]
    by_account: list[FlowCount]

    @property
    def legend(self) -> list[tuple[SafeString, str]]:
        """The pattern and the label of each state."""
        return [
            (charts.swatch(CHART_NAME, _ON), "On"),
            (charts.swatch(CHART_NAME, _OFF), "Off"),
        ]

    @property
    def patterns(self) -> SafeString:
        return charts.patterns(CHART_NAME, (_ON, _OFF))


def load_flow_counts(scope: Scope) -> FlowCounts:
    """Return the numbers of flows in the accounts of the scope."""
    tallies = _load_tallies(scope)
    on = sum(tally.flows for tally in tallies if tally.state == "true")
    total = FlowCount("All flows", {}, on, sum(tally.flows for tally in tallies) - on)
    return FlowCounts(total, _count_by_channel(tallies), _count_by_account(tallies, scope))


def _load_tallies(scope: Scope) -> list[FlowTally]:
    tallies = FlowTally.objects.filter(flows__gt=0).exclude(state="gone")
    return list(twilio_accounts.filter_scope(tallies, scope))


def _count_by_channel(tallies: Sequence[FlowTally]) -> list[FlowCount]:
    """Return a row for each channel that has flows, the largest first."""
    counts = _count_by_key(tallies, lambda tally: tally.channel_type)
    longest = _highest_total(counts)
    rows = [
        FlowCount(
            CHANNEL_TYPES.get(channel, channel) or "Not set",
            {"channel": filters.filter_value(channel)},
            count["on"],
            count["off"],
            longest,
        )
        for channel, count in counts.items()
    ]
    return sorted(rows, key=lambda row: (-row.total, row.label))


def _count_by_account(tallies: Sequence[FlowTally], scope: Scope) -> list[FlowCount]:
    """Return a row for each account, production first. One that was removed has a row, too."""
    accounts = {account.sid: account for account in twilio_accounts.visible_accounts(scope)}
    counts = _count_by_key(tallies, lambda tally: tally.account_sid)
    for sid in counts.keys() - accounts.keys():
        accounts[sid] = twilio_accounts.account_or_removed(sid)
    if len(accounts) <= 1:
        return []
    longest = _highest_total(counts)
    rows = []
    for sid, account in accounts.items():
        count = counts.get(sid, Counter())
        row = FlowCount(str(account), {"account": sid}, count["on"], count["off"], longest, account)
        rows.append(row)
    return sorted(rows, key=_account_order)


def _account_order(row: FlowCount) -> tuple[bool, int, str]:
    is_production = row.account is not None and row.account.is_production
    return not is_production, -row.total, row.label


def _count_by_key(
    tallies: Sequence[FlowTally], key_of: Callable[[FlowTally], str]
) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {}
    for tally in tallies:
        state = "on" if tally.state == "true" else "off"
        counts.setdefault(key_of(tally), Counter())[state] += tally.flows
    return counts


def _highest_total(counts: dict[str, Counter[str]]) -> int:
    return max((count.total() for count in counts.values()), default=0)
