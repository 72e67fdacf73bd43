"""Rights that no role gives: superusers, direct permissions, other groups. They have no effect, are shown, and are
recorded as found; Django's own commands for them are replaced."""

import io

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from flexadmin import outside_rights, persons
from flexadmin.models import AccountRole
from flexadmin.roles import ensure_groups
from flows.models import AuditEvent, Plan
from flows.services import audit
from tests import ACCOUNT
from tests.flexadmin.signing_in import recorded, sign_in
from tests.flows.views.test_plans import act, make, sids, work  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
CLOSED = ["/people/", "/flows/", "/flows/new/", "/audit/verification/"]


def superuser(name="root2"):
    return User.objects.create_superuser(name, password=f"{name}-password")


def with_permission(name="clerk"):
    user = User.objects.create_user(name, password=f"{name}-password")
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["manage_people", "view_flow", "add_flow"])
    )
    return user


def with_group(name="clerk"):
    user = User.objects.create_user(name, password=f"{name}-password")
    group = Group.objects.create(name="backdoor")
    group.permissions.set(Permission.objects.filter(codename__in=["manage_people", "view_flow", "add_flow"]))
    user.groups.add(group)
    return user


def with_group_on_account(name="clerk"):
    user = with_group(name)
    AccountRole.objects.create(person=user, account_sid=ACCOUNT, role=Group.objects.get(name="backdoor"))
    user.groups.clear()
    return user


def staff(name="clerk"):
    return User.objects.create_user(name, password=f"{name}-password", is_staff=True)


GIVEN = {
    superuser: "Superuser flag",
    with_permission: "Direct permissions",
    with_group: "Other groups",
    with_group_on_account: "Other groups",
    staff: "Staff flag",
}
every_kind = pytest.mark.parametrize("give", GIVEN, ids=lambda give: give.__name__)


@every_kind
def test_what_no_role_gives_opens_nothing(client, give):
    sign_in(client, give().username)

    assert [client.get(path).status_code for path in CLOSED] == [403] * len(CLOSED)


@every_kind
def test_session_of_before_opens_nothing_either(give):
    client = Client()
    client.force_login(give())

    assert [client.get(path).status_code for path in CLOSED] == [403] * len(CLOSED)


def test_superuser_with_a_role_has_that_role_alone(client):
    ensure_groups()
    superuser().groups.add(Group.objects.get(name="viewer"))
    sign_in(client, "root2")

    assert client.get("/flows/").status_code == 200
    assert client.get("/flows/new/").status_code == client.get("/people/").status_code == 403


def test_role_gives_what_the_table_says_whatever_its_group_was_given(client, person):
    person("viewer")
    Group.objects.get(name="viewer").permissions.set(Permission.objects.all())
    sign_in(client, "viewer")

    assert client.get("/people/").status_code == 403


@pytest.mark.django_db(transaction=True)
def test_bulk_change_of_who_lost_their_role_stops_though_they_are_a_superuser(client_of, sids):  # noqa: F811
    operator = client_of("operator")
    plan = make(operator, sids)
    act(operator, plan, "start")
    user = User.objects.get(username="operator")
    user.groups.clear()
    User.objects.update(is_superuser=True)

    work()

    assert Plan.objects.get().ended_because == "operator no longer has permission to make these changes."


@every_kind
def test_pages_show_it_and_the_log_has_it_once(client_of, give):
    user, admin = give(), Client()
    client_of("admin")
    for _ in range(2):
        sign_in(admin, "admin")

    listed = admin.get("/people/").content.decode()
    page = admin.get(f"/people/{user.pk}/").content.decode()

    assert "External permissions (no effect)" in listed
    assert GIVEN[give] in page
    events = recorded("people.")
    assert events == [("people.rights_found", "applied", "", user.username)]
    event = admin.get(f"/audit/{AuditEvent.objects.latest('seq').event_id}/").content.decode()
    assert "Found external permissions" in event
    assert "no effect" in event


def test_sign_in_says_in_the_log_what_has_no_effect(client):
    superuser()

    sign_in(client, "root2")

    assert sorted(event[0] for event in recorded("")) == ["auth.login", "people.rights_found"]
    login = AuditEvent.objects.select_related("payload").get(action="auth.login")
    assert login.payload.after["superuser flag (no effect)"] == "set"


