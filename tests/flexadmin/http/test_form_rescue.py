"""Rescue of a form after an expired session: through the sign-in and back."""

import pytest
from django.contrib.sessions.models import Session
from django.core import signing
from django.test import Client

from flexadmin.http import form_rescue
from flows.audit.models import AuditEvent
from flows.local_details.fields import Details
from flows.local_details.reading import load_details
from flows.plans import drafts
from flows.plans.models import Plan
from tests.conftest import form_data
from tests.faults.acting import SECRET, SECRET_URL, own_events
from tests.flexadmin.http.rescued_forms import (
    INPUT_BY_VIEW,
    Forms,
    assert_restored_and_saved_once,
    each_form,
    fill_in,
    form_with,
    post_after_expiry,
    sign_in,
)
from tests.markup import squeezed

pytestmark = pytest.mark.django_db
PLAN_INPUT_BY_VIEW = {
    "flows:plan-new": (
        "/flows/plans/new/",
        {"value": "hooks.typed.example", "kind": "webhook_host", "sids": "FO" + "1" * 32},
    ),
    "flows:plan-import": ("/flows/plans/import/", {"entries": "[typed by hand"}),
    "flows:plan-start": ("/flows/plans/{plan}/start/", {"reason": "typed by hand"}),
    "flows:plan-request": ("/flows/plans/{plan}/request/", {"reason": "typed by hand"}),
}
DETAILS_INPUT = {"owner": "Claims", "tags": "vip", "note": "typed by hand"}


@pytest.fixture
def client(client_of):
    client = client_of("operator")
    client.raise_request_exception = False
    return client


def test_every_rescued_form_is_tested():
    tested = {*INPUT_BY_VIEW, *PLAN_INPUT_BY_VIEW, "flows:details"}
    assert tested == set(form_rescue.FORM_PERMISSIONS)


def test_owner_tags_and_note_come_back_after_sign_in(client, sandbox, flow_sid):
    path = f"/flows/{flow_sid}/details/"
    form = {**form_data(client.get(path)), **DETAILS_INPUT}
    Session.objects.all().delete()

    offer = sign_in(client, client.post(path, form))
    back = client.post(*form_with(offer, "edit_again"))

    assert form.items() <= form_data(back).items()
    assert load_details(flow_sid) == Details()
    assert client.post(path, form_data(back)).status_code == 302
    assert load_details(flow_sid) == Details("Claims", ("vip",), "typed by hand")


@pytest.mark.parametrize("view", PLAN_INPUT_BY_VIEW)
def test_form_of_a_plan_comes_back_after_sign_in(client, sandbox, flow_sid, view):
    plan = drafts.plan_bulk_action(
        action=drafts.BulkAction("disable"), sids=[flow_sid], created_by="operator"
    )
    path, values = PLAN_INPUT_BY_VIEW[view]
    path = path.format(plan=plan.pk)
    Session.objects.all().delete()

    offer = sign_in(client, client.post(path, values))
    action, fields = form_with(offer, "edit_again")
    back = client.post(action, fields)

    assert (action, back.status_code) == (path, 200)
    assert next(iter(values.values())) in back.content.decode()
    assert Plan.objects.get().status == "draft"


@each_form
def test_form_of_an_ended_session_comes_back_after_sign_in(client, sandbox, flow_sid, view):
    refused, path, form = post_after_expiry(client, view, flow_sid)

    wrong = sign_in(client, refused, password="wrong")
    offer = sign_in(client, wrong)

    assert refused.status_code == 401
    assert "Your session expired. Your unsaved changes are kept" in refused.content.decode()
    assert "You are signed in again" in offer.content.decode()
    assert_restored_and_saved_once(client, offer, path, form, sandbox)


def test_pressed_button_has_no_effect_after_the_rescue(client, sandbox, flow_sid):
    refused, path, form = post_after_expiry(client, "flows:edit", flow_sid, review="1")

    assert_restored_and_saved_once(client, sign_in(client, refused), path, form, sandbox)


def test_rescued_form_shows_the_fields_of_the_chosen_type(client, flow_sid):
    refused, _, form = post_after_expiry(
        client, "flows:edit", flow_sid, integration_type="external", update_fields="1"
    )

    back = client.post(*form_with(sign_in(client, refused), "edit_again"))

    assert form_data(back)["friendly_name"] == form["friendly_name"]
    assert form_data(back)["change_id"] == form["change_id"]
    assert "integration_url" in back.context["form"].fields
    assert "to continue." not in back.content.decode()


def test_every_value_of_a_field_is_kept(client, flow_sid):
    refused, *_ = post_after_expiry(client, "flows:edit", flow_sid, pick_enabled=["mine", "theirs"])

    fields = next(
        fields
        for _, fields in Forms(sign_in(client, refused)).forms
        if ("edit_again", "1") in fields
    )

    assert [value for name, value in fields if name == "pick_enabled"] == ["mine", "theirs"]


