"""The palette finds flows, events, pages and actions, and only what the user may see and do."""

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from flows.audit.models import AuditEvent
from flows.availability.models import Closure
from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.faults.acting import append_attempt
from tests.flexadmin.keyboard.palette_pages import addresses_of, groups_of, search
from tests.flows.names.adding import add_name

pytestmark = pytest.mark.django_db
QUERIES_OF_SIGN_IN = 3  # the session, its user, and the user's roles


def find(client, text="", *, page="/flows/"):
    return groups_of(search(client, text, page=page))


@pytest.mark.quick
@pytest.mark.parametrize("text", ["lyon", "RÉCL lyon", "+33 1 99 00 01 23", "0033199000123"])
def test_flow_is_found_by_any_part_as_in_the_list(client_of, flow_sid, text):
    response = search(client_of("viewer"), text)

    assert groups_of(response)["Flows"] == ["Réclamations Lyon SMS · +33199000123 · On"]
    assert f"/flows/{flow_sid}/" in addresses_of(response)


def test_flow_is_found_by_its_sid_and_the_start_of_it(client_of, flow_sid):
    client = client_of("viewer")

    assert len(find(client, flow_sid)["Flows"]) == 1
    assert len(find(client, flow_sid[:10])["Flows"]) == 1


def test_flow_that_is_not_synced_yet_is_opened_by_its_sid(client_of, sandbox):
    sid = "FO" + "0123456789abcdef" * 2

    response = search(client_of("viewer"), f" {sid} ")

    assert groups_of(response)["Flows"] == ["Open FO0123…cdef"]
    assert f"/flows/{sid}/" in addresses_of(response)


def test_words_of_the_search_are_marked(client_of, flow_sid):
    html = search(client_of("viewer"), "lyon").content.decode()

    assert "Réclamations <mark>Lyon</mark>" in html


def test_many_flows_lead_to_the_list(client_of, sandbox):
    for number in range(7):
        sandbox.add_flow(friendly_name=f"Support {number}")
    sync_account(ACCOUNT)

    response = search(client_of("viewer"), "support")

    assert len(groups_of(response)["Flows"]) == 6
    assert groups_of(response)["Flows"][-1] == "More flows that match “support”"
    assert "/flows/?q=support" in addresses_of(response)


def test_names_are_escaped_and_written_out(client_of, sandbox):
    sandbox.add_flow(friendly_name="Lyon <script>\u202e")
    sync_account(ACCOUNT)

    html = search(client_of("viewer"), "lyon").content.decode()

    assert "<script>" not in html
    assert "⟨U+202E⟩" in html


@pytest.mark.parametrize("text", ["\x00", "\u200b", "x" * 300, "%", "'\"", " "])
def test_odd_texts_find_nothing_and_break_nothing(client_of, flow_sid, text):
    response = search(client_of("viewer"), text)

    assert response.status_code == 200
    assert not groups_of(response).keys() & {"Flows", "Events"}


def test_events_are_found_by_words_id_and_number(client_of, flow_sid):
    append_attempt(flow_sid)
    event = AuditEvent.objects.latest("seq")
    client = client_of("viewer")

    by_id = search(client, str(event.event_id))
    by_number = search(client, f"#{event.seq}")
    by_words = search(client, event.actor_label)

    for response in (by_id, by_number, by_words):
        assert f"/audit/{event.event_id}/" in addresses_of(response)
    assert groups_of(by_number)["Events"][0].startswith(f"Event {event.seq} ")


def test_events_of_an_account_are_for_its_users_alone(client_of, staging, flow_sid, person):
    append_attempt(flow_sid)
    event = AuditEvent.objects.latest("seq")
    stranger = client_of("viewer", name="sam", account_sid=staging.account_sid)

    for text in (str(event.event_id), str(event.seq), event.actor_label):
        assert "Events" not in find(stranger, text)
        assert "Events" in find(client_of("viewer"), text)


