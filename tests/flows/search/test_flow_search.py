"""Search of the flows in the mirror, on the database that DATABASE_URL names."""

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from flows.core.normalization import normalize_text
from flows.mirror.models import Flow
from flows.search import flow_search, trigrams
from flows.search.flow_search import PAGE_SIZE, SORTS, Page, Query, find_facets, find_page
from flows.twilio.flex.flex_flow import CHANNEL_TYPES, INTEGRATION_TYPES

AC = "AC" + "1" * 32
OTHER_AC = "AC" + "2" * 32
DAY = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def add(db):
    """Add flows to the mirror, with consecutive numbers as SIDs."""
    flows = []

    def one(name="Lyon", **fields):
        number = len(flows) + 1
        identity = fields.pop("contact_identity", f"+1415555{number:04}")
        flow = Flow(
            **{
                "sid": f"FO{number:032}",
                "account_sid": AC,
                "friendly_name": name,
                "name_folded": normalize_text(name),
                "contact_identity": identity,
                "identity_folded": normalize_text(identity),
                "channel_type": "sms",
                "integration_type": "studio",
                "enabled": True,
                "date_updated": DAY,
                "mirrored_at": DAY,
            }
            | fields
        )
        flow.save()
        flows.append(flow)
        return flow

    return one


def names(**query):
    return [flow.friendly_name for flow in find_page(Query(**query)).rows]


# Matches


@pytest.mark.parametrize(
    "text",
    [
        "Réclamations", "reclam", "RÉCLAM", "re\u0301clam", "clamations – ly", "clamations - ly", "  réclamations   – lyon ",
        "L’ÉTÉ", "l'ete", "(sms)", "réc\u200blam", "+33199000123", "199000", "WHATSAPP:+331", "\x00reclam",
    ],
    ids=ascii,
)  # fmt: skip
def test_part_of_a_name_or_identity_finds_the_flow(add, text):
    add("Réclamations – Lyon (SMS), l’été", contact_identity="whatsapp:+33199000123")
    add("Obsługa klienta", contact_identity="+14155550999")

    assert names(q=text) == ["Réclamations – Lyon (SMS), l’été"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%", ["100% sure"]), ("_", ["a_b"]), ("\\", ["back\\slash"]), ("'", ["it's"]), ('"', ['so "called"']), ("*", ["a*b"]),
        ("[ab]", ["[ab]"]), ("0%", ["100% sure"]), ("a_b", ["a_b"]), ("a%b", []), ("' OR 1=1 --", []), ("\\%", []), ("?", []),
        ("<b>", ["<b>bold</b>"]), ("{{", []), ("東", ["東京"]), ("ß", ["Straße"]), ("STRASSE", ["Straße"]), ("lodz", ["Łódź"]),
        ("\x00", None), ("\u200b", None), ("   ", None), ("", None), ("a\x00b", ["[ab]"]), ("\x00%", ["100% sure"]), ("\ufffd", []),
    ],
    ids=ascii,
)  # fmt: skip
def test_no_character_has_a_special_meaning(add, text, expected):
    """None stands for every flow: a text without visible characters is no search."""
    everything = [
        "100% sure",
        "a_b",
        "back\\slash",
        "it's",
        'so "called"',
        "a*b",
        "[ab]",
        "<b>bold</b>",
        "東京",
        "Straße",
        "Łódź",
    ]
    for name in everything:
        add(name, contact_identity="")

    assert sorted(names(q=text)) == sorted(everything if expected is None else expected)


def test_sid_is_found_by_its_first_characters(add):
    add("one")
    flow = add("two")

    assert names(q=flow.sid) == names(q=f" {flow.sid}\n") == ["two"]
    assert "two" in names(q=flow.sid[:12])
    assert names(q=flow.sid[2:]) == []


def test_search_for_a_sid_also_finds_a_name_with_it(add):
    flow = add("one")
    add(f"copy of {flow.sid}")

    assert names(q=flow.sid) == [f"copy of {flow.sid}", "one"]


def test_deleted_flow_is_not_found(add):
    flow = add("here")
    add("gone", gone_at=DAY)

    assert names() == ["here"]
    assert find_page(Query()).total == 1
    assert names(q=flow.sid) == ["here"]


def test_filter_finds_deleted_flows(add):
    add("here")
    add("gone", gone_at=DAY)

    assert names(enabled="gone") == ["gone"]


# Filters


