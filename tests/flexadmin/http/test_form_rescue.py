"""Rescue of a form after an expired session, an old CSRF token, or a failure of the site."""

from html.parser import HTMLParser

import pytest
from django.contrib.sessions.models import Session
from django.core import signing
from django.db import connection
from django.test import Client

from flexadmin.http import form_rescue
from flows.audit.models import AuditEvent
from flows.flex_flows.views import responses
from flows.plans import drafts
from flows.plans.models import Plan
from tests.conftest import form_data
from tests.faults.acting import SECRET, SECRET_URL, own_events, own_stages, received_writes
from tests.faults.test_database import connected
from tests.markup import squeezed

pytestmark = pytest.mark.django_db
NAME = "Réclamations Lyon"
TYPED = {
    "flows:new": ("new/", {"friendly_name": 'Neu <b>&"', "channel_type": "web", "chat_service_sid": "IS" + "2" * 32}),
    "flows:edit": ("{sid}/edit/", {"friendly_name": "Plaintes Lyon", "integration_retry_count": "1"}),
    "flows:enabled": ("{sid}/enabled/", {"enabled": "false"}),
    "flows:delete": ("{sid}/delete/", {"confirm_name": NAME}),
}  # fmt: skip
OF_PLANS = {
    "flows:plan-new": (
        "/flows/plans/new/",
        {"value": "hooks.typed.example", "kind": "webhook_host", "sids": "FO" + "1" * 32},
    ),
    "flows:plan-import": ("/flows/plans/import/", {"entries": "[typed by hand"}),
    "flows:plan-start": ("/flows/plans/{plan}/start/", {"reason": "typed by hand"}),
}
OURS, THEIRS = {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "cross-site"}
every_form = pytest.mark.parametrize("view", TYPED)


