"""Rights granted outside this dashboard: superusers, direct permissions, other groups.

They have no effect, and are shown and recorded. Django's own commands for them are replaced.
"""

import io

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from flexadmin.models import AccountRole
from flexadmin.users import outside_rights, services
from flexadmin.users.roles import ensure_groups
from flows.audit import audit_log
from flows.audit.models import AuditEvent
from flows.plans.models import Plan
from tests import ACCOUNT
from tests.flexadmin.signing_in import recorded_events, sign_in
from tests.flows.plans.running import run_worker
from tests.flows.plans.views.conftest import sids  # noqa: F401 - a fixture
from tests.flows.plans.views.pages import create_draft, post_action

pytestmark = pytest.mark.django_db
RESTRICTED_PATHS = ["/", "/people/", "/flows/", "/flows/new/", "/audit/verification/"]


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
    group.permissions.set(
        Permission.objects.filter(codename__in=["manage_people", "view_flow", "add_flow"])
    )
    user.groups.add(group)
    return user


def with_group_on_account(name="clerk"):
    user = with_group(name)
    AccountRole.objects.create(
        person=user, account_sid=ACCOUNT, role=Group.objects.get(name="backdoor")
    )
    user.groups.clear()
    return user


def staff(name="clerk"):
    return User.objects.create_user(name, password=f"{name}-password", is_staff=True)


LABELS = {
    superuser: "Superuser flag",
    with_permission: "Direct permissions",
    with_group: "Other groups",
    with_group_on_account: "Other groups",
    staff: "Staff flag",
}
every_kind = pytest.mark.parametrize("create_user", LABELS, ids=lambda function: function.__name__)


@every_kind
def test_outside_rights_open_no_page(client, create_user):
    sign_in(client, create_user().username)

    assert [client.get(path).status_code for path in RESTRICTED_PATHS] == [403] * len(
        RESTRICTED_PATHS
    )


@every_kind
def test_outside_rights_open_no_page_in_an_existing_session(create_user):
    client = Client()
    client.force_login(create_user())

    assert [client.get(path).status_code for path in RESTRICTED_PATHS] == [403] * len(
        RESTRICTED_PATHS
    )


def test_superuser_with_a_role_has_that_role_only(client):
    ensure_groups()
    superuser().groups.add(Group.objects.get(name="viewer"))
    sign_in(client, "root2")

    assert client.get("/flows/").status_code == 200
    assert client.get("/flows/new/").status_code == client.get("/people/").status_code == 403


def test_extra_permissions_of_a_role_group_have_no_effect(client, person):
    person("viewer")
    Group.objects.get(name="viewer").permissions.set(Permission.objects.all())
    sign_in(client, "viewer")

    assert client.get("/people/").status_code == 403


@pytest.mark.django_db(transaction=True)
def test_bulk_change_stops_when_its_superuser_loses_their_role(client_of, sids):  # noqa: F811
    operator = client_of("operator")
    plan = create_draft(operator, sids)
    post_action(operator, plan, "start")
    user = User.objects.get(username="operator")
    user.groups.clear()
    User.objects.update(is_superuser=True)

    run_worker()

    assert (
        Plan.objects.get().stop_reason == "operator no longer has permission to make these changes."
    )


@every_kind
def test_pages_show_outside_rights_and_the_log_records_them_once(client_of, create_user):
    user, admin = create_user(), Client()
    client_of("admin")
    for _ in range(2):
        sign_in(admin, "admin")

    list_page = admin.get("/people/").content.decode()
    page = admin.get(f"/people/{user.pk}/").content.decode()

    assert "External permissions (no effect)" in list_page
    assert LABELS[create_user] in page
    events = recorded_events("people.")
    assert events == [("people.rights_found", "applied", "", user.username)]
    event = admin.get(f"/audit/{AuditEvent.objects.latest('seq').event_id}/").content.decode()
    assert "Found external permissions" in event
    assert "no effect" in event


def test_sign_in_event_names_rights_without_effect(client):
    superuser()

    sign_in(client, "root2")

    assert sorted(event[0] for event in recorded_events("")) == [
        "auth.login",
        "people.rights_found",
    ]
    login = AuditEvent.objects.select_related("payload").get(action="auth.login")
    assert login.payload.after["superuser flag (no effect)"] == "set"