@pytest.fixture
def various(add):
    add("sms on", channel_type="sms", integration_type="studio", enabled=True)
    add("web off", channel_type="web", integration_type="task", enabled=False)
    add("web unset", channel_type="web", integration_type="", enabled=None, account_sid=OTHER_AC)
    add("odd", channel_type="telepathy", integration_type="bot", enabled=True, account_sid="")


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
        (
            {"enabled": "false"},
            ["web off", "web unset"],
        ),  # an unset flow receives no messages
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


# Facets


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


# Searches with more matches than are counted


@pytest.fixture
def many(add, monkeypatch):
    """Ten flows with "line" in their names and a deleted one. A search counts four."""
    monkeypatch.setattr(flow_search, "COUNT_LIMIT", 4)
    monkeypatch.setattr(flow_search, "PAGE_SIZE", 3)
    for number in range(10):
        add(f"Line {9 - number}", channel_type="web" if number < 2 else "sms", contact_identity="")
    add("Line gone", gone_at=DAY)
    add("Other")


@pytest.fixture(params=["index", "walk"])
def way(request, monkeypatch):
    """Run a test with the search index and with a read of all entries in their order."""
    if request.param == "walk":
        monkeypatch.setattr(trigrams, "COMMON_THRESHOLD", 1)


@pytest.mark.parametrize("q", ["line", "li", "l"])
def test_search_with_many_matches_counts_up_to_the_limit(many, way, q):
    answer = flow_search.run_query(Query(q=q))

    assert answer.is_bounded
    assert (answer.page.total, answer.page.more, answer.page.has_next) == (4, True, True)
    assert [flow.friendly_name for flow in answer.page.rows] == ["Line 0", "Line 1", "Line 2"]
    assert sum(answer.facets["channel"].values()) <= 10


@pytest.mark.parametrize("q", ["line", "li"])
@pytest.mark.parametrize(
    ("page", "rows", "total", "more"),
    [(2, ["Line 3", "Line 4", "Line 5"], 6, True), (4, ["Line 9"], 10, False), (5, ["Line 9"], 10, False), (99, ["Line 9"], 10, False)],
)  # fmt: skip
def test_pages_of_a_search_with_many_matches(many, way, q, page, rows, total, more):
    result = find_page(Query(q=q, page=page))

    assert [flow.friendly_name for flow in result.rows] == rows
    assert (result.page, result.total, result.more, result.has_next) == (
        min(page, 4),
        total,
        more,
        more,
    )


def test_filters_of_a_search_with_many_matches(many, way):
    few, most = find_page(Query(q="line", channel="web")), find_page(Query(q="line", channel="sms"))

    assert [flow.friendly_name for flow in few.rows] == ["Line 8", "Line 9"]
    assert (few.total, few.more) == (2, False)
    assert (most.total, most.more) == (4, True)
    assert names(q="line", enabled="gone") == ["Line gone"]


def test_bounded_facets_are_lower_bounds(many, way):
    answer = flow_search.run_query(Query(q="line"))

    for name, counts in answer.facets.items():
        for value, flows in counts.items():
            assert flows <= len(flow_search.list_sids(Query(q="line", **{name: value})))


def test_search_with_exactly_the_limit_is_counted(many, monkeypatch):
    monkeypatch.setattr(flow_search, "COUNT_LIMIT", 11)  # with the deleted one

    answer = flow_search.run_query(Query(q="line"))

    assert not answer.is_bounded
    assert (answer.page.total, answer.page.more) == (10, False)


@pytest.mark.parametrize(
    ("common", "counted", "walks"),
    [(1, 4, True), (10_000, 4, False), (10_000, 1000, False)],
    ids=str,
)
def test_index_order_is_only_used_for_common_texts(many, monkeypatch, common, counted, walks):
    """Few matches may all be at the end of the order, after every other flow."""
    monkeypatch.setattr(trigrams, "COMMON_THRESHOLD", common)
    monkeypatch.setattr(flow_search, "COUNT_LIMIT", counted)

    with CaptureQueriesContext(connection) as queries:
        flow_search.run_query(Query(q="line"))

    [page] = [one["sql"] for one in queries if "ORDER BY" in one["sql"]]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # few flows are sorted if possible
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {'QUERY PLAN' if connection.vendor == 'sqlite' else ''} {page}")
        plan = str(cursor.fetchall())
    assert ("Sort Key" in plan or "TEMP B-TREE FOR ORDER BY" in plan) is not walks


