"""Pages for user management, and the command that adds a user."""

import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import F
from django.test import Client

from flexadmin.models import AccountRole, OneTimePassword
from flexadmin.signin.auth_events import ANONYMOUS_LABEL
from flexadmin.users import services
from flexadmin.users.roles import get_role_on_any_account
from flows.audit import audit_log
from flows.audit.models import AuditEvent
from tests.flexadmin.signing_in import is_signed_in, recorded_events, set_up_app, sign_in
from tests.markup import squeezed

pytestmark = pytest.mark.django_db
ACCOUNT = "AC" + "5a" * 16
REASON = {"reason": "She moved to another team"}
OPERATIONS = {
    "role": {"role": "viewer"},
    "active": {"active": "false"},
    "factors": {},
    "single-sign-on": {},
    "password": {},
}
every_operation = pytest.mark.parametrize("operation", OPERATIONS)


@pytest.fixture
def admin(client_of):
    return client_of("admin")


def post_operation(client, user, operation, **fields):
    """Submit an operation of the user's page with its default fields and a reason."""
    data = {**OPERATIONS[operation], **REASON, **fields}
    return client.post(f"/people/{user.pk}/{operation}/", data)


def age_temporary_passwords(*, hours):
    """Backdate all temporary passwords."""
    OneTimePassword.objects.update(set_at=F("set_at") - timedelta(hours=hours))


def last_event():
    return AuditEvent.objects.select_related("payload").order_by("seq").last()


def test_list_shows_roles_and_2fa_of_each_user(admin, person):
    nina = person("viewer", "nina")
    AccountRole.objects.create(
        person=nina, account_sid=ACCOUNT, role=person("operator").groups.get()
    )
    User.objects.filter(pk=person("auditor").pk).update(is_active=False)

    text = " ".join(admin.get("/people/").content.decode().split())

    for words in ("nina", f"viewer, operator on {ACCOUNT}", "Off", "Deactivated", "Never"):
        assert words in text


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
def test_other_roles_cannot_manage_users(client_of, person, role):
    client = client_of(role)
    user = person("viewer", "nina")

    assert (
        client.get("/people/").status_code == client.get(f"/people/{user.pk}/").status_code == 403
    )
    for operation in OPERATIONS:
        assert post_operation(client, user, operation, role="admin").status_code == 403
    assert get_role_on_any_account(User.objects.get(username="nina")) == "viewer"
    assert {event[1] for event in recorded_events("people.")} == {"denied"}
    assert len(recorded_events("people.")) == len(OPERATIONS)


def test_admin_of_one_account_cannot_manage_users(client, person):
    user = person("viewer", "nina")
    AccountRole.objects.create(person=user, account_sid=ACCOUNT, role=person("admin").groups.get())
    client.force_login(user)

    assert client.get("/people/").status_code == 403
    assert post_operation(client, user, "role", role="admin").status_code == 403
    assert '/people/"' not in client.get("/flows/").content.decode()


def test_new_role_takes_effect_on_the_next_request(admin, client_of):
    client = client_of("operator")
    user = User.objects.get(username="operator")
    assert client.get("/flows/new/").status_code == 200

    assert post_operation(admin, user, "role").status_code == 302

    assert client.get("/flows/new/").status_code == 403
    assert recorded_events("people.") == [("people.role", "succeeded", "admin", "operator")]
    event = last_event()
    assert (event.payload.before["role"], event.payload.after["role"]) == ("operator", "viewer")
    assert event.reason == REASON["reason"]
    page = admin.get(f"/audit/{event.event_id}/").content.decode()
    assert "operator → viewer" in page
    assert "Changed a user&#x27;s role" in page


def test_role_on_one_account_replaces_the_role_on_every_account(admin, person, settings):
    user = person("operator")
    AccountRole.objects.create(person=user, account_sid=ACCOUNT, role=user.groups.get())

    post_operation(admin, user, "role", role="", **{f"role_{ACCOUNT}": "auditor"})

    assert not user.groups.exists()
    assert [(one.account_sid, one.role.name) for one in user.account_roles.all()] == [
        (ACCOUNT, "auditor")
    ]


def test_deactivation_ends_sessions_and_can_be_reverted(admin, client_of):
    client = client_of("operator")
    user = User.objects.get(username="operator")

    post_operation(admin, user, "active")
    assert not is_signed_in(client)
    assert sign_in(Client()).status_code == 200
    post_operation(admin, user, "active", active="true")

    assert sign_in(Client()).status_code == 302
    assert [event[0] for event in recorded_events("people.")] == [
        "people.deactivate",
        "people.activate",
    ]