class Forms(HTMLParser):
    """The forms of a page as (URL, [(name, value)]), including the names of buttons."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page.content.decode())

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        if tag == "form":
            self.found.append((said.get("action", ""), []))
        elif tag in ("input", "button") and said.get("name") and self.found:
            self.found[-1][1].append((said["name"], said.get("value") or ""))


def form_with(page, name):
    """Return the form that has a field of this name, or None."""
    forms = [(action, dict(fields)) for action, fields in Forms(page).found if name in dict(fields)]
    return forms[0] if forms else None


def typed_into(client, view, sid):
    page, said = TYPED[view]
    path = "/flows/" + page.format(sid=sid)
    return path, {**form_data(client.get(path)), **said, "reason": "because of the weather"}


def sign_in(client, page, name="operator", **said):
    _, fields = form_with(page, "password")
    return client.post(
        "/login/",
        {**fields, "username": name, "password": f"{name}-password", **said},
        headers=OURS,
    )


@pytest.fixture
def client(client_of):
    client = client_of("operator")
    client.raise_request_exception = False
    return client


def ended(client, view, sid, **said):
    """Post a form after its session has expired. Return the response and the form."""
    path, form = typed_into(client, view, sid)
    Session.objects.all().delete()
    return client.post(path, {**form, **said}), path, form


def goes_back_and_through(client, page, path, form, sandbox):
    """Go back to the form with one button, which sends nothing; then send the form once."""
    action, fields = form_with(page, "edit_again")
    back = client.post(action, fields)

    assert action == path
    assert back.status_code == 200
    assert form.items() <= form_data(back).items()
    assert not back.context["form"].errors
    assert received_writes(sandbox) == []
    assert client.post(path, form_data(back)).status_code == 302
    assert len(received_writes(sandbox)) == 1
    assert own_stages() == [("attempt", "pending"), ("outcome", "succeeded")]
    assert {str(event.change_id) for event in own_events()} == {form["change_id"]}


def test_every_rescued_form_is_tested():
    assert {*TYPED, *OF_PLANS} == set(form_rescue.FORM_PERMISSIONS)


@pytest.mark.parametrize("view", OF_PLANS)
def test_form_of_a_plan_comes_back_after_sign_in(client, sandbox, flow_sid, view):
    plan = drafts.plan_bulk_action(
        action=drafts.BulkAction("disable"), sids=[flow_sid], created_by="operator"
    )
    path, said = OF_PLANS[view]
    path = path.format(plan=plan.pk)
    Session.objects.all().delete()

    again = sign_in(client, client.post(path, said))
    action, fields = form_with(again, "edit_again")
    back = client.post(action, fields)

    assert (action, back.status_code) == (path, 200)
    assert next(iter(said.values())) in back.content.decode()
    assert Plan.objects.get().status == "draft"


@every_form
def test_form_of_an_ended_session_comes_back_after_sign_in(client, sandbox, flow_sid, view):
    refused, path, form = ended(client, view, flow_sid)

    wrong = sign_in(client, refused, password="wrong")
    again = sign_in(client, wrong)

    assert refused.status_code == 401
    assert "Your session expired. Your unsaved changes are kept" in refused.content.decode()
    assert "You are signed in again" in again.content.decode()
    goes_back_and_through(client, again, path, form, sandbox)


def test_pressed_button_has_no_effect_after_the_rescue(client, sandbox, flow_sid):
    refused, path, form = ended(client, "flows:edit", flow_sid, review="1")

    goes_back_and_through(client, sign_in(client, refused), path, form, sandbox)


def test_rescued_form_shows_the_fields_of_the_chosen_type(client, flow_sid):
    refused, _, form = ended(
        client, "flows:edit", flow_sid, integration_type="external", update_fields="1"
    )

    back = client.post(*form_with(sign_in(client, refused), "edit_again"))

    assert form_data(back)["friendly_name"] == form["friendly_name"]
    assert form_data(back)["change_id"] == form["change_id"]
    assert "integration_url" in back.context["form"].fields
    assert "to continue." not in back.content.decode()


def test_every_value_of_a_field_is_kept(client, flow_sid):
    refused, *_ = ended(client, "flows:edit", flow_sid, pick_enabled=["mine", "theirs"])

    fields = next(
        said for _, said in Forms(sign_in(client, refused)).found if ("edit_again", "1") in said
    )

    assert [value for name, value in fields if name == "pick_enabled"] == ["mine", "theirs"]


def test_rescued_form_is_not_stored(client, sandbox, flow_sid):
    refused, *_ = ended(
        client, "flows:edit", flow_sid, integration_type="external", integration_url=SECRET_URL
    )
    again = sign_in(client, refused)

    assert form_with(again, "edit_again")[1]["integration_url"] == SECRET_URL
    assert SECRET not in str([session.get_decoded() for session in Session.objects.all()])
    assert SECRET not in str(list(AuditEvent.objects.values()))
    assert not [name for name in again.cookies if name not in ("sessionid", "csrftoken")]
    assert all("no-store" in page["Cache-Control"] for page in (refused, again))


def test_another_user_is_told_that_the_change_will_be_theirs(client, person, flow_sid):
    person("admin", "ada")
    refused, *_ = ended(client, "flows:edit", flow_sid)

    again = sign_in(client, refused, "ada")

    assert "logged as<bdi>ada</bdi>" in squeezed(again.content.decode())


def test_user_without_permission_does_not_see_the_rescued_form(client, person, flow_sid):
    person("viewer")
    refused, path, _ = ended(client, "flows:edit", flow_sid)

    answer = sign_in(client, refused, "viewer")

    assert (answer.status_code, answer["Location"]) == (302, path)
    assert not own_events().exists()


def forged(good):
    kept = signing.loads(good, salt=form_rescue.SALT)
    return {
        "nothing": "",
        "no blob": "x" * 50,
        "altered": good[:-1] + ("a" if good[-1] != "a" else "b"),
        "signed for something else": signing.dumps(kept, salt="flows.forms.base", compress=True),
    }


@pytest.mark.parametrize("kind", ["nothing", "no blob", "altered", "signed for something else"])
def test_forged_form_is_ignored(client, flow_sid, kind):
    refused, path, _ = ended(client, "flows:edit", flow_sid)
    good = form_with(refused, "password")[1]["typed"]

    answer = sign_in(client, refused, typed=forged(good)[kind])

    assert (answer.status_code, answer["Location"]) == (302, path)


def test_form_that_is_too_old_is_ignored(client, flow_sid, monkeypatch):
    refused, path, _ = ended(client, "flows:edit", flow_sid)
    monkeypatch.setattr(form_rescue, "MAX_AGE", -1)

    answer = sign_in(client, refused)

    assert (answer.status_code, answer["Location"]) == (302, path)


@pytest.mark.parametrize("evil", ["//evil.example/", "https://evil.example/flows/new/"])
def test_rescued_form_never_leads_to_another_site(client, flow_sid, evil):
    refused, path, _ = ended(client, "flows:edit", flow_sid)

    again = sign_in(client, refused, next=evil)
    without = sign_in(Client(), refused, next=evil, typed="")

    assert form_with(again, "edit_again")[0] == path
    assert "evil" not in again.content.decode()
    assert without["Location"] == "/flows/"


def test_form_that_is_too_large_is_not_rescued(client, flow_sid, monkeypatch):
    monkeypatch.setattr(form_rescue, "MAX_LENGTH", 100)

    refused, path, _ = ended(client, "flows:edit", flow_sid)

    assert (refused.status_code, refused["Location"]) == (302, f"/login/?next={path}")


def test_other_post_of_an_ended_session_is_not_rescued(client, sandbox):
    Session.objects.all().delete()

    answer = client.post("/flows/sync/", {"reason": "canary"}, follow=True)

    assert form_with(answer, "typed") is None
    assert "canary" not in answer.content.decode()


@pytest.mark.parametrize(
    ("sender", "then"),
    [
        ("http://testserver/flows/?q=lyon", "http://testserver/flows/?q=lyon"),
        ("http://testserver/audit/", "http://testserver/audit/"),
        ("http://evil.example/audit/", "/flows/"),
        ("//evil.example/", "/flows/"),
        ("javascript:alert(1)", "/flows/"),
        ("http://[", "/flows/"),
    ],
)
def test_other_post_of_an_ended_session_comes_back_to_the_page_that_sent_it(
    client, sandbox, sender, then
):
    Session.objects.all().delete()
    asked = client.post("/flows/sync/", headers={"Referer": sender}, follow=True)

    assert sign_in(client, asked)["Location"] == then
    assert client.get(then).status_code == 200


def test_ended_session_does_not_replace_the_form(client, flow_sid):
    path, form = typed_into(client, "flows:edit", flow_sid)
    Session.objects.all().delete()

    answer = client.post(path, {**form, "update_fields": "1"}, headers={"HX-Request": "true"})

    assert (answer.status_code, answer.content) == (401, b"")
    assert not {"HX-Refresh", "HX-Redirect", "Location"} & set(answer.headers)


def test_old_token_does_not_replace_the_form(strict, flow_sid):
    client, old = strict
    path, form = typed_into(client, "flows:edit", flow_sid)
    stale = {**form, "update_fields": "1", "csrfmiddlewaretoken": old}

    answers = [
        client.post(path, stale, headers={"HX-Request": "true", **said}) for said in (OURS, THEIRS)
    ]

    assert [answer.status_code for answer in answers] == [401, 403]
    assert answers[0].content == b""


@pytest.fixture
def strict(person):
    """A signed-in client whose forms need their token, and the token of the page before it signed in again."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    person("operator")
    old = form_with(client.get("/login/"), "password")[1]["csrfmiddlewaretoken"]
    client.post(
        "/login/",
        {"username": "operator", "password": "operator-password", "csrfmiddlewaretoken": old},
    )
    assert "sessionid" in client.cookies
    return client, old