@pytest.mark.parametrize(
    "query",
    [{}, {"q": "line"}, {"q": "li"}, {"q": "none such"}, {"sort": "-updated", "page": 2}, {"q": "line", "channel": "sms"}],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("counted", [4, 1000])
def test_number_of_queries_does_not_depend_on_the_number_of_flows(add, monkeypatch, query, counted):
    monkeypatch.setattr(flow_search, "COUNT_LIMIT", counted)
    add("Line")
    few = _queries(query)
    for number in range(60):
        add(f"Line {number}")

    assert _queries(query) <= (few if counted == 1000 else few + 3)


def _queries(query):
    with CaptureQueriesContext(connection) as queries:
        flow_search.run_query(Query(**query))
    return len(queries)


FACETS = {
    "channel": CHANNEL_TYPES,
    "integration": (*INTEGRATION_TYPES, "none"),
    "enabled": ("true", "false", "gone"),
}


# Order


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("name", ["alpha", "beta", "delta", "gamma"]),
        ("-name", ["gamma", "delta", "beta", "alpha"]),
        ("account", ["alpha", "beta", "delta", "gamma"]),
        ("-account", ["gamma", "alpha", "beta", "delta"]),
        ("channel", ["gamma", "alpha", "beta", "delta"]),
        ("-channel", ["delta", "alpha", "beta", "gamma"]),
        ("identity", ["delta", "gamma", "beta", "alpha"]),
        ("-identity", ["alpha", "beta", "gamma", "delta"]),
        ("integration", ["beta", "gamma", "alpha", "delta"]),
        ("-integration", ["alpha", "delta", "gamma", "beta"]),
        (
            "enabled",
            ["beta", "alpha", "delta", "gamma"],
        ),  # unknown values come last in both directions
        ("-enabled", ["alpha", "delta", "beta", "gamma"]),
        ("updated", ["delta", "alpha", "beta", "gamma"]),
        ("-updated", ["beta", "alpha", "delta", "gamma"]),
    ],
)
def test_every_order_in_both_directions_with_unknown_values_last(add, sort, order):
    add(
        "gamma",
        account_sid=OTHER_AC,
        channel_type="custom",
        contact_identity="b",
        integration_type="external",
        enabled=None,
        date_updated=None,
    )
    add(
        "beta",
        channel_type="sms",
        contact_identity="c",
        integration_type="",
        enabled=False,
        date_updated=DAY.replace(day=3),
    )
    add(
        "delta",
        channel_type="web",
        contact_identity="a",
        integration_type="task",
        enabled=True,
        date_updated=DAY,
    )
    add(
        "alpha",
        channel_type="sms",
        contact_identity="d",
        integration_type="task",
        enabled=True,
        date_updated=DAY.replace(day=2),
    )

    assert names(sort=sort) == order


def test_every_sort_column_is_tested():
    assert set(SORTS) == {
        "name",
        "account",
        "channel",
        "identity",
        "integration",
        "enabled",
        "updated",
    }


@pytest.mark.parametrize("sort", [*SORTS, *(f"-{key}" for key in SORTS)])
def test_equal_values_are_sorted_by_sid_so_that_pages_neither_lose_nor_repeat_a_flow(
    add, monkeypatch, sort
):
    monkeypatch.setattr(flow_search, "PAGE_SIZE", 3)
    sids = [add("same", contact_identity="same").sid for _ in range(8)]

    pages = [find_page(Query(sort=sort, page=number)).rows for number in (1, 2, 3)]

    assert [flow.sid for page in pages for flow in page] == sids


# Pages


@pytest.mark.parametrize(
    ("requested", "page", "first", "last", "has_next"),
    [(1, 1, 1, 3, True), (2, 2, 4, 6, True), (3, 3, 7, 7, False), (4, 3, 7, 7, False), (999_999, 3, 7, 7, False), (0, 1, 1, 3, True),
     (-5, 1, 1, 3, True)],
)  # fmt: skip
def test_pages(add, monkeypatch, requested, page, first, last, has_next):
    monkeypatch.setattr(flow_search, "PAGE_SIZE", 3)
    for _ in range(7):
        add()

    result = find_page(Query(page=requested))

    assert (result.page, result.first, result.last, result.has_next, result.total) == (
        page,
        first,
        last,
        has_next,
        7,
    )
    assert len(result.rows) == last - first + 1


def test_full_last_page_has_no_next_page(add, monkeypatch):
    monkeypatch.setattr(flow_search, "PAGE_SIZE", 3)
    for _ in range(3):
        add()

    assert not find_page(Query()).has_next
    assert find_page(Query(page=2)).page == 1


def test_empty_result(db):
    result = find_page(Query(page=7))

    assert result == Page([], 0, 1)
    assert (result.first, result.last, result.has_next) == (0, 0, False)


def test_page_emptied_after_the_count_has_no_next_page():
    assert not Page([], 7, 3).has_next