def test_temporary_password_is_shown_once_and_must_be_changed_first(admin, client_of):
    user_client = client_of("operator")
    user = User.objects.get(username="operator")

    password = post_operation(admin, user, "password").context["password"]

    assert not is_signed_in(user_client)
    assert sign_in(user_client, password=password).status_code == 302
    for path in ("/flows/", "/people/me/", "/audit/", "/people/me/app/add/"):
        assert user_client.get(path)["Location"] == "/people/me/password/"
    new = {"new_password1": "a long passphrase", "new_password2": "a long passphrase"}
    assert (
        user_client.post("/people/me/password/", {"old_password": password, **new})["Location"]
        == "/people/me/"
    )
    assert user_client.get("/flows/").status_code == 200
    new_client = Client()
    sign_in(new_client, password="a long passphrase")
    assert new_client.get("/flows/").status_code == 200
    assert [event[0] for event in recorded_events("people.")] == ["people.password"]
    assert password not in str(
        list(AuditEvent.objects.values("reason", "payload__after", "payload__before"))
    )


def test_temporary_password_expires_and_a_new_one_works(admin, person):
    user, user_client = person("operator"), Client()
    page = post_operation(admin, user, "password")
    assert "Expires in 72 hours" in squeezed(page.content.decode())
    age_temporary_passwords(hours=71)
    assert sign_in(Client(), password=page.context["password"]).status_code == 302
    age_temporary_passwords(hours=2)

    refused = sign_in(user_client, password=page.context["password"])

    assert "has expired. Ask an administrator" in refused.content.decode()
    assert not is_signed_in(user_client)
    assert recorded_events()[-1] == ("auth.login", "denied", ANONYMOUS_LABEL, "operator")
    assert last_event().payload.message == "temporary password expired"
    assert "has expired" not in sign_in(user_client, password="guessed").content.decode()
    new = post_operation(admin, user, "password").context["password"]
    assert sign_in(user_client, password=new).status_code == 302


def test_setting_limits_the_lifetime_of_a_temporary_password(admin, person, settings):
    settings.ONE_TIME_PASSWORD_HOURS = 1
    page = post_operation(admin, person("operator"), "password")
    assert "Expires in 1 hour." in squeezed(page.content.decode())
    age_temporary_passwords(hours=2)

    assert sign_in(Client(), password=page.context["password"]).status_code == 200


def test_admin_with_an_expired_temporary_password_does_not_count_as_admin(admin, person):
    post_operation(admin, person("admin", "ada"), "password")
    age_temporary_passwords(hours=73)

    assert post_operation(admin, User.objects.get(username="admin"), "role").status_code == 409


def test_new_user_has_a_role_and_a_temporary_password(admin, client):
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
    ("changed_fields", "message"),
    [
        ({"name": ""}, "Enter a username."),
        ({"name": "ADMIN"}, "A user named “admin” already exists."),
        ({"name": "n o"}, "Enter a valid username"),
        ({"role": ""}, "Choose at least one role."),
        ({"reason": ""}, "Enter a reason."),
    ],
    ids=str,
)
def test_form_errors_prevent_a_new_user(admin, changed_fields, message):
    page = admin.post(
        "/people/new/", {"name": "nora", "role": "viewer", "reason": "Why", **changed_fields}
    )

    assert page.status_code == 422
    assert page.content.decode().count(message) == 2  # in the summary and at the field
    assert User.objects.count() == 1


def test_user_is_not_created_if_it_cannot_be_recorded(admin, monkeypatch):
    def fail(_log, **_event):
        raise audit_log.NotRecorded("locked")

    monkeypatch.setattr(audit_log.LogTransaction, "append", fail)

    page = admin.post("/people/new/", {"name": "nora", "role": "viewer", "reason": "Why"})

    assert page.status_code == 503
    assert not User.objects.filter(username="nora").exists()


def test_reset_of_second_factors_allows_sign_in_without_them(admin, person):
    user, user_client = person("operator"), Client()
    sign_in(user_client)
    set_up_app(user_client)

    assert post_operation(admin, user, "factors").status_code == 302

    assert not is_signed_in(user_client)
    assert sign_in(user_client)["Location"] == "/"
    event = last_event()
    assert AuditEvent.objects.filter(action="people.mfa_reset").count() == 1
    assert event.action == "auth.login"


@every_operation
def test_reason_is_required(admin, person, operation):
    user = person("operator")

    response = post_operation(admin, user, operation, reason=" ")

    assert response.status_code == 422
    assert "Enter a reason." in response.content.decode()
    assert not recorded_events("people.")
    assert sign_in(Client()).status_code == 302


