"""Searches that find flows by what they point to: names, SIDs and hosts."""

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from flows.mirror.models import Flow
from flows.search import flow_search, trigrams
from flows.search.flow_search import Query
from tests.flows.search.mirrored_flows import AC, DAY, OTHER_AC, names

FW = "FW05a1" + "0" * 22 + "f339"
OTHER_FW = "FW05a1" + "0" * 22 + "f33a"
WW, WS, IS = "WW" + "b" * 28 + "12ab", "WS" + "c" * 28 + "34cd", "IS" + "d" * 28 + "56ef"
TASK = {
    "integration_type": "task",
    "integration_workspace_sid": WS,
    "integration_workflow_sid": WW,
    "integration_channel": "sms",
}


@pytest.fixture
def flows(add, name_target):
    """One flow for each kind of handler, each with the name of its city."""
    studio = {"integration_type": "studio", "integration_flow_sid": FW, "chat_service_sid": IS}
    webhook = {
        "integration_type": "external",
        "integration_url": "https://hooks.example.com/in?k=private",
    }
    add("Lyon", resource=studio)
    add("Nice", resource=studio | {"integration_flow_sid": OTHER_FW})
    add("Paris", resource=webhook, contact_identity="+33199000123")
    add("Brest", resource=TASK)
    name_target("studio_flow", FW, "Support IVR 2")
    name_target("workflow", WW, "Réclamations VIP")
    name_target("workspace", WS, "Flex Task Assignment")
    name_target("conversation_service", IS, "Flex Chat Service")
    name_target("phone_number", "PN1", "Main line", reference="+33199000123")


@pytest.fixture(params=["few", "many"])
def way(request, monkeypatch):
    """Run a test through the index of targets, and flow by flow as for a common target."""
    if request.param == "many":
        monkeypatch.setattr(trigrams, "COMMON_THRESHOLD", 1)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("support", ["Lyon"]), ("ivr SUPPORT", ["Lyon"]), ("ivr 2", ["Lyon"]), ("lyon ivr", ["Lyon"]), ("nice ivr", []),
        ("reclam", ["Brest"]), ("vip réclamations", ["Brest"]), ("main line", ["Paris"]),
        ("hooks.example.com", ["Paris"]), ("EXAMPLE", ["Paris"]), ("paris hooks", ["Paris"]), ("private", []),
        (FW, ["Lyon"]), (FW.lower(), ["Lyon"]), ("FW05", ["Lyon", "Nice"]), ("fw05a1", ["Lyon", "Nice"]), ("FW06", []),
        ("f339", ["Lyon"]), ("F33A", ["Nice"]), ("…f339", ["Lyon"]), ("...f339", ["Lyon"]), ("a10", []), ("05a1", []),
        ("FW05a1…f339", ["Lyon"]), ("fw05...f33a", ["Nice"]), ("FW05…f339 lyon", ["Lyon"]), ("FW05…abcd", []),
        (WW, ["Brest"]), ("12ab", ["Brest"]), (WS, ["Brest"]), ("34cd", ["Brest"]), (IS, ["Lyon", "Nice"]), ("56ef", ["Lyon", "Nice"]),
        ("flex chat", ["Lyon", "Nice"]), ("Flex", ["Brest", "Lyon", "Nice"]), ("chat", []), ("task assignment", []),
        ("sms", []), ("%", []), ("h_oks", []),
    ],
    ids=ascii,
)  # fmt: skip
def test_search_finds_flows_by_their_targets(flows, way, text, found):
    assert names(q=text) == sorted(found)
    assert [Flow.objects.get(sid=sid).friendly_name for sid in sorted_sids(text)] == sorted(found)


def sorted_sids(text):
    return sorted(
        flow_search.list_sids(Query(q=text)),
        key=lambda sid: Flow.objects.get(sid=sid).friendly_name,
    )


def test_search_is_limited_to_the_users_accounts(add, name_target):
    resource = {"integration_type": "studio", "integration_flow_sid": FW}
    add("Lyon", resource=resource)
    add("Bern", resource=resource, account_sid=OTHER_AC)
    name_target("studio_flow", FW, "Support IVR", account_sid=OTHER_AC)

    assert names(q="f339", scope=frozenset([AC])) == ["Lyon"]
    assert names(q="support", scope=frozenset([AC])) == []
    assert names(q="support", scope=frozenset([OTHER_AC])) == ["Bern"]
    assert names(q="f339", scope=frozenset()) == []