@every_form
def test_form_older_than_the_sign_in_comes_back(strict, sandbox, flow_sid, view):
    client, old = strict
    path, form = typed_into(client, view, flow_sid)

    refused = client.post(path, {**form, "csrfmiddlewaretoken": old}, headers=OURS)

    assert refused.status_code == 403
    assert "Nothing was sent." in refused.content.decode()
    action, fields = form_with(refused, "edit_again")
    back = client.post(action, fields)
    assert (back.status_code, action) == (200, path)
    assert form.items() <= form_data(back).items()
    assert received_writes(sandbox) == []


def test_form_older_than_a_sign_out_comes_back_through_the_sign_in(strict, sandbox, flow_sid):
    client, old = strict
    path, form = typed_into(client, "flows:edit", flow_sid)
    Session.objects.all().delete()

    refused = client.post(path, {**form, "csrfmiddlewaretoken": old}, headers=OURS)
    asked = client.post(*form_with(refused, "edit_again"))
    again = sign_in(client, asked)
    back = client.post(*form_with(again, "edit_again"))

    assert (refused.status_code, asked.status_code) == (403, 401)
    assert form.items() <= form_data(back).items()


def test_sign_in_sent_twice_still_offers_the_form(strict, flow_sid):
    """The second page is reloaded, because the first sign-in changed the token."""
    client, _ = strict
    path, form = typed_into(client, "flows:edit", flow_sid)
    token = form_with(client.get(path), "friendly_name")[1]["csrfmiddlewaretoken"]
    Session.objects.all().delete()
    asked = client.post(path, {**form, "csrfmiddlewaretoken": token})

    sign_in(client, asked)
    twice = sign_in(client, asked)

    assert twice.status_code == 403
    assert form.items() <= form_data(client.post(*form_with(twice, "edit_again"))).items()