@every_operation
def test_nothing_changes_if_it_cannot_be_recorded(admin, person, operation, monkeypatch):
    user = person("operator")
    monkeypatch.setattr(
        audit_log, "_link_to_chain", lambda *_: (_ for _ in ()).throw(audit_log.Error("disk full"))
    )

    response = post_operation(admin, user, operation)

    monkeypatch.undo()
    assert response.status_code == 503
    assert "Couldn’t write to the audit log" in response.content.decode()
    assert get_role_on_any_account(User.objects.get(pk=user.pk)) == "operator"
    assert sign_in(Client()).status_code == 302


@pytest.mark.parametrize(
    ("operation", "fields"), [("role", {"role": "viewer"}), ("active", {"active": "false"})]
)
def test_last_admin_cannot_be_removed(admin, person, operation, fields):
    own_user = User.objects.get(username="admin")

    refused = post_operation(admin, own_user, operation, **fields)

    assert refused.status_code == 409
    assert "this is the last administrator" in refused.content.decode()
    assert not recorded_events("people.")
    assert admin.get("/people/").status_code == 200
    person("admin", "ada")
    assert post_operation(admin, own_user, operation, **fields).status_code == 302


@pytest.mark.parametrize(
    ("operation", "action"), [("password", "people.password"), ("factors", "people.mfa_reset")]
)
def test_admin_cannot_reset_their_own_password_or_factors(admin, operation, action):
    own_user = User.objects.get(username="admin")
    set_up_app(admin, "admin")

    refused = post_operation(admin, own_user, operation)
    page = admin.get(f"/people/{own_user.pk}/").content.decode()

    assert refused.status_code == 403
    assert "in Account settings" in refused.content.decode()
    assert recorded_events("people.") == [(action, "denied", "admin", "")]
    assert last_event().reason == REASON["reason"]
    assert User.objects.get(pk=own_user.pk).check_password("admin-password")
    assert own_user.authenticator_set.exists()
    assert f'action="/people/{own_user.pk}/{operation}/"' not in page
    assert 'href="/people/me/"' in page.split("<main")[1]


def test_deactivated_admin_does_not_count_as_admin(admin, person):
    ada = person("admin", "ada")
    services.set_active(
        person=ada, is_active=False, actor=audit_log.Actor(id="1", label="x"), reason=""
    )

    assert post_operation(admin, User.objects.get(username="admin"), "role").status_code == 409


def test_events_about_users_and_sign_ins_name_no_account(admin, client_of, person):
    user, user_client = person("operator"), Client()
    sign_in(user_client, password="wrong")
    sign_in(user_client)
    set_up_app(user_client)
    user_client.post("/logout/")
    post_operation(admin, user, "role")
    post_operation(client_of("viewer"), user, "role")

    recorded_accounts = AuditEvent.objects.filter(action__regex="^(auth|people)[.]").values_list(
        "action", "account_sid"
    )

    assert {"auth.login", "auth.mfa_add", "auth.logout", "people.role"} == {
        action for action, _ in recorded_accounts
    }
    assert {sid for _, sid in recorded_accounts} == {""}


# Command


def add_operator(monkeypatch, *options, name="nina"):
    monkeypatch.setenv("OPERATOR_PASSWORD", "a long passphrase")
    out = io.StringIO()
    call_command("add_operator", name, *options, stdout=out)
    return out.getvalue()


def test_command_is_recorded(monkeypatch):
    add_operator(monkeypatch, "--role", "viewer")

    event = last_event()
    assert recorded_events("people.")[0][:2] == ("people.create", "succeeded")
    assert event.actor_label.startswith("CLI (")
    assert (event.payload.friendly_name, event.payload.after["role"]) == ("nina", "viewer")


def test_command_assigns_a_role_on_one_account(monkeypatch):
    output = add_operator(monkeypatch, "--role", "operator", "--account", ACCOUNT)

    nina = User.objects.get(username="nina")
    assert output == f"nina can sign in as operator on {ACCOUNT}.\n"
    assert nina.has_perm("flows.change_flow", ACCOUNT)
    assert not nina.has_perm("flows.change_flow", "*")
    assert last_event().payload.after[f"role on {ACCOUNT}"] == "operator"


def test_command_refuses_an_unknown_account(monkeypatch):
    with pytest.raises(CommandError, match="not a configured account"):
        add_operator(monkeypatch, "--role", "operator", "--account", "AC" + "0" * 32)

    assert not User.objects.exists()


def test_command_creates_no_user_if_it_cannot_be_recorded(monkeypatch):
    monkeypatch.setattr(
        audit_log, "_link_to_chain", lambda *_: (_ for _ in ()).throw(audit_log.Error("disk full"))
    )

    with pytest.raises(CommandError, match="Couldn't write to the audit log"):
        add_operator(monkeypatch, "--role", "viewer")

    assert not User.objects.exists()
