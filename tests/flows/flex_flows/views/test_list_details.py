"""Owners and tags in the list of flows: their column, their filters and chips."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from flows.mirror.sync import sync_account
from flows.search.models import SavedView
from tests import ACCOUNT
from tests.flows.local_details.changing import set_details

pytestmark = pytest.mark.django_db(transaction=True)
HTMX = {"HX-Request": "true"}


@pytest.fixture
def sids(sandbox, db):
    sids = [sandbox.add_flow(friendly_name=name) for name in ("Bern", "Lyon", "Nice")]
    sync_account(ACCOUNT)
    return sids


def text(page):
    return page.content.decode()


def names(page):
    return [flow.friendly_name for flow in page.context["results"].rows]


def owner_cells(page):
    return [strip_tags(cell) for cell in re.findall(r'<td class="owner".*?</td>', text(page))]


def test_list_without_owners_has_neither_column_nor_filters(client_of, sids):
    set_details(sids[0], note="Ring first")  # a note has no column

    page = client_of("viewer").get("/flows/")

    assert "c-owner" not in text(page)
    assert "More filters" not in text(page)
    assert owner_cells(page) == []


def test_column_shows_owner_and_tags_as_one_escaped_text(client_of, sids):
    set_details(sids[0], owner="Claims <b>", tags=["vip", "lyon"])
    set_details(sids[1], tags=["vip"])

    page = client_of("viewer").get("/flows/", headers=HTMX)

    assert owner_cells(page) == ["Claims &lt;b&gt; #lyon #vip", "#vip", ""]
    assert 'title="Claims &lt;b&gt; #lyon #vip"' in text(page)
    assert re.search(r'<th scope="col"\s+class="c-owner"\s*>\s*Owner and tags\s*</th>', text(page))


def test_filters_offer_what_flows_have_and_stay_open_while_active(client_of, sids):
    set_details(sids[0], owner="Team (5)", tags=["vip"])
    client = client_of("viewer")

    everything, filtered = client.get("/flows/"), client.get("/flows/?owner=Team+(5)&tag=none")

    assert everything.context["choices"]["owner"] == [
        ("Team (5)", "Team (5)"),
        ("none", "No owner"),
    ]
    assert '<details class="more-filters">' in text(everything)
    assert '<details class="more-filters" open>' in text(filtered)
    assert '<option value="Team (5)" selected>' in text(filtered)
    assert '<option value="none" selected>No tag</option>' in text(filtered)
    assert [chip["label"] for chip in filtered.context["chips"]] == [
        "Owner: Team (5)",
        "Tag: No tag",
    ]


def test_owner_that_no_flow_has_any_longer_finds_nothing_and_stays_selected(client_of, sids):
    page = client_of("viewer").get("/flows/?owner=Former")

    assert names(page) == []
    assert '<option value="Former" selected>Former</option>' in text(page)


def test_owners_and_tags_of_other_accounts_are_not_offered(client_of, sandbox, staging):
    set_details("FO" + "7" * 32, account_sid=staging.account_sid, owner="Secret", tags=["hidden"])

    page = client_of("viewer", "vera", sandbox.account_sid).get("/flows/")

    assert "Secret" not in text(page)
    assert "hidden" not in page.context["choices"].get("tag", [])


def test_saved_view_keeps_owner_and_tag(client_of, sids):
    set_details(sids[1], owner="Claims", tags=["vip"])
    client = client_of("viewer")

    client.post("/flows/views/", {"name": "Ours", "query": "owner=Claims&tag=vip"})

    query = SavedView.objects.get().query
    assert query == "owner=Claims&tag=vip"
    assert names(client.get(f"/flows/?{query}")) == ["Lyon"]


def test_selection_of_all_matching_flows_follows_the_tag(client_of, sids):
    set_details(sids[1], tags=["vip"])

    page = client_of("operator").post(
        "/flows/plans/new/", {"all": "1", "query": "tag=vip", "kind": "disable"}, follow=True
    )

    assert page.context["plan"].title == "Turn off 1 flow"


def test_owners_take_no_query_a_row(client_of, sids):
    client = client_of("viewer")
    set_details(sids[0], owner="Claims")
    with CaptureQueriesContext(connection) as with_one:
        client.get("/flows/", headers=HTMX)
    for sid in sids:
        set_details(sid, owner="Claims", tags=["vip", "lyon"])
    with CaptureQueriesContext(connection) as with_owners:
        client.get("/flows/", headers=HTMX)

    assert len(with_owners) == len(with_one)


def test_marks_show_the_owner_or_tag_for_which_a_flow_was_found(client_of, sids):
    set_details(sids[0], owner="Équipe de nuit", tags=["vip", "störung", "storung"])
    set_details(sids[1], owner="Day team <b>", tags=["bern"])
    client = client_of("viewer")

    by_owner = client.get("/flows/?q=equipe")
    by_tags = client.get("/flows/?q=%23vip")

    assert names(by_owner) == names(by_tags) == ["Bern"]
    assert "<mark>Équipe</mark> de nuit #storung #störung #vip" in text(by_owner)
    assert "#storung #störung <mark>#vip</mark></td>" in text(by_tags)
    assert owner_cells(client.get("/flows/?q=day"))[0] == "Day team &lt;b&gt; #bern"


@pytest.mark.parametrize("is_hidden", [True, False])
def test_row_names_the_owner_or_tag_as_its_reason(client_of, sids, is_hidden):
    """Its column may be hidden, by the user or in a narrow window."""
    set_details(sids[0], owner="Équipe de nuit", tags=["vip"])
    set_details(sids[1], owner="Day team <b>", tags=["bern"])
    client = client_of("viewer")
    columns = ["channel", "integration", "enabled"]
    if is_hidden:
        client.post("/flows/list-view/", {"column": columns, "density": "comfortable"})

    by_owner, by_tag = client.get("/flows/?q=day"), client.get("/flows/?q=vip")
    by_name_and_tag = client.get("/flows/?q=bern")

    assert owner_cells(by_owner) == ([] if is_hidden else ["Day team &lt;b&gt; #bern"])
    assert "<mark>Day</mark> team &lt;b&gt; · " in text(by_owner)
    assert "#<mark>vip</mark> · " in text(by_tag)
    assert "nuit · " not in text(by_tag)
    rows = text(by_name_and_tag)
    assert names(by_name_and_tag) == ["Bern", "Lyon"]
    marks = re.findall("(#?<mark>[^<]*</mark>)", rows)
    assert marks[:2] == ["<mark>Bern</mark>", "#<mark>bern</mark>"]
    assert len(marks) == (2 if is_hidden else 3)


def test_owners_of_other_accounts_are_not_found(client_of, sandbox, staging):
    sid = staging.add_flow(friendly_name="Elsewhere")
    sync_account(staging.account_sid)
    set_details(sid, account_sid=staging.account_sid, owner="Secret team")

    assert names(client_of("viewer", account_sid=ACCOUNT).get("/flows/?q=secret")) == []
    assert names(client_of("viewer", "eva").get("/flows/?q=secret")) == ["Elsewhere"]
