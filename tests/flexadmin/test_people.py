"""The pages on which an administrator says who gets in, and the command that adds a person."""

import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import F
from django.test import Client

from flexadmin import persons
from flexadmin.access import NOBODY
from flexadmin.models import AccountRole, OneTimePassword
from flexadmin.roles import role_of
from flows.models import AuditEvent
from flows.services import audit
from tests.flexadmin.signing_in import is_in, recorded, sign_in, with_app
from tests.markup import squeezed

pytestmark = pytest.mark.django_db
ACCOUNT = "AC" + "5a" * 16
WHY = {"reason": "She moved to another team"}
DEEDS = {
    "role": {"role": "viewer"},
    "active": {"active": "false"},
    "factors": {},
    "single-sign-on": {},
    "password": {},
}
every_deed = pytest.mark.parametrize("deed", DEEDS)


@pytest.fixture
def admin(client_of):
    return client_of("admin")


def do(client, someone, deed, **said):
    return client.post(f"/people/{someone.pk}/{deed}/", {**DEEDS[deed], **WHY, **said})


def ages(*, hours):
    """As if the one-time passwords had been set so long ago."""
    OneTimePassword.objects.update(set_at=F("set_at") - timedelta(hours=hours))


def last_event():
    return AuditEvent.objects.select_related("payload").order_by("seq").last()


def test_list_shows_who_may_what(admin, person):
    nina = person("viewer", "nina")
    AccountRole.objects.create(person=nina, account_sid=ACCOUNT, role=person("operator").groups.get())
    User.objects.filter(pk=person("auditor").pk).update(is_active=False)

    text = " ".join(admin.get("/people/").content.decode().split())

    for words in ("nina", f"viewer, operator on {ACCOUNT}", "Off", "Deactivated", "Never"):
        assert words in text


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
def test_other_roles_manage_nobody(client_of, person, role):
    client = client_of(role)
    someone = person("viewer", "nina")

    assert client.get("/people/").status_code == client.get(f"/people/{someone.pk}/").status_code == 403
    for deed in DEEDS:
        assert do(client, someone, deed, role="admin").status_code == 403
    assert role_of(User.objects.get(username="nina")) == "viewer"
    assert {event[1] for event in recorded("people.")} == {"denied"}
    assert len(recorded("people.")) == len(DEEDS)


def test_admin_of_one_account_manages_nobody(client, person):
    someone = person("viewer", "nina")
    AccountRole.objects.create(person=someone, account_sid=ACCOUNT, role=person("admin").groups.get())
    client.force_login(someone)

    assert client.get("/people/").status_code == 403
    assert do(client, someone, "role", role="admin").status_code == 403
    assert '/people/"' not in client.get("/flows/").content.decode()


def test_role_holds_from_the_next_request_of_an_open_session(admin, client_of):
    client = client_of("operator")
    someone = User.objects.get(username="operator")
    assert client.get("/flows/new/").status_code == 200

    assert do(admin, someone, "role").status_code == 302

    assert client.get("/flows/new/").status_code == 403
    assert recorded("people.") == [("people.role", "succeeded", "admin", "operator")]
    event = last_event()
    assert (event.payload.before["role"], event.payload.after["role"]) == ("operator", "viewer")
    assert event.reason == WHY["reason"]
    page = admin.get(f"/audit/{event.event_id}/").content.decode()
    assert "operator → viewer" in page
    assert "Changed a user&#x27;s role" in page


def test_role_on_one_account_takes_the_place_of_the_one_everywhere(admin, person, settings):
    someone = person("operator")
    AccountRole.objects.create(person=someone, account_sid=ACCOUNT, role=someone.groups.get())

    do(admin, someone, "role", role="", **{f"role_{ACCOUNT}": "auditor"})

    assert not someone.groups.exists()
    assert [(one.account_sid, one.role.name) for one in someone.account_roles.all()] == [(ACCOUNT, "auditor")]


def test_deactivation_ends_open_sessions_and_can_be_taken_back(admin, client_of):
    client = client_of("operator")
    someone = User.objects.get(username="operator")

    do(admin, someone, "active")
    assert not is_in(client)
    assert sign_in(Client()).status_code == 200
    do(admin, someone, "active", active="true")

    assert sign_in(Client()).status_code == 302
    assert [event[0] for event in recorded("people.")] == ["people.deactivate", "people.activate"]