def test_events_about_the_user_name_outside_rights(client_of):
    user = superuser()
    client_of("admin").post(f"/people/{user.pk}/role/", {"role": "viewer", "reason": "Joins"})

    payload = AuditEvent.objects.select_related("payload").get(action="people.role").payload

    assert (payload.before["superuser flag"], payload.after["superuser flag"]) == ("set", "set")


def test_later_grants_and_removals_are_recorded():
    user = with_permission()
    outside_rights.record_changes()
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    outside_rights.record_changes()
    User.objects.filter(pk=user.pk).update(is_superuser=False)
    user.user_permissions.clear()
    outside_rights.record_changes()
    outside_rights.record_changes()

    events = AuditEvent.objects.select_related("payload").order_by("seq")
    assert [event.payload.after.get("superuser flag", "") for event in events] == [
        "",
        "set",
        "none",
    ]
    assert events[2].payload.message == "Removed outside this dashboard."


@every_kind
def test_administrator_removes_outside_rights_with_a_reason(client_of, create_user):
    admin, user = client_of("admin"), create_user()
    path = f"/people/{user.pk}/rights/"

    refused = admin.post(path, {"reason": ""})
    accepted = admin.post(path, {"reason": "Nobody needs it"})

    assert (refused.status_code, accepted.status_code) == (422, 302)
    assert "Enter a reason." in refused.content.decode()
    assert not outside_rights.users_with_outside_rights().exists()
    assert recorded_events("people.rights_remove") == [
        ("people.rights_remove", "succeeded", "admin", user.username)
    ]
    assert "External permissions" not in admin.get(f"/people/{user.pk}/").content.decode()


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
def test_other_roles_cannot_remove_outside_rights(client_of, role):
    user = superuser()

    assert client_of(role).post(f"/people/{user.pk}/rights/", {"reason": "x"}).status_code == 403
    assert recorded_events("people.rights_remove")[-1][1] == "denied"


def test_sign_in_works_while_outside_rights_cannot_be_recorded(client, client_of, monkeypatch):
    superuser()
    client_of("admin")
    real = audit_log.LogTransaction.append

    def refuse_rights_event(log, **event):
        if event["action"] == "people.rights_found":
            raise audit_log.NotRecorded("full")
        return real(log, **event)

    monkeypatch.setattr(audit_log.LogTransaction, "append", refuse_rights_event)
    sign_in(client, "admin")

    assert "External permissions" in client.get("/people/").content.decode()


# An upgrade


def upgrade():
    outside_rights.after_migrate()


def test_upgrade_promotes_superusers_if_there_is_no_administrator(client):
    superuser()

    upgrade()

    sign_in(client, "root2")
    assert client.get("/people/").status_code == 200
    assert [event[0] for event in recorded_events("people.")] == [
        "people.rights_found",
        "people.role",
    ]
    event = AuditEvent.objects.select_related("payload").get(action="people.role")
    assert event.payload.after["role"] == "admin"
    assert event.reason.startswith("Upgrade: the superuser flag no longer grants access")
    page = client.get(f"/audit/{event.event_id}/").content.decode()
    assert "The system" in page


def test_upgrade_promotes_nobody_if_an_administrator_can_sign_in(person):
    person("admin")
    user = superuser()

    upgrade()

    assert not user.groups.exists()
    assert [event[0] for event in recorded_events("people.")] == ["people.rights_found"]


def test_superuser_recorded_before_is_not_promoted():
    user = superuser()
    outside_rights.record_changes()

    upgrade()

    assert not user.groups.exists()


def refuse_event(_log, **_event):
    raise audit_log.NotRecorded("full")


def test_upgrade_continues_if_the_log_cannot_be_written(monkeypatch):
    superuser()
    monkeypatch.setattr(audit_log.LogTransaction, "append", refuse_event)

    upgrade()

    assert not recorded_events()


# Django's commands


def test_createsuperuser_is_refused_and_names_the_command_to_use():
    with pytest.raises(CommandError, match="add_operator NAME --role admin"):
        call_command(
            "createsuperuser", "--noinput", "--username", "root2", "--email", "x@example.com"
        )

    assert not User.objects.exists()


def test_add_operator_grants_no_outside_rights(monkeypatch):
    monkeypatch.setenv("OPERATOR_PASSWORD", "a long passphrase")

    call_command("add_operator", "nina", "--role", "admin", stdout=io.StringIO())

    assert services.snapshot_user(User.objects.get())["role"] == "admin"
    assert not outside_rights.users_with_outside_rights().exists()
