"""Shortcuts: undo of one's own last change, cloning, offered SIDs, links in reasons."""

import re
import uuid

import pytest

from flows.audit.audit_log import Actor
from flows.audit.models import AuditEvent
from flows.changes import flow_changes
from flows.core.safe_text import linked
from flows.flex_flows.flow_history import HISTORY_LENGTH
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.conftest import form_data
from tests.flows.flex_flows.form_fields import offered_values
from tests.markup import squeezed

pytestmark = pytest.mark.django_db


@pytest.fixture
def omar(client_of):
    return client_of("operator", name="omar")


def switch_off(client, sid):
    page = client.get(f"/flows/{sid}/enabled/")
    client.post(f"/flows/{sid}/enabled/", form_data(page))
    return AuditEvent.objects.latest("seq")


def test_own_last_change_can_be_undone_from_the_flows_page(omar, sandbox, flow_sid):
    event = switch_off(omar, flow_sid)
    page = omar.get(f"/flows/{flow_sid}/")
    assert page.context["turn_off"] == event
    address = f"/flows/{flow_sid}/enabled/?undo={event.event_id}"
    assert address in page.content.decode()

    omar.post(address, form_data(omar.get(address)))

    assert sandbox.flows[flow_sid]["enabled"] is True
    assert AuditEvent.objects.latest("seq").refers_to == event.event_id


def test_flow_that_is_off_says_who_turned_it_off_why_and_how_to_turn_it_on(
    omar, client_of, sandbox, flow_sid
):
    form = omar.get(f"/flows/{flow_sid}/enabled/")
    assert "You can turn it on again later." in form.content.decode()
    omar.post(f"/flows/{flow_sid}/enabled/", {**form_data(form), "reason": "Holidays, see FLEX-7"})
    event = AuditEvent.objects.latest("seq")
    flow_changes.update_flow(
        sid=flow_sid, account_sid=ACCOUNT, base=None, values={"friendly_name": "Closed"},
        reason="", actor=Actor(id="1", label="ada"), change_id=uuid.uuid4(),
    )  # fmt: skip
    turn_on_address = f"/flows/{flow_sid}/enabled/?undo={event.event_id}"

    page, viewers_page = (
        squeezed(client.get(f"/flows/{flow_sid}/").content.decode())
        for client in (client_of("admin"), client_of("viewer"))
    )

    for html in (page, viewers_page):
        notice = re.search(r'<section class="notice" aria-label="Turned off">.*?</section>', html)[
            0
        ]
        text = " ".join(re.sub("<[^>]+>", " ", notice).split())
        assert text.startswith("Turned off by omar ,")
        assert "“ Holidays, see FLEX-7 ”" in text
        assert (turn_on_address in notice) == (html is page)
        assert "You made the last change" not in html
    omar.post(turn_on_address, form_data(omar.get(turn_on_address)))
    assert sandbox.flows[flow_sid]["enabled"] is True
    assert AuditEvent.objects.latest("seq").refers_to == event.event_id
    assert "Turned off by" not in omar.get(f"/flows/{flow_sid}/").content.decode()


def test_flow_says_who_turned_it_off_however_often_it_has_changed_since(omar, flow_sid):
    address = f"/flows/{flow_sid}/enabled/"
    omar.post(address, form_data(omar.get(address)))
    for number in range(HISTORY_LENGTH + 1):
        flow_changes.update_flow(
            sid=flow_sid, account_sid=ACCOUNT, base=None, values={"friendly_name": f"N{number}"},
            reason="", actor=Actor(id="1", label="ada"), change_id=uuid.uuid4(),
        )  # fmt: skip

    page = omar.get(f"/flows/{flow_sid}/")

    assert page.context["turn_off"].actor_label == "omar"
    assert page.context["turn_off"] not in page.context["history"]


def test_edit_that_also_turned_the_flow_off_can_be_undone_as_a_whole(omar, sandbox, flow_sid):
    address = f"/flows/{flow_sid}/edit/"
    fields = form_data(omar.get(address))
    omar.post(address, {**fields, "friendly_name": "Closed", "enabled": "false"})
    event = AuditEvent.objects.latest("seq")
    assert set(event.changed_fields) == {"friendly_name", "enabled"}

    page = omar.get(f"/flows/{flow_sid}/")

    assert page.context["turn_off"] == page.context["undoable_change"] == event
    html = page.content.decode()
    assert f"/edit/?restore={event.event_id}" in html
    assert "Turn on again" in html


def test_flow_turned_off_outside_this_dashboard_says_so(omar, sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, enabled=False)
    sync_account(ACCOUNT)

    page = omar.get(f"/flows/{flow_sid}/").content.decode()

    assert "Turned off outside this dashboard, noticed" in squeezed(page)
    assert "Turn on again" in page
    drift = AuditEvent.objects.get(action="flow.drift")
    omar.post(f"/flows/drift/{drift.event_id}/accept/")
    assert AuditEvent.objects.latest("seq").action == "flow.accept"
    assert omar.get(f"/flows/{flow_sid}/").context["turn_off"] == drift