def test_page_has_fifty_flows(add):
    for _ in range(51):
        add()

    assert PAGE_SIZE == 50
    assert len(find_page(Query()).rows) == 50
    assert len(find_page(Query(page=2)).rows) == 1


# Queries in URLs


def test_query_with_every_parameter(add):
    add(account_sid=AC)
    query = Query.of(
        QueryDict(
            f"q=R%C3%A9clam&channel=sms&integration=none&enabled=false&account={AC}&sort=-updated&page=3"
        )
    )

    assert query == Query("Réclam", "sms", "none", "false", AC, "-updated", 3)


@pytest.mark.parametrize(
    "text", ["", "q=", "go=1", "page=", "sort=", "account=", "q=+++", "unknown="]
)
def test_empty_query(text):
    assert Query.of(QueryDict(text)) == Query()


NONSENSE = [
    "channel=telepathy", "channel=SMS", "channel=%00", "integration=bot", "integration=Studio", "enabled=yes", "enabled=True",
    "enabled=1", "sort=date_updated", "sort=--name", "sort=-", "sort=name%3B", "sort=name,sid", "page=0", "page=-1", "page=1.5",
    "page=1e3", "page=abc", "page=1000000", "page=%D9%A3", "page=%C2%B2", "page=+2", "page=2%0A", "page=" + "9" * 400,
    "account=AC1", "account=%00", f"account={AC}", f"account={AC}1", f"account={AC}%0A", "account=' OR 1=1",
    "q=%00", "q=a%00b", "q=" + "a" * 257, "q=%E2%80%8B", "q=%CC%81", "chanel=sms", "channel=sms&channel=web", "channel=sms&channel=",
    "channel=instagram&enabled=maybe",
]  # fmt: skip


@pytest.mark.parametrize("text", NONSENSE, ids=lambda text: text[:40])
def test_invalid_value_finds_nothing_and_is_reported(add, text):
    add(account_sid=OTHER_AC)
    query = Query.of(QueryDict(text))

    answer = flow_search.run_query(query)

    assert query.errors
    assert all(error.sentence.endswith(".") for error in query.errors)
    assert (answer.page.rows, answer.page.total, flow_search.list_sids(query)) == ([], 0, [])
    assert not any(counts.total() for counts in answer.facets.values())


@pytest.mark.parametrize("text", NONSENSE, ids=lambda text: text[:40])
def test_urls_of_an_invalid_query_keep_the_error(add, text):
    """No link, form or saved view drops an invalid value."""
    add(account_sid=OTHER_AC)
    query = Query.of(QueryDict(text))

    reparsed = Query.from_query_string(query.url())
    sorted_ = (
        Query.from_query_string(query.url(sort="-updated"))
        if query.errors[0].name != "sort"
        else reparsed
    )

    assert [one.name for one in reparsed.errors] == [one.name for one in query.errors]
    assert sorted_.errors


@pytest.mark.parametrize("text", NONSENSE, ids=lambda text: text[:40])
def test_query_without_its_invalid_parameters_is_valid(add, text):
    query = Query.of(QueryDict(text))

    for error in query.errors:
        query = query.without(error.name)

    assert not query.errors
    assert not Query.from_query_string(query.url()).errors


def test_unusual_value_in_the_mirror_is_a_valid_filter(add):
    add("insta", channel_type="instagram", integration_type="bot", account_sid=OTHER_AC)
    add("lyon")
    add("bare", channel_type="", integration_type="")

    for text in ("channel=instagram", "integration=bot", f"account={OTHER_AC}"):
        query = Query.from_query_string(text)
        assert not query.errors
        assert [flow.friendly_name for flow in find_page(query).rows] == ["insta"]
        assert flow_search.list_sids(query) == [find_page(query).rows[0].sid]
    assert names(channel="none") == ["bare"]
    assert find_facets(Query())["channel"] == {"instagram": 1, "sms": 1, "none": 1}


def test_value_of_an_invisible_account_is_invalid(add):
    """Otherwise users would learn of a value in an account that they may not see."""
    add(channel_type="instagram", account_sid=OTHER_AC)

    assert Query.from_query_string("channel=instagram", frozenset({AC})).errors
    assert Query.from_query_string(f"account={OTHER_AC}", frozenset({AC})).errors
    assert not Query.from_query_string("channel=instagram", frozenset({OTHER_AC})).errors


@pytest.mark.parametrize(
    ("text", "page"), [("page=1", 1), ("page=007", 7), ("page=999999", 999_999)]
)
def test_page_numbers(text, page):
    query = Query.of(QueryDict(text))

    assert (query.page, query.errors) == (page, ())