def test_every_event_about_the_user_has_it(client_of):
    user = superuser()
    client_of("admin").post(f"/people/{user.pk}/role/", {"role": "viewer", "reason": "Joins"})

    payload = AuditEvent.objects.select_related("payload").get(action="people.role").payload

    assert (payload.before["superuser flag"], payload.after["superuser flag"]) == ("set", "set")


def test_what_is_given_or_taken_away_later_is_recorded_anew():
    user = with_permission()
    outside_rights.record_found()
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    outside_rights.record_found()
    User.objects.filter(pk=user.pk).update(is_superuser=False)
    user.user_permissions.clear()
    outside_rights.record_found()
    outside_rights.record_found()

    events = AuditEvent.objects.select_related("payload").order_by("seq")
    assert [event.payload.after.get("superuser flag", "") for event in events] == ["", "set", "none"]
    assert events[2].payload.message == "Removed outside this dashboard."


@every_kind
def test_administrator_removes_it_with_a_reason(client_of, give):
    admin, user = client_of("admin"), give()
    path = f"/people/{user.pk}/rights/"

    refused = admin.post(path, {"reason": ""})
    done = admin.post(path, {"reason": "Nobody needs it"})

    assert (refused.status_code, done.status_code) == (422, 302)
    assert "Enter a reason." in refused.content.decode()
    assert not outside_rights.users_with_any().exists()
    assert recorded("people.rights_remove") == [("people.rights_remove", "succeeded", "admin", user.username)]
    assert "External permissions" not in admin.get(f"/people/{user.pk}/").content.decode()


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
def test_nobody_else_removes_it(client_of, role):
    user = superuser()

    assert client_of(role).post(f"/people/{user.pk}/rights/", {"reason": "x"}).status_code == 403
    assert recorded("people.rights_remove")[-1][1] == "denied"


def test_sign_in_goes_on_while_it_cannot_be_recorded(client, client_of, monkeypatch):
    superuser()
    client_of("admin")
    real = audit.append

    def refuse_found(**event):
        if event["action"] == outside_rights.FOUND:
            raise audit.NotRecorded("full")
        return real(**event)

    monkeypatch.setattr(audit, "append", refuse_found)
    sign_in(client, "admin")

    assert "External permissions" in client.get("/people/").content.decode()


# An upgrade


def upgrade():
    outside_rights.after_migrate()


def test_upgrade_makes_superusers_administrators_where_there_is_no_other(client):
    superuser()

    upgrade()

    sign_in(client, "root2")
    assert client.get("/people/").status_code == 200
    assert [event[0] for event in recorded("people.")] == ["people.rights_found", "people.role"]
    event = AuditEvent.objects.select_related("payload").get(action="people.role")
    assert event.payload.after["role"] == "admin"
    assert event.reason.startswith("Upgrade: the superuser flag no longer grants access")
    page = client.get(f"/audit/{event.event_id}/").content.decode()
    assert "The system" in page


def test_upgrade_makes_nobody_an_administrator_where_one_can_sign_in(person):
    person("admin")
    user = superuser()

    upgrade()

    assert not user.groups.exists()
    assert [event[0] for event in recorded("people.")] == ["people.rights_found"]


def test_superuser_who_was_seen_before_is_never_made_one():
    user = superuser()
    outside_rights.record_found()

    upgrade()

    assert not user.groups.exists()


def test_upgrade_of_a_site_whose_log_cannot_be_written_goes_on(monkeypatch):
    superuser()
    monkeypatch.setattr(audit, "append", lambda **_: (_ for _ in ()).throw(audit.NotRecorded("full")))

    upgrade()

    assert not recorded()


# Django's commands


def test_createsuperuser_is_refused_and_names_what_to_use():
    with pytest.raises(CommandError, match="add_operator NAME --role admin"):
        call_command("createsuperuser", "--noinput", "--username", "root2", "--email", "x@example.com")

    assert not User.objects.exists()


def test_add_operator_gives_no_rights_from_outside(monkeypatch):
    monkeypatch.setenv("OPERATOR_PASSWORD", "a long passphrase")

    call_command("add_operator", "nina", "--role", "admin", stdout=io.StringIO())

    assert persons.state_of(User.objects.get())["role"] == "admin"
    assert not outside_rights.users_with_any().exists()