def test_deleted_flow_is_found_by_its_target(add):
    add("Lyon", resource={"integration_flow_sid": FW}, gone_at=DAY)

    assert names(q="f339") == []
    assert names(q="f339", enabled="gone") == ["Lyon"]


@pytest.mark.parametrize(
    ("target", "found"),
    [
        (f"studio-flow:{FW}", ["Lyon"]), ("webhook:hooks.example.com", ["Paris"]), (f"workflow:{WW}", ["Brest"]),
        (f"workspace:{WS}", ["Brest"]), ("task-channel:sms", ["Brest"]), (f"chat-service:{IS}", ["Lyon", "Nice"]),
        ("identity:+33199000123", ["Paris"]), ("identity:+331990001", []), ("studio-flow:FW", []), (f"workflow:{FW}", []),
    ],
)  # fmt: skip
def test_target_filter_finds_the_flows_that_use_it(flows, way, target, found):
    assert names(target=target) == found
    assert len(flow_search.list_sids(Query(target=target))) == len(found)


@pytest.mark.parametrize("query", [{"q": "f339"}, {"target": f"studio-flow:{FW}"}], ids=str)
def test_more_flows_than_are_counted_have_pages(add, way, monkeypatch, query):
    monkeypatch.setattr(flow_search, "COUNT_LIMIT", 4)
    monkeypatch.setattr(flow_search, "PAGE_SIZE", 3)
    for number in range(10):
        add(f"Line {number}", resource={"integration_flow_sid": FW})

    pages = [flow_search.find_page(Query(**query, page=page)) for page in (1, 2, 4)]

    assert [page.rows[0].friendly_name for page in pages] == ["Line 0", "Line 3", "Line 9"]
    assert [page.more for page in pages] == [True, True, False]


def test_target_filter_narrows_a_search(flows, way):
    assert names(q="ly", target=f"chat-service:{IS}") == ["Lyon"]
    assert names(q="paris", target=f"chat-service:{IS}") == []
    assert names(target=f"chat-service:{IS}", enabled="false") == []


@pytest.mark.parametrize("text", ["", "lyon", "ivr", "f339"])
@pytest.mark.parametrize("find", [flow_search.run_query, flow_search.list_sids])
def test_query_reads_the_flows_of_its_target_once(flows, find, text):
    with CaptureQueriesContext(connection) as queries:
        find(Query(q=text, target=f"studio-flow:{FW}"))

    counts = [query["sql"].count("(SELECT flow_sid FROM flows_targetuse") for query in queries]
    assert set(filter(None, counts)) == {1}


def test_target_filter_has_facets(flows):
    answer = flow_search.run_query(Query(target=f"chat-service:{IS}"))

    assert answer.facets["integration"] == {"studio": 2}


@pytest.mark.parametrize(
    "target",
    [
        "x", "webhook", "webhook:", "bot:x", "webhook:a\x00", "webhook:" + "a" * 300,
        "identity:\u200b", "identity: \u2060\n",
    ],
    ids=ascii,
)  # fmt: skip
def test_invalid_target_is_an_error(add, target):
    add("Without an identity", contact_identity="")
    parameters = QueryDict(mutable=True)
    parameters["target"] = target

    query = Query.of(parameters)

    assert [error.name for error in query.errors] == ["target"]
    assert names(target=target, errors=query.errors) == []


def test_search_reports_the_targets_that_it_means(flows):
    answer = flow_search.run_query(Query(q="support"))

    assert [(target.kind, target.value, target.name) for target in answer.targets] == [
        ("studio-flow", FW, "Support IVR 2")
    ]


@pytest.mark.parametrize("text", ["lyon", "support", "f339", "lyon support ivr"])
def test_search_takes_one_query_for_all_targets(flows, text):
    with CaptureQueriesContext(connection) as queries:
        flow_search.run_query(Query(q=text))

    about_targets = [query for query in queries if "target.value_folded" in query["sql"]]
    assert len(about_targets) == 1


def test_long_search_is_answered(flows):
    assert names(q=" ".join(f"w{number}" for number in range(80))[:256]) == []