def test_one_time_password_is_shown_once_and_changed_before_anything_else(admin, client_of):
    theirs = client_of("operator")
    someone = User.objects.get(username="operator")

    password = do(admin, someone, "password").context["password"]

    assert not is_in(theirs)
    assert sign_in(theirs, password=password).status_code == 302
    for path in ("/flows/", "/people/me/", "/audit/", "/people/me/app/add/"):
        assert theirs.get(path)["Location"] == "/people/me/password/"
    new = {"new_password1": "a long passphrase", "new_password2": "a long passphrase"}
    assert theirs.post("/people/me/password/", {"old_password": password, **new})["Location"] == "/people/me/"
    assert theirs.get("/flows/").status_code == 200
    again = Client()
    sign_in(again, password="a long passphrase")
    assert again.get("/flows/").status_code == 200
    assert [event[0] for event in recorded("people.")] == ["people.password"]
    assert password not in str(list(AuditEvent.objects.values("reason", "payload__after", "payload__before")))


def test_one_time_password_runs_out_and_a_new_one_lets_in(admin, person):
    someone, theirs = person("operator"), Client()
    page = do(admin, someone, "password")
    assert "Expires in 72 hours" in squeezed(page.content.decode())
    ages(hours=71)
    assert sign_in(Client(), password=page.context["password"]).status_code == 302
    ages(hours=2)

    refused = sign_in(theirs, password=page.context["password"])

    assert "has expired. Ask an administrator" in refused.content.decode()
    assert not is_in(theirs)
    assert recorded()[-1] == ("auth.login", "denied", NOBODY, "operator")
    assert last_event().payload.message == "temporary password expired"
    assert "has expired" not in sign_in(theirs, password="guessed").content.decode()
    new = do(admin, someone, "password").context["password"]
    assert sign_in(theirs, password=new).status_code == 302


def test_settings_say_how_long_a_one_time_password_is_good(admin, person, settings):
    settings.ONE_TIME_PASSWORD_HOURS = 1
    page = do(admin, person("operator"), "password")
    assert "Expires in 1 hour." in squeezed(page.content.decode())
    ages(hours=2)

    assert sign_in(Client(), password=page.context["password"]).status_code == 200


def test_admin_whose_one_time_password_ran_out_does_not_count_as_one(admin, person):
    do(admin, person("admin", "ada"), "password")
    ages(hours=73)

    assert do(admin, User.objects.get(username="admin"), "role").status_code == 409


def test_person_is_added_with_a_role_and_a_password_to_change(admin, client):
    new = {"name": "nora", "role": "operator", "reason": "Joins the night shift"}

    page = admin.post("/people/new/", new)

    password = page.context["password"]
    person = User.objects.get(username="nora")
    assert (page.status_code, [group.name for group in person.groups.all()]) == (200, ["operator"])
    event = AuditEvent.objects.latest("seq")
    assert (event.action, event.actor_label, event.reason) == (
        "people.create",
        "admin",
        "Joins the night shift",
    )
    assert password not in str(event.payload.after)
    client.post("/login/", {"username": "nora", "password": password})
    assert client.get("/flows/").url == "/people/me/password/"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": ""}, "Enter a username."),
        ({"name": "ADMIN"}, "A user named “admin” already exists."),
        ({"name": "n o"}, "Enter a valid username"),
        ({"role": ""}, "Choose at least one role."),
        ({"reason": ""}, "Enter a reason."),
    ],
    ids=str,
)
def test_person_is_not_added_with_a_fault_in_the_form(admin, typed, said):
    page = admin.post("/people/new/", {"name": "nora", "role": "viewer", "reason": "Why", **typed})

    assert page.status_code == 422
    assert page.content.decode().count(said) == 2  # at the top, and beside the field
    assert User.objects.count() == 1


def test_nobody_is_added_unrecorded(admin, monkeypatch):
    def fail(**_said):
        raise audit.NotRecorded("locked")

    monkeypatch.setattr(audit, "append", fail)

    page = admin.post("/people/new/", {"name": "nora", "role": "viewer", "reason": "Why"})

    assert page.status_code == 503
    assert not User.objects.filter(username="nora").exists()


def test_reset_of_second_factors_lets_in_who_lost_theirs(admin, person):
    someone, theirs = person("operator"), Client()
    sign_in(theirs)
    with_app(theirs)

    assert do(admin, someone, "factors").status_code == 302

    assert not is_in(theirs)
    assert sign_in(theirs)["Location"] == "/flows/"
    event = last_event()
    assert AuditEvent.objects.filter(action="people.mfa_reset").count() == 1
    assert event.action == "auth.login"


@every_deed
def test_reason_is_asked_for(admin, person, deed):
    someone = person("operator")

    answer = do(admin, someone, deed, reason=" ")

    assert answer.status_code == 422
    assert "Enter a reason." in answer.content.decode()
    assert not recorded("people.")
    assert sign_in(Client()).status_code == 302


