"""The filters by owner and tag: the same flows on pages, in counts, selections and exports."""

import pytest

from flows.local_details.models import FlowTag, LocalDetails
from flows.search import flow_search
from flows.search.flow_search import Query, run_query
from tests.flows.search.mirrored_flows import AC, DAY, OTHER_AC, names


@pytest.fixture
def owned(add):
    """Four flows: two of Claims, of which one is deleted; one of Sales; one without details."""

    def give(flow, owner, *tags):
        details = LocalDetails.objects.create(
            sid=flow.sid, account_sid=flow.account_sid, owner=owner, owner_folded=owner.lower()
        )
        for name in tags:
            FlowTag.objects.create(details=details, account_sid=flow.account_sid, name=name)

    give(add("Lyon", channel_type="sms"), "Claims", "vip", "sms")
    give(add("Bern", channel_type="web", account_sid=OTHER_AC), "Sales", "vip")
    give(add("Gone", gone_at=DAY), "claims", "vip")
    add("Nobody")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"owner": "Claims"}, ["Lyon"]),
        ({"owner": "CLAIMS", "enabled": "gone"}, ["Gone"]),
        ({"owner": "none"}, ["Nobody"]),
        ({"owner": "Nobody of these"}, []),
        ({"tag": "vip"}, ["Bern", "Lyon"]),
        ({"tag": "VIP"}, ["Bern", "Lyon"]),
        ({"tag": "none"}, ["Nobody"]),
        ({"tag": "vip", "channel": "sms"}, ["Lyon"]),
        ({"tag": "vip", "owner": "Sales"}, ["Bern"]),
        ({"tag": "vip", "q": "ber"}, ["Bern"]),
        ({"tag": "sms", "q": "ber"}, []),
        ({"tag": "vip", "scope": frozenset({AC})}, ["Lyon"]),
        ({"tag": "vip", "sort": "-name"}, ["Lyon", "Bern"]),
    ],
    ids=str,
)
def test_page_count_and_selection_agree(owned, query, expected):
    answer = run_query(Query(**query))

    assert [flow.friendly_name for flow in answer.page.rows] == expected
    assert answer.page.total == len(expected)
    assert len(flow_search.list_sids(Query(**query))) == len(expected)


def test_numbers_at_the_other_filters_are_those_of_the_tag(owned):
    facets = run_query(Query(tag="vip")).facets

    assert facets["channel"] == {"sms": 1, "web": 1}
    assert facets["enabled"] == {"true": 2, "gone": 1}


def test_more_flows_than_are_counted(owned, add, monkeypatch):
    monkeypatch.setattr(flow_search, "COUNT_LIMIT", 1)

    answer = run_query(Query(tag="vip"))

    assert answer.is_bounded
    assert [flow.friendly_name for flow in answer.page.rows] == ["Bern", "Lyon"]


def test_filter_by_tag_takes_no_more_queries_than_a_search(owned, django_assert_max_num_queries):
    with django_assert_max_num_queries(3):
        assert names(tag="vip") == ["Bern", "Lyon"]