def test_flow_that_was_off_from_the_start_names_nobody(omar, sandbox):
    sid = sandbox.add_flow(enabled=False)
    sync_account(ACCOUNT)
    flow_changes.update_flow(
        sid=sid, account_sid=ACCOUNT, base=None, values={"friendly_name": "Closed"},
        reason="", actor=Actor(id="1", label="ada"), change_id=uuid.uuid4(),
    )  # fmt: skip

    page = omar.get(f"/flows/{sid}/")

    assert page.context["turn_off"] is None
    assert page.context["flow"].enabled is False


def test_change_of_fields_is_undone_by_the_edit_form(omar, flow_sid):
    omar.post(
        f"/flows/{flow_sid}/edit/",
        {**form_data(omar.get(f"/flows/{flow_sid}/edit/")), "friendly_name": "New"},
    )
    event = AuditEvent.objects.latest("seq")

    page = omar.get(f"/flows/{flow_sid}/").content.decode()

    assert f"/flows/{flow_sid}/edit/?restore={event.event_id}&amp;state=before" in page


def test_nobody_is_offered_the_undo_of_anothers_change(omar, client_of, flow_sid):
    switch_off(omar, flow_sid)

    assert client_of("admin").get(f"/flows/{flow_sid}/").context["undoable_change"] is None


def test_change_that_was_changed_since_is_not_offered(omar, sandbox, flow_sid):
    switch_off(omar, flow_sid)
    sandbox.edit_flow(flow_sid, friendly_name="Else")

    assert omar.get(f"/flows/{flow_sid}/").context["undoable_change"] is None


def test_clone_begins_with_all_of_the_other_but_switched_off(omar, sandbox, flow_sid):
    page = omar.get(f"/flows/new/?clone={flow_sid}")

    form = page.context["form"]
    assert form["friendly_name"].value() == "Réclamations Lyon (copy)"
    assert (form["enabled"].value(), form["integration_flow_sid"].value()) == (
        "false",
        "FW" + "1" * 32,
    )
    omar.post("/flows/new/", {**form_data(page), "chat_service_sid": "IS" + "1" * 32})
    assert sorted(flow["friendly_name"] for flow in sandbox.flows.values()) == [
        "Réclamations Lyon",
        "Réclamations Lyon (copy)",
    ]


@pytest.mark.parametrize("sid", ["", "x", "FO" + "0" * 32])
def test_clone_of_nothing_is_an_empty_form(omar, sandbox, sid):
    page = omar.get(f"/flows/new/?clone={sid}")

    assert page.status_code == 200
    assert page.context["form"]["friendly_name"].value() in (None, "")


def test_values_of_most_siblings_are_offered_first(omar, sandbox):
    for service, count in (("IS" + "1" * 32, 1), ("IS" + "2" * 32, 5), ("IS" + "3" * 32, 3)):
        for _ in range(count):
            sandbox.add_flow(chat_service_sid=service)
    sync_account(ACCOUNT)
    one = Flow.objects.filter(resource__chat_service_sid="IS" + "2" * 32).first()
    Flow.objects.filter(sid=one.sid).update(resource={})

    form = omar.get("/flows/new/").context["form"]

    assert offered_values(form, "chat_service_sid") == [
        "IS" + "2" * 32,
        "IS" + "3" * 32,
        "IS" + "1" * 32,
    ]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("See https://t.example/4711.", 'See <a href="https://t.example/4711" rel="noopener noreferrer nofollow">https://t.example/4711</a>.'),
        ("(http://t.example:8080/a?b=1&c=2)", '(<a href="http://t.example:8080/a?b=1&amp;c=2" rel="noopener noreferrer nofollow">http://t.example:8080/a?b=1&amp;c=2</a>)'),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("<b>https", "&lt;b&gt;https"),
        ("", ""),
    ],
)  # fmt: skip
def test_address_in_a_reason_is_a_link(reason, expected):
    assert linked(reason) == expected


def test_address_with_a_quote_ends_before_it():
    html = linked('https://t.example/"onmouseover=alert(1)')

    assert 'href="https://t.example/"' in html or "&quot;" in html
    assert '"onmouseover' not in html


def test_reason_with_a_link_is_one_in_the_log(omar, flow_sid, actor):
    flow_changes.set_enabled(
        sid=flow_sid,
        account_sid=ACCOUNT,
        enabled=False,
        reason="https://t.example/1",
        actor=actor,
        change_id=uuid.uuid4(),
    )

    assert '<a href="https://t.example/1"' in omar.get("/audit/").content.decode()