def test_rescued_form_is_not_stored(client, sandbox, flow_sid):
    refused, *_ = post_after_expiry(
        client, "flows:edit", flow_sid, integration_type="external", integration_url=SECRET_URL
    )
    offer = sign_in(client, refused)

    assert form_with(offer, "edit_again")[1]["integration_url"] == SECRET_URL
    assert SECRET not in str([session.get_decoded() for session in Session.objects.all()])
    assert SECRET not in str(list(AuditEvent.objects.values()))
    assert not [name for name in offer.cookies if name not in ("sessionid", "csrftoken")]
    assert all("no-store" in page["Cache-Control"] for page in (refused, offer))


def test_another_user_is_told_that_the_change_will_be_theirs(client, person, flow_sid):
    person("admin", "ada")
    refused, *_ = post_after_expiry(client, "flows:edit", flow_sid)

    offer = sign_in(client, refused, "ada")

    assert "logged as<bdi>ada</bdi>" in squeezed(offer.content.decode())


def test_user_without_permission_does_not_see_the_rescued_form(client, person, flow_sid):
    person("viewer")
    refused, path, _ = post_after_expiry(client, "flows:edit", flow_sid)

    answer = sign_in(client, refused, "viewer")

    assert (answer.status_code, answer["Location"]) == (302, path)
    assert not own_events().exists()


def forge(token):
    contents = signing.loads(token, salt=form_rescue.SALT)
    return {
        "nothing": "",
        "no blob": "x" * 50,
        "altered": token[:-1] + ("a" if token[-1] != "a" else "b"),
        "signed for something else": signing.dumps(
            contents, salt="flows.forms.base", compress=True
        ),
    }


@pytest.mark.parametrize("kind", ["nothing", "no blob", "altered", "signed for something else"])
def test_forged_form_is_ignored(client, flow_sid, kind):
    refused, path, _ = post_after_expiry(client, "flows:edit", flow_sid)
    token = form_with(refused, "password")[1]["typed"]

    answer = sign_in(client, refused, typed=forge(token)[kind])

    assert (answer.status_code, answer["Location"]) == (302, path)


def test_form_that_is_too_old_is_ignored(client, flow_sid, monkeypatch):
    refused, path, _ = post_after_expiry(client, "flows:edit", flow_sid)
    monkeypatch.setattr(form_rescue, "MAX_AGE", -1)

    answer = sign_in(client, refused)

    assert (answer.status_code, answer["Location"]) == (302, path)


@pytest.mark.parametrize("evil", ["//evil.example/", "https://evil.example/flows/new/"])
def test_rescued_form_never_leads_to_another_site(client, flow_sid, evil):
    refused, path, _ = post_after_expiry(client, "flows:edit", flow_sid)

    offer = sign_in(client, refused, next=evil)
    without = sign_in(Client(), refused, next=evil, typed="")

    assert form_with(offer, "edit_again")[0] == path
    assert "evil" not in offer.content.decode()
    assert without["Location"] == "/"


def test_form_that_is_too_large_is_not_rescued(client, flow_sid, monkeypatch):
    monkeypatch.setattr(form_rescue, "MAX_LENGTH", 100)

    refused, path, _ = post_after_expiry(client, "flows:edit", flow_sid)

    assert (refused.status_code, refused["Location"]) == (302, f"/login/?next={path}")


def test_other_post_of_an_ended_session_is_not_rescued(client, sandbox):
    Session.objects.all().delete()

    answer = client.post("/flows/sync/", {"reason": "canary"}, follow=True)

    assert form_with(answer, "typed") is None
    assert "canary" not in answer.content.decode()


@pytest.mark.parametrize(
    ("sender", "target"),
    [
        ("http://testserver/flows/?q=lyon", "http://testserver/flows/?q=lyon"),
        ("http://testserver/audit/", "http://testserver/audit/"),
        ("http://evil.example/audit/", "/"),
        ("//evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("http://[", "/"),
    ],
)
def test_other_post_of_an_ended_session_comes_back_to_the_page_that_sent_it(
    client, sandbox, sender, target
):
    Session.objects.all().delete()
    sign_in_page = client.post("/flows/sync/", headers={"Referer": sender}, follow=True)

    assert sign_in(client, sign_in_page)["Location"] == target
    assert client.get(target).status_code == 200


def test_ended_session_does_not_replace_the_form(client, flow_sid):
    path, form = fill_in(client, "flows:edit", flow_sid)
    Session.objects.all().delete()

    answer = client.post(path, {**form, "update_fields": "1"}, headers={"HX-Request": "true"})

    assert (answer.status_code, answer.content) == (401, b"")
    assert not {"HX-Refresh", "HX-Redirect", "Location"} & set(answer.headers)
