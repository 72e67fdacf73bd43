"""The page that changes a flow's owner, tags and note, and the flow's page that shows them."""

import re
from unittest import mock

import pytest
from django.utils.html import strip_tags

from flows.audit.audit_log import NotRecorded
from flows.audit.models import AuditEvent
from flows.availability import restrictions
from flows.flex_flows.views import details
from flows.local_details.fields import Details
from flows.local_details.models import FlowTag
from flows.local_details.reading import load_details
from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.conftest import form_data
from tests.faults.acting import OMAR
from tests.flows.local_details.changing import set_details
from tests.markup import squeezed

pytestmark = pytest.mark.django_db(transaction=True)


def text(page):
    return page.content.decode()


def table_rows(page):
    """Return the texts of the cells of the first table, by row."""
    body = text(page).partition("<tbody>")[2].partition("</tbody>")[0]
    rows = re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    cells = (re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL) for row in rows)
    return [[" ".join(strip_tags(cell).split()) for cell in row] for row in cells]


def url(sid, verb="details/"):
    return f"/flows/{sid}/{verb}"


def submit(client, sid, **changes):
    """Submit the form of the page with these changes."""
    data = {**form_data(client.get(url(sid))), **changes}
    return client.post(url(sid), data)


def details_events():
    return AuditEvent.objects.filter(action="flow.details")


def test_form_saves_the_owner_tags_and_note(client_of, flow_sid, sandbox):
    client = client_of("operator")
    page = client.get(url(flow_sid))
    assert "Kept here only, never sent to Twilio" in text(page)
    requests = len(sandbox.requests)

    answer = submit(
        client, flow_sid, owner=" Claims ", tags="VIP, #lyon", note="Ring\r\nfirst", reason="T1"
    )

    assert answer.url == url(flow_sid, "")
    assert load_details(flow_sid) == Details("Claims", ("lyon", "vip"), "Ring\nfirst")
    assert len(sandbox.requests) == requests
    event = details_events().get()
    assert (event.actor_label, event.reason) == ("operator", "T1")
    assert "Saved owner, tags, note of “Réclamations Lyon”." in text(client.get(answer.url))


def test_flow_page_shows_them_with_links_to_flows_that_have_them_too(client_of, flow_sid):
    set_details(flow_sid, owner="Claims & Co", tags=["vip"], note="See https://wiki.example/claims")

    page = text(client_of("viewer").get(url(flow_sid, "")))

    assert 'href="/flows/?owner=Claims+%26+Co"' in page
    assert 'href="/flows/?tag=vip"' in page
    assert '<a href="https://wiki.example/claims"' in page
    assert "Kept here only, never sent to Twilio." in page
    assert url(flow_sid) not in page  # a viewer can't change them
    assert "Changed owner, tags, note" in page  # the history


def test_page_of_a_deleted_flow_shows_them_and_they_can_be_changed(client_of, flow_sid, sandbox):
    set_details(flow_sid, owner="Claims")
    sandbox.remove_flow(flow_sid)
    sync_account(ACCOUNT)
    client = client_of("operator")

    assert "Claims" in text(client.get(url(flow_sid, "")))
    assert submit(client, flow_sid, note="Number returned").status_code == 302
    assert load_details(flow_sid).note == "Number returned"


def test_invalid_values_come_back_with_their_messages(client_of, flow_sid):
    answer = submit(
        client_of("operator"), flow_sid, owner="x" * 61, tags="x" * 31, note="y" * 1001, reason="T1"
    )

    assert answer.status_code == 422
    assert len(answer.context["form"].error_list) == 3
    assert "Fix 3 problems to continue." in text(answer)
    assert "Nothing was changed." in text(answer)
    assert "T1" in text(answer)
    assert not details_events().exists()


def test_note_that_masks_make_too_long_comes_back_with_its_message(client_of, flow_sid):
    answer = submit(client_of("operator"), flow_sid, note="password=a1 " * 80)

    assert answer.status_code == 422
    assert "With its secrets masked, this one has" in answer.context["form"].errors["note"][0]
    assert not details_events().exists()