@every_deed
def test_nothing_is_done_that_cannot_be_recorded(admin, person, deed, monkeypatch):
    someone = person("operator")
    monkeypatch.setattr(audit, "_seal", lambda *_: (_ for _ in ()).throw(audit.Error("disk full")))

    answer = do(admin, someone, deed)

    monkeypatch.undo()
    assert answer.status_code == 503
    assert "Couldn’t write to the audit log" in answer.content.decode()
    assert role_of(User.objects.get(pk=someone.pk)) == "operator"
    assert sign_in(Client()).status_code == 302


@pytest.mark.parametrize(("deed", "said"), [("role", {"role": "viewer"}), ("active", {"active": "false"})])
def test_last_admin_stays(admin, person, deed, said):
    me = User.objects.get(username="admin")

    refused = do(admin, me, deed, **said)

    assert refused.status_code == 409
    assert "this is the last administrator" in refused.content.decode()
    assert not recorded("people.")
    assert admin.get("/people/").status_code == 200
    person("admin", "ada")
    assert do(admin, me, deed, **said).status_code == 302


@pytest.mark.parametrize(
    ("deed", "action"), [("password", "people.password"), ("factors", "people.mfa_reset")]
)
def test_own_password_and_factors_are_changed_on_the_own_page_alone(admin, deed, action):
    me = User.objects.get(username="admin")
    with_app(admin, "admin")

    refused = do(admin, me, deed)
    page = admin.get(f"/people/{me.pk}/").content.decode()

    assert refused.status_code == 403
    assert "in Account settings" in refused.content.decode()
    assert recorded("people.") == [(action, "denied", "admin", "")]
    assert last_event().reason == WHY["reason"]
    assert User.objects.get(pk=me.pk).check_password("admin-password")
    assert me.authenticator_set.exists()
    assert f'action="/people/{me.pk}/{deed}/"' not in page
    assert 'href="/people/me/"' in page.split("<main")[1]


def test_deactivated_admin_does_not_count_as_one(admin, person):
    ada = person("admin", "ada")
    persons.set_active(person=ada, is_active=False, actor=audit.Actor(id="1", label="x"), reason="")

    assert do(admin, User.objects.get(username="admin"), "role").status_code == 409


def test_what_is_on_record_of_people_and_their_sign_ins_is_of_no_account(admin, client_of, person):
    someone, theirs = person("operator"), Client()
    sign_in(theirs, password="wrong")
    sign_in(theirs)
    with_app(theirs)
    theirs.post("/logout/")
    do(admin, someone, "role")
    do(client_of("viewer"), someone, "role")

    kept = AuditEvent.objects.filter(action__regex="^(auth|people)[.]").values_list("action", "account_sid")

    assert {"auth.login", "auth.mfa_add", "auth.logout", "people.role"} == {action for action, _ in kept}
    assert {sid for _, sid in kept} == {""}


# The command


def add(monkeypatch, *options, name="nina"):
    monkeypatch.setenv("OPERATOR_PASSWORD", "a long passphrase")
    out = io.StringIO()
    call_command("add_operator", name, *options, stdout=out)
    return out.getvalue()


def test_command_goes_on_record(monkeypatch):
    add(monkeypatch, "--role", "viewer")

    event = last_event()
    assert recorded("people.")[0][:2] == ("people.create", "succeeded")
    assert event.actor_label.startswith("CLI (")
    assert (event.payload.friendly_name, event.payload.after["role"]) == ("nina", "viewer")


def test_command_gives_a_role_on_one_account(monkeypatch):
    said = add(monkeypatch, "--role", "operator", "--account", ACCOUNT)

    nina = User.objects.get(username="nina")
    assert said == f"nina can sign in as operator on {ACCOUNT}.\n"
    assert nina.has_perm("flows.change_flow", ACCOUNT)
    assert not nina.has_perm("flows.change_flow", "*")
    assert last_event().payload.after[f"role on {ACCOUNT}"] == "operator"


def test_command_knows_the_accounts_of_the_site(monkeypatch):
    with pytest.raises(CommandError, match="not a configured account"):
        add(monkeypatch, "--role", "operator", "--account", "AC" + "0" * 32)

    assert not User.objects.exists()


def test_command_adds_nobody_unrecorded(monkeypatch):
    monkeypatch.setattr(audit, "_seal", lambda *_: (_ for _ in ()).throw(audit.Error("disk full")))

    with pytest.raises(CommandError, match="Couldn't write to the audit log"):
        add(monkeypatch, "--role", "viewer")

    assert not User.objects.exists()
