"""Numbers of flows by channel and account, and the links to the flows that they count."""

import re

import pytest
from django.utils import timezone

from flows.mirror.models import Flow
from flows.overview.flow_counts import load_flow_counts
from flows.search.flow_search import Query, find_page
from tests import ACCOUNT

pytestmark = pytest.mark.django_db
OTHER = "AC" + "0e" * 16


@pytest.fixture
def add():
    def add_flow(channel, enabled, account_sid=ACCOUNT, **fields):
        Flow.objects.create(
            sid=f"FO{Flow.objects.count():032}",
            account_sid=account_sid,
            channel_type=channel,
            enabled=enabled,
            mirrored_at=timezone.now(),
            **fields,
        )

    return add_flow


def figures(rows):
    return {row.label: (row.on, row.off) for row in rows}


def test_flows_are_counted_by_channel_the_largest_first(add, django_assert_num_queries):
    for channel, enabled in [("web", True), ("sms", True), ("sms", False), ("sms", None)]:
        add(channel, enabled)
    add("", True)
    add("telepathy", False)
    add("web", True, gone_at=timezone.now())

    with django_assert_num_queries(1):
        counts = load_flow_counts(None)

    assert figures(counts.by_channel) == {
        "SMS": (1, 2),
        "Not set": (1, 0),
        "Web chat": (1, 0),
        "telepathy": (0, 1),
    }
    assert next(row.label for row in counts.by_channel) == "SMS"
    assert (counts.total.on, counts.total.off, counts.by_account) == (3, 3, [])


def test_every_link_finds_as_many_flows_as_its_figure(client_of, add):
    for channel in ("sms", "", "telepathy"):
        for enabled in (True, True, False, None):
            add(channel, enabled)
    client = client_of("viewer")

    for row in (counts := load_flow_counts(None)).by_channel:
        links = [(row.url, row.total), (row.on_url, row.on), (row.off_url, row.off)]
        for url, figure in links:
            assert (
                client.get(url).context["results"].total
                == figure
                == len(find_page(Query(**dict(re.findall(r"(\w+)=(\w+)", url)))).rows)
            )
    assert client.get(counts.total.off_url).context["results"].total == counts.total.off


def test_accounts_have_rows_also_without_flows_and_after_they_were_removed(add, staging):
    add("sms", True, OTHER)
    add("sms", False, OTHER)
    add("sms", False, "AC" + "f" * 32)

    rows = load_flow_counts(None).by_account

    assert figures(rows) == {"production": (0, 0), "staging": (1, 1), "AC" + "f" * 32: (0, 1)}
    assert [row.label for row in rows][:2] == ["production", "staging"]


def test_only_flows_of_the_users_accounts_are_counted(add, staging):
    add("sms", True)
    add("web", True, OTHER)

    counts = load_flow_counts(frozenset([OTHER]))

    assert figures(counts.by_channel) == {"Web chat": (1, 0)}
    assert (counts.total.total, counts.by_account) == (1, [])


def test_bars_of_a_chart_have_one_scale(add):
    for channel, enabled in [("sms", True)] * 3 + [("sms", False), ("web", True), ("web", False)]:
        add(channel, enabled)

    sms, web = (
        re.findall(r'width="([\d.]+)%" height="100%"', row.bar)
        for row in load_flow_counts(None).by_channel
    )

    assert sms == ["75.00", "25.00"]
    assert web == ["25.00", "25.00"]


def test_hostile_channel_is_harmless_in_a_tooltip(add):
    add('<b>"\u202e', True)

    (row,) = load_flow_counts(None).by_channel

    assert "<b>" not in row.bar
    assert "\u202e" not in row.bar
    assert "⟨U+202E⟩" in row.bar
