"""Filters of the list, and the number of flows that each of their values would find."""

from dataclasses import replace

import pytest

from flows.search.flow_search import Query, find_facets, find_page
from flows.twilio.flex.flex_flow import CHANNEL_TYPES, INTEGRATION_TYPES
from tests.flows.search.mirrored_flows import AC, DAY, OTHER_AC, names

FACETS = {
    "channel": CHANNEL_TYPES,
    "integration": (*INTEGRATION_TYPES, "none"),
    "enabled": ("true", "false", "gone"),
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["odd", "sms on", "web off", "web unset"]),
        ({"channel": "sms"}, ["sms on"]),
        ({"channel": "web"}, ["web off", "web unset"]),
        ({"channel": "line"}, []),
        ({"integration": "studio"}, ["sms on"]),
        ({"integration": "task"}, ["web off"]),
        ({"integration": "none"}, ["web unset"]),
        ({"enabled": "true"}, ["odd", "sms on"]),
        # A flow without a value receives no messages.
        ({"enabled": "false"}, ["web off", "web unset"]),
        ({"account": AC}, ["sms on", "web off"]),
        ({"account": OTHER_AC}, ["web unset"]),
        (
            {"channel": "web", "enabled": "false", "integration": "none", "q": "UNSET"},
            ["web unset"],
        ),
        ({"channel": "web", "enabled": "true"}, []),
    ],
    ids=str,
)
def test_filters(various, query, expected):
    assert names(**query) == expected


@pytest.mark.parametrize("q", ["", "web", "nothing like it"])
@pytest.mark.parametrize("account", ["", AC])
@pytest.mark.parametrize("enabled", ["", "true", "false", "gone"])
@pytest.mark.parametrize("integration", ["", "studio", "none"])
@pytest.mark.parametrize("channel", ["", "sms", "web"])
def test_facets_count_the_flows_that_each_value_would_find(
    various, add, q, account, enabled, integration, channel
):
    for name, fields in {
        "web gone": {"channel_type": "web", "integration_type": "task", "enabled": True},
        "sms gone": {"channel_type": "sms", "enabled": False},
        "web bare gone": {"channel_type": "web", "integration_type": "", "enabled": None},
    }.items():
        add(name, gone_at=DAY, **fields)
    query = Query(q=q, account=account, enabled=enabled, integration=integration, channel=channel)

    counts = find_facets(query)

    for name, values in FACETS.items():
        expected = {value: find_page(replace(query, **{name: value})).total for value in values}
        assert {value: counts[name][value] for value in values} == expected


def test_facets_of_a_few_flows(various, add):
    add("gone", gone_at=DAY)

    assert {name: dict(counts) for name, counts in find_facets(Query()).items()} == {
        "channel": {"sms": 1, "web": 2, "telepathy": 1},
        "integration": {"studio": 1, "task": 1, "none": 1, "bot": 1},
        "enabled": {"true": 2, "false": 2, "gone": 1},
        "account": {"": 1, "AC" + "1" * 32: 2, "AC" + "2" * 32: 1},
    }