@pytest.mark.parametrize(
    ("headers", "offers"),
    [
        (OURS, True),
        ({"Origin": "http://testserver"}, True),
        ({"Origin": "http://testserver", **THEIRS}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({}, False),
    ],
)
def test_refused_form_is_rescued_only_from_the_same_origin(strict, flow_sid, headers, offers):
    client, old = strict
    path, form = typed_into(client, "flows:edit", flow_sid)
    canary = {**form, "friendly_name": "canary-name", "csrfmiddlewaretoken": old}

    refused = client.post(path, canary, headers=headers)

    assert refused.status_code == 403
    assert (
        form_with(refused, "edit_again") is not None,
        "canary-name" in refused.content.decode(),
    ) == (
        offers,
        offers,
    )


@every_form
def test_form_comes_back_from_a_failure_before_it_was_sent(
    client, sandbox, flow_sid, monkeypatch, view
):
    path, form = typed_into(client, view, flow_sid)
    with monkeypatch.context() as broken:
        broken.setattr(responses, "get_actor", None)
        failed = client.post(path, form, headers=OURS)

    assert failed.status_code == 500
    assert "the change may have been sent" in squeezed(failed.content.decode())
    goes_back_and_through(client, failed, path, form, sandbox)


def test_form_sent_again_after_a_failure_shows_the_outcome(client, sandbox, flow_sid, monkeypatch):
    path, form = typed_into(client, "flows:edit", flow_sid)
    with monkeypatch.context() as broken:
        broken.setattr(responses, "_success_response", None)
        failed = client.post(path, form, headers=OURS)

    back = client.post(*form_with(failed, "edit_again"))
    told = client.post(path, form_data(back), follow=True)

    assert failed.status_code == 500
    assert "This change was already saved." in told.content.decode()
    assert len(received_writes(sandbox)) == 1


def test_rescued_deletion_shows_that_the_flow_is_deleted(client, sandbox, flow_sid, monkeypatch):
    path, form = typed_into(client, "flows:delete", flow_sid)
    with monkeypatch.context() as broken:
        broken.setattr(responses, "_success_response", None)
        failed = client.post(path, form, headers=OURS)

    action, fields = form_with(failed, "edit_again")
    told = client.post(action, fields, follow=True)

    assert "This flow was deleted at Twilio." in told.content.decode()
    assert len(received_writes(sandbox)) == 1


def test_failed_request_of_another_origin_is_not_rescued(client, flow_sid, monkeypatch):
    path, form = typed_into(client, "flows:edit", flow_sid)
    monkeypatch.setattr(responses, "get_actor", None)

    failed = client.post(path, {**form, "friendly_name": "canary-name"}, headers=THEIRS)

    assert failed.status_code == 500
    assert form_with(failed, "edit_again") is None
    assert "canary-name" not in failed.content.decode()


def test_error_page_is_rendered_without_the_form_if_that_fails(client, flow_sid, monkeypatch):
    path, form = typed_into(client, "flows:edit", flow_sid)
    monkeypatch.setattr(responses, "get_actor", None)
    monkeypatch.setattr(form_rescue, "get_token", None)

    failed = client.post(path, form, headers=OURS)

    assert failed.status_code == 500
    assert "Something went wrong on our side" in failed.content.decode()
    assert form_with(failed, "edit_again") is None


def test_error_page_of_a_get_offers_no_form(client, monkeypatch):
    monkeypatch.setattr("flexadmin.http.context_processors.get_role", None)

    failed = client.get("/flows/", headers=OURS)

    assert failed.status_code == 500
    assert Forms(failed).found == []


def unreachable(tmp_path):
    """Make the database unreachable, so that not even the user can be loaded."""
    if connection.vendor == "sqlite":
        return connected(NAME=str(tmp_path / "missing" / "database"))
    return connected(HOST="127.0.0.1", PORT="9")


@pytest.mark.django_db(transaction=True)
@every_form
def test_form_comes_back_once_the_database_is_reachable(client, sandbox, flow_sid, tmp_path, view):
    path, form = typed_into(client, view, flow_sid)
    with unreachable(tmp_path):
        refused = client.post(path, form, headers=OURS)
        too_early = client.post(*form_with(refused, "edit_again"), headers=OURS)

    assert (refused.status_code, too_early.status_code) == (503, 503)
    assert "The database is unavailable" in too_early.content.decode()
    assert str(Forms(too_early).found).count("edit_again") == 1
    goes_back_and_through(client, too_early, path, form, sandbox)


@pytest.mark.django_db(transaction=True)
def test_sign_in_during_a_database_failure_keeps_the_form(client, sandbox, flow_sid, tmp_path):
    asked, path, form = ended(client, "flows:edit", flow_sid)
    with unreachable(tmp_path):
        refused = sign_in(client, asked)

    asked = client.post(*form_with(refused, "edit_again"))

    assert (refused.status_code, asked.status_code) == (503, 401)
    goes_back_and_through(client, sign_in(client, asked), path, form, sandbox)