def test_flows_of_an_account_are_for_its_users_alone(client_of, staging, flow_sid):
    stranger = client_of("admin", name="sam", account_sid=staging.account_sid)

    for text in ("lyon", "+33199000123", flow_sid[:12]):
        assert "Flows" not in find(stranger, text)
    # A whole SID can be of a flow that isn't synced yet; its page refuses others.
    assert find(stranger, flow_sid)["Flows"] == [f"Open {flow_sid[:6]}…{flow_sid[-4:]}"]
    assert "This flow" not in find(stranger, page=f"/flows/{flow_sid}/")


def test_flows_name_their_account_where_there_are_several(client_of, staging, flow_sid):
    assert find(client_of("viewer"), "lyon")["Flows"] == [
        "Réclamations Lyon SMS · +33199000123 · On · production"
    ]


def test_user_without_a_role_reaches_only_their_own_pages(flow_sid):
    client = Client()
    client.force_login(User.objects.create_user("nobody"))

    assert find(client) == {
        "Actions": ["Sign out"],
        "Pages": ["Account settings", "Keyboard shortcuts"],
    }
    for text in ("lyon", flow_sid, "1"):
        assert find(client, text) == {}


EXPECTED_ACTIONS = {
    "viewer": [],
    "operator": ["New flow", "Import flows"],
    "auditor": ["Export audit log"],
    "admin": ["New flow", "Import flows", "Export audit log", "Add user"],
}
ACTIONS_OF_READERS = {
    "Sync with Twilio",
    "Export all flows as CSV",
    "Export all flows as JSON",
    "Sign out",
}


def test_actions_are_those_of_the_role(client_of, sandbox, role):
    actions = find(client_of(role))["Actions"]

    assert set(actions) == {*EXPECTED_ACTIONS[role], *ACTIONS_OF_READERS}


@pytest.mark.parametrize("account_sid", ["", ACCOUNT])
def test_every_page_and_action_opens_for_its_role(client_of, sandbox, role, account_sid):
    client = client_of(role, account_sid=account_sid)

    response = search(client)

    for url in re.findall(r'href="(.*?)"', response.content.decode()):
        assert client.get(url).status_code == 200, url


def test_pages_include_the_navigation(client_of, sandbox, role):
    """A further entry of the navigation is a further page in commands.py."""
    client = client_of(role)
    navigation = re.search(
        r"<nav class=\"side\".*?</nav>", client.get("/flows/").content.decode(), re.DOTALL
    )

    assert set(re.findall(r'href="(.*?)"', navigation[0])) <= set(addresses_of(search(client)))


def test_what_read_only_mode_prevents_is_not_offered(client_of, flow_sid):
    Closure.objects.create(account_sid=ACCOUNT, kind="change", since=timezone.now())

    groups = find(client_of("admin"), page=f"/flows/{flow_sid}/")

    assert {"New flow", "Import flows"}.isdisjoint(groups["Actions"])
    assert groups["This flow"] == [
        "Show this flow as code",
        "Show the history of this flow",
        "Show this flow at a date",
        "Show the migration of this flow",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("new", {"Actions": ["New flow", "Add user"]}),
        ("user add", {"Actions": ["Add user"]}),
        ("drift", {"Pages": ["External changes"]}),
        ("2fa", {"Pages": ["Account settings"]}),
        ("ew flow", {}),  # a word is found by its start
    ],
)
def test_commands_are_found_by_the_starts_of_their_words(client_of, sandbox, text, expected):
    assert find(client_of("admin"), text) == expected


def test_flow_of_the_page_has_its_actions(client_of, flow_sid):
    response = search(client_of("operator"), page=f"/flows/{flow_sid}/code/?list=q%3Dlyon")

    assert groups_of(response)["This flow"] == [
        "Edit this flow",
        "Turn off this flow",
        "Clone this flow",
        "Show this flow as code",
        "Show the history of this flow",
        "Show this flow at a date",
        "Show the migration of this flow",
        "Delete this flow",
    ]
    assert {
        f"/flows/{flow_sid}/edit/",
        f"/flows/{flow_sid}/enabled/",
        f"/flows/new/?clone={flow_sid}",
        f"/audit/?sid={flow_sid}",
    } <= set(addresses_of(response))
    assert "This flow" not in find(client_of("operator"), page="/flows/")