def test_second_of_two_editors_whose_tags_have_no_room_sees_a_conflict(client_of, flow_sid):
    client = client_of("operator")
    opened = form_data(client.get(url(flow_sid)))
    theirs = sorted(f"tag {number}" for number in range(10))
    set_details(flow_sid, tags=theirs)

    answer = client.post(url(flow_sid), {**opened, "tags": "vip", "note": "Ring first"})

    assert answer.status_code == 409
    assert "vip" in text(answer)
    assert load_details(flow_sid) == Details(tags=tuple(theirs))
    again = form_data(answer)
    assert (again["tags"], again["note"]) == ("vip", "Ring first")
    assert client.post(url(flow_sid), again).status_code == 302
    assert load_details(flow_sid) == Details(tags=("vip",), note="Ring first")


def test_flow_that_has_too_many_tags_already_can_keep_as_many(client_of, flow_sid):
    set_details(flow_sid, tags=["vip"])
    FlowTag.objects.bulk_create(
        FlowTag(details_id=flow_sid, account_sid=ACCOUNT, name=f"tag {number:02}")
        for number in range(11)
    )
    client = client_of("operator")

    assert submit(client, flow_sid, note="Ring first").status_code == 302
    assert len(load_details(flow_sid).tags) == 12
    tags = form_data(client.get(url(flow_sid)))["tags"]
    assert submit(client, flow_sid, tags=f"{tags}, lyon").status_code == 422


def test_second_of_two_editors_sees_a_conflict_and_loses_nothing(client_of, flow_sid):
    client = client_of("operator")
    opened = form_data(client.get(url(flow_sid)))
    set_details(flow_sid, owner="Sales", tags=["vip"])

    answer = client.post(
        url(flow_sid), {**opened, "owner": "Claims", "tags": "lyon", "note": "Mine"}
    )

    assert answer.status_code == 409
    assert load_details(flow_sid) == Details("Sales", ("vip",))
    assert table_rows(answer) == [["Owner", "Not set", "Sales", "Claims"]]
    assert "The last change was made by omar" in squeezed(strip_tags(text(answer)))
    again = form_data(answer)
    assert (again["owner"], again["tags"], again["note"]) == ("Claims", "lyon, vip", "Mine")
    assert client.post(url(flow_sid), again).status_code == 302
    assert load_details(flow_sid) == Details("Claims", ("lyon", "vip"), "Mine")


def test_edits_of_different_fields_are_merged_with_a_message(client_of, flow_sid):
    client = client_of("operator")
    opened = form_data(client.get(url(flow_sid)))
    set_details(flow_sid, owner="Sales")

    answer = client.post(url(flow_sid), {**opened, "note": "Mine"}, follow=True)

    assert load_details(flow_sid) == Details("Sales", (), "Mine")
    assert "Someone else changed owner in the meantime. Both changes were kept." in text(answer)


def test_double_click_is_one_change(client_of, flow_sid):
    client = client_of("operator")
    data = {**form_data(client.get(url(flow_sid))), "owner": "Claims"}
    client.post(url(flow_sid), data)

    answer = client.post(url(flow_sid), data, follow=True)

    assert "This form was already sent." in text(answer)
    assert details_events().count() == 1


def test_unchanged_form_changes_nothing(client_of, flow_sid):
    client = client_of("operator")

    answer = submit(client, flow_sid)

    assert answer.status_code == 302
    assert "No changes to save" in text(client.get(answer.url))
    assert not details_events().exists()


@pytest.mark.parametrize("base", ["", "made:up"])
def test_form_without_what_the_user_saw_is_refused(client_of, flow_sid, base):
    answer = submit(client_of("operator"), flow_sid, owner="Claims", base=base)

    assert answer.status_code == 422
    assert "Reload the page" in text(answer)
    assert load_details(flow_sid) == Details()