@pytest.mark.parametrize(
    "q", ["\x00", "a\x00b", "%", "x" * 256, "\u202e", "' \" \\ ; --", "\ufffd"], ids=ascii
)
def test_every_text_can_be_searched(add, q):
    add()

    result = find_page(
        Query.of({"q": q, "account": "\x00", "sort": "\x00", "channel": "\x00", "page": "\x00"})
    )

    assert result.total == 0


def test_url_leaves_out_default_values():
    assert Query().url() == "?"
    assert Query(q="é & +", sort="-updated").url() == "?q=%C3%A9+%26+%2B&sort=-updated"


def test_url_with_a_change_begins_at_page_one():
    query = Query(q="a", channel="sms", page=4)

    assert parse_qs(query.url(sort="-name")[1:]) == {
        "q": ["a"],
        "channel": ["sms"],
        "sort": ["-name"],
    }
    assert parse_qs(query.url(page=5)[1:]) == {"q": ["a"], "channel": ["sms"], "page": ["5"]}
    assert parse_qs(query.url(channel="")[1:]) == {"q": ["a"]}
    assert query.url() == "?q=a&channel=sms"
    assert query.url(page=1) == query.url()


def test_url_with_an_unknown_parameter():
    with pytest.raises(KeyError):
        Query().url(colour="red")


@pytest.mark.parametrize(
    "query",
    [
        Query(),
        Query("é&=+%", "web", "none", "true", AC, "-enabled", 9),
        Query(q="100%_\\"),
        Query(q=" spaced "),
    ],
)
def test_query_survives_a_round_trip_through_its_url(add, query):
    add(account_sid=AC)

    assert Query.of(QueryDict(query.url(page=query.page)[1:])) == query


# Phone numbers

NUMBERS = {
    "us": "+14155551234",
    "whatsapp": "whatsapp:+14155551234",
    "cologne": "+4922155501",
    "page": "messenger:1114155",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(415) 555-1234", ["us", "whatsapp"]),
        ("+1 415 555 1234", ["us", "whatsapp"]),
        ("+1 (415) 555‑1234", ["us", "whatsapp"]),
        ("415.555.1234", ["us", "whatsapp"]),
        ("tel:+1-415-555-1234", ["us", "whatsapp"]),
        ("001 415 555 1234", ["us", "whatsapp"]),
        ("whatsapp:+1 415 555 1234", ["us", "whatsapp"]),
        ("0221/55501", ["cologne"]),
        ("0049 221 55501", ["cologne"]),
        ("+49 (0)221 55501", ["cologne"]),
        ("0049 (0)221/555-01", ["cologne"]),
        ("+٤٩ ٢٢١ ٥٥٥٠١", ["cologne"]),
        ("+49 (0)30 55501", []),
        ("415 555 9999", []),
        ("12 3", []),
        ("(call) 4155551234", []),
    ],
)
def test_phone_number_is_found_in_any_spelling(add, text, expected):
    for name, identity in NUMBERS.items():
        add(name, contact_identity=identity)

    assert sorted(names(q=text)) == sorted(expected)


def test_digits_in_a_name_are_found(add):
    add("Support 24 7", contact_identity="")
    add("Line", contact_identity="+4924700")

    assert names(q="24 7") == ["Support 24 7"]
    assert names(q="2470") == ["Line"]


def test_phone_number_of_a_single_flow_is_an_exact_match(add):
    only, _, deleted = (
        add(contact_identity="+4922155501"),
        add(contact_identity="+14155551234"),
        add(contact_identity="+4922155501", gone_at=DAY),
    )
    add(contact_identity="whatsapp:+14155551234")

    assert flow_search.find_exact_match(" 0221 555-01 ") == only.sid
    assert flow_search.find_exact_match("0221 555-01", is_number=False) == ""
    assert flow_search.find_exact_match("4155551234") == ""
    assert flow_search.find_exact_match("15550") == ""
    assert flow_search.find_exact_match(deleted.sid, is_number=False) == deleted.sid


@pytest.mark.parametrize(
    "q",
    [
        "hamburg rechnungen",
        "Rechnungen Hamburg",
        "rechnungen – hamburg",
        "sms, rechn",
        "rechnungen 4930",
        "(SMS) hamburg",
    ],
)
def test_words_are_found_in_any_order_and_with_other_text_between_them(add, q):
    add("Rechnungen – Hamburg (SMS)", contact_identity="+4930123456")
    add("Rechnungen – Berlin", contact_identity="+49111")
    add("Retouren Hamburg")

    assert names(q=q) == ["Rechnungen – Hamburg (SMS)"]