def test_flow_with_an_open_change_is_locked(client_of, flow_sid):
    append_attempt(flow_sid)

    actions = find(client_of("admin"), page=f"/flows/{flow_sid}/")["This flow"]

    assert actions == [
        "Show this flow as code",
        "Show the history of this flow",
        "Show this flow at a date",
        "Show the migration of this flow",
    ]


def test_deleted_flow_can_only_be_looked_at(client_of, sandbox, flow_sid):
    sandbox.remove_flow(flow_sid)
    sync_account(ACCOUNT)

    actions = find(client_of("admin"), page=f"/flows/{flow_sid}/")["This flow"]

    assert actions == [
        "Show this flow as code",
        "Show the history of this flow",
        "Show this flow at a date",
        "Show the migration of this flow",
    ]


@pytest.mark.parametrize("page", ["", "nonsense", "//[", "/flows/FO1/", "/nowhere/"])
def test_page_that_is_none_of_ours_is_ignored(client_of, flow_sid, page):
    assert "This flow" not in find(client_of("admin"), page=page)


def test_export_is_of_the_list_that_the_user_sees(client_of, sandbox, flow_sid):
    sandbox.add_flow(friendly_name="Support")
    sync_account(ACCOUNT)
    client = client_of("viewer")
    response = search(client, "csv", page="/flows/?q=lyon&sort=-name")
    assert groups_of(response)["Actions"] == ["Export the flows of this list as CSV"]
    fields = re.findall(r'type="hidden" name="(\w+)" value="(.*?)"', response.content.decode())
    form = {name: value.replace("&amp;", "&") for name, value in fields}

    exported = client.post("/flows/copy-out/", form).content.decode()

    assert "Réclamations Lyon" in exported
    assert "Support" not in exported


def test_without_the_dialog_the_list_is_searched(client_of):
    response = client_of("viewer").get("/palette/?q=lyon+%26")

    assert response.url == "/flows/?q=lyon+%26"


@pytest.mark.parametrize(
    ("text", "page", "most"),
    [
        ("", "/flows/", 1),
        ("support", "/flows/", 5),
        ("su", "/flows/", 4),
        ("edit", "/flows/{sid}/", 7),  # one of them for the flow of the page
        ("#1", "/flows/", 5),
        ("{event}", "/flows/", 5),
    ],
)
@pytest.mark.parametrize("account_sid", ["", ACCOUNT])
def test_few_database_queries(client_of, sandbox, flow_sid, text, page, most, account_sid):
    for number in range(20):
        sandbox.add_flow(friendly_name=f"Support edit {number}")
    sync_account(ACCOUNT)
    event = AuditEvent.objects.latest("seq")
    client = client_of("admin", account_sid=account_sid)
    text = text.format(event=event.event_id)

    with CaptureQueriesContext(connection) as queries:
        search(client, text, page=page.format(sid=flow_sid))

    statements = [query["sql"] for query in queries]
    assert len(statements) <= QUERIES_OF_SIGN_IN + most, "\n".join(statements)


def test_targets_are_found_by_name_used_or_not(client_of, staging, flow_sid):
    add_name("FW" + "7" * 32, "Support IVR")
    add_name("FW" + "8" * 32, "Support nights", account_sid=staging.account_sid)
    stranger = client_of("viewer", name="sam", account_sid=staging.account_sid)

    response = search(client_of("viewer"), "supp ivr")

    assert groups_of(response)["Targets"] == ["Support IVR Studio Flow · FW7777…7777 · production"]
    assert f"/flows/targets/studio-flow/FW{'7' * 32}/" in addresses_of(response)
    assert [label.split(" Studio")[0] for label in find(stranger, "support")["Targets"]] == [
        "Support nights"
    ]