def test_base_of_another_flow_is_refused(client_of, flow_sid, sandbox):
    client = client_of("operator")
    other_sid = sandbox.add_flow(friendly_name="Other")
    sync_account(ACCOUNT)
    base = form_data(client.get(url(other_sid)))["base"]

    assert submit(client, flow_sid, owner="Claims", base=base).status_code == 422


def test_viewer_is_refused_and_the_refusal_is_recorded(client_of, flow_sid):
    client = client_of("viewer")

    assert client.get(url(flow_sid)).status_code == 403
    assert client.post(url(flow_sid), {"owner": "Claims"}).status_code == 403
    assert details_events().get().result == "denied"


def test_read_only_account_offers_no_form_and_refuses_it(client_of, flow_sid):
    client = client_of("operator")
    data = {**form_data(client.get(url(flow_sid))), "owner": "Claims", "note": "Kept"}
    restrictions.set_read_only(account_sid=ACCOUNT, reason="Freeze", actor=OMAR)

    page, refused = client.get(url(flow_sid)), client.post(url(flow_sid), data)

    assert url(flow_sid) not in text(client.get(url(flow_sid, "")))
    assert page.status_code == refused.status_code == 403
    assert text(page).count("read-only by omar: Freeze") == 1
    assert form_data(refused)["note"] == "Kept"
    assert details_events().get().result == "denied"


def test_input_is_kept_if_the_log_cannot_be_written(client_of, flow_sid):
    client = client_of("operator")
    failure = mock.patch.object(details.services, "change_details", side_effect=NotRecorded)

    with failure:
        answer = submit(client, flow_sid, owner="Claims")

    assert answer.status_code == 503
    assert "write to the audit log, so nothing was changed" in text(answer)
    assert form_data(answer)["owner"] == "Claims"


def test_owners_of_other_accounts_are_not_suggested(client_of, sandbox, staging):
    sid = sandbox.add_flow(friendly_name="Live line")
    sync_account(sandbox.account_sid)
    set_details(sid, account_sid=sandbox.account_sid, owner="Claims")
    set_details("FO" + "7" * 32, account_sid=staging.account_sid, owner="Secret team")

    page = text(client_of("operator", "omar", sandbox.account_sid).get(url(sid)))

    assert "Used so far: Claims." in page
    assert "Secret team" not in page


def test_undo_of_the_last_change_stays_on_offer(client_of, flow_sid):
    client = client_of("operator")
    edit = form_data(client.get(url(flow_sid, "edit/"))) | {"friendly_name": "Claims line"}
    client.post(url(flow_sid, "edit/"), edit)
    submit(client, flow_sid, owner="Claims")

    page = client.get(url(flow_sid, ""))

    assert page.context["undoable_change"].changed_fields == ["friendly_name"]


def test_event_page_compares_the_fields_and_offers_no_restore(client_of, flow_sid):
    set_details(flow_sid, owner="Claims", tags=["vip"])
    event = set_details(flow_sid, tags=["lyon", "vip"], note="Ring first").event

    page = client_of("admin").get(f"/audit/{event.event_id}/")

    assert table_rows(page) == [["Tags", "vip", "lyon, vip"], ["Note", "Not set", "Ring first"]]
    assert "Restore" not in text(page)
    assert "Requested" not in text(page)
    assert "Timeline" not in text(page)


def test_event_is_no_version_of_the_flow(client_of, flow_sid):
    event = set_details(flow_sid, owner="Claims").event

    page = client_of("operator").get(url(flow_sid, f"edit/?restore={event.event_id}"))

    assert page.context["restore"] is None
    assert form_data(page)["friendly_name"] == "Réclamations Lyon"


def test_log_finds_the_event_by_flow_person_and_action(client_of, flow_sid):
    set_details(flow_sid, owner="Claims", reason="Ticket 9")
    client = client_of("viewer")

    for query in ({"sid": flow_sid}, {"actor": "omar"}, {"action": "flow.details"}, {"q": "lyon"}):
        assert "Changed owner" in text(client.get("/audit/", query)), query
