"""Owners and tags as filters and in searches: the same flows on pages, in counts, selections and exports."""

import pytest

from flows.local_details.fields import fold
from flows.local_details.models import FlowTag, LocalDetails
from flows.search import details_search, flow_search, trigrams
from flows.search.flow_search import Query, run_query
from tests.flows.search.mirrored_flows import AC, DAY, OTHER_AC, names


def give(flow, owner, *tags):
    details = LocalDetails.objects.create(
        sid=flow.sid, account_sid=flow.account_sid, owner=owner, owner_folded=fold(owner)
    )
    for name in tags:
        FlowTag.objects.create(
            details=details, account_sid=flow.account_sid, name=name, name_folded=fold(name)
        )


@pytest.fixture
def owned(add):
    """Four flows: two of Claims, of which one is deleted; one of Sales; one without details."""
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


@pytest.fixture(params=["few", "many", "many values"])
def way(request, monkeypatch):
    """Run a test through the index of owners and tags, and flow by flow as for a common one."""
    if request.param == "many":
        monkeypatch.setattr(trigrams, "COMMON_THRESHOLD", 1)
    if request.param == "many values":
        monkeypatch.setattr(details_search, "MAX_VALUES", 0)


@pytest.fixture
def teams(add):
    """Flows of teams whose names are in no other column."""
    give(add("Lyon"), "Équipe de nuit", "vip", "störung")
    give(add("Nice"), "Day team", "c#", "vip nuit")
    give(add("Bern", account_sid=OTHER_AC), "Équipe de nuit")
    give(add("Gone", gone_at=DAY), "Day team", "vip")
    add("Night desk")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "équipe de nuit"}, ["Bern", "Lyon"]),
        ({"q": "NUIT equipe"}, ["Bern", "Lyon"]),
        ({"q": "equip"}, ["Bern", "Lyon"]),
        ({"q": "lyon nuit"}, ["Lyon"]),
        ({"q": "nice equipe"}, []),
        ({"q": "nuit"}, ["Bern", "Lyon", "Nice"]),  # an owner of two, a tag of one
        ({"q": "vip"}, ["Lyon", "Nice"]),
        ({"q": "#vip"}, ["Lyon", "Nice"]),
        ({"q": "day vip"}, ["Nice"]),
        ({"q": "storung"}, ["Lyon"]),
        ({"q": "Störung"}, ["Lyon"]),
        ({"q": "c#"}, ["Nice"]),
        ({"q": "vi_"}, []),
        ({"q": "%%"}, []),
        ({"q": "vip", "enabled": "gone"}, ["Gone"]),
        ({"q": "nuit", "scope": frozenset({AC})}, ["Lyon", "Nice"]),
        ({"q": "nuit", "scope": frozenset()}, []),
        ({"q": "nuit", "owner": "day team"}, ["Nice"]),
        ({"q": "night"}, ["Night desk"]),
    ],
    ids=str,
)
def test_search_finds_flows_by_their_owner_and_tags(teams, way, query, expected):
    answer = run_query(Query(**query))

    assert [flow.friendly_name for flow in answer.page.rows] == expected
    assert answer.page.total == len(expected)
    assert len(flow_search.list_sids(Query(**query))) == len(expected)
    assert [flow.friendly_name for flow in flow_search.find_first(Query(**query), 9)] == expected


def test_search_for_an_owner_has_pages(add, way, monkeypatch):
    monkeypatch.setattr(flow_search, "COUNT_LIMIT", 4)
    monkeypatch.setattr(flow_search, "PAGE_SIZE", 3)
    for number in range(10):
        give(add(f"Line {number}"), "Night shift", "vip")

    pages = [flow_search.find_page(Query(q="night vip", page=page)) for page in (1, 2, 4)]

    assert [page.rows[0].friendly_name for page in pages] == ["Line 0", "Line 3", "Line 9"]
    assert [page.more for page in pages] == [True, True, False]


def test_search_for_an_owner_takes_no_more_queries(teams, django_assert_max_num_queries):
    with django_assert_max_num_queries(4):
        assert names(q="equipe") == ["Bern", "Lyon"]
    LocalDetails.objects.all().delete()
    with django_assert_max_num_queries(4):
        assert names(q="night") == ["Night desk"]


def test_owners_of_one_word_leave_room_for_those_of_another(add):
    owners = [f"agent {number:03}" for number in range(600)]
    LocalDetails.objects.bulk_create(
        LocalDetails(sid=f"FOf{number:031}", account_sid=AC, owner=owner, owner_folded=owner)
        for number, owner in enumerate(owners)
    )
    give(add("Lyon"), "Zoe")

    assert names(q="e zoe") == names(q="zoe") == ["Lyon"]
