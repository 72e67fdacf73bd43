"""Verification of the log names users whose roles differ from their last event."""

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection

from flexadmin.models import AccountRole
from flexadmin.users import services
from flexadmin.users.roles import ensure_groups
from flows.audit import append_only, audit_log, verification
from flows.audit.audit_log import Payload
from flows.audit.models import AuditEvent

pytestmark = pytest.mark.django_db
ACCOUNT = "AC" + "1" * 32


@pytest.fixture
def vera(actor):
    ensure_groups()
    return services.create_user(
        name="vera", password="Ein gutes Passwort 7", role="viewer", on_accounts=[], actor=actor
    )


def test_recorded_role_is_valid(vera, actor):
    services.set_roles(
        person=vera,
        role="operator",
        on_accounts={ACCOUNT: "auditor"},
        actor=actor,
        reason="new job",
    )

    assert verification.verify().is_intact


@pytest.mark.parametrize(
    "tamper",
    [
        lambda user: user.groups.set([Group.objects.get(name="admin")]),
        lambda user: user.groups.clear(),
        lambda user: AccountRole.objects.create(
            person=user, account_sid=ACCOUNT, role=Group.objects.get(name="admin")
        ),
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    ],
    ids=["admin", "none", "on one account", "inactive"],
)
def test_unrecorded_role_is_reported(vera, tamper):
    tamper(vera)

    assert "The roles or status of vera" in str(verification.verify())


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL stores no damaged JSON")
@pytest.mark.parametrize("damaged", ["{bad", '{"role": NaN}', '"role'])
def test_damaged_event_of_a_user_is_named(vera, damaged):
    seq = AuditEvent.objects.get(action="people.create").seq
    append_only.remove(connection)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA ignore_check_constraints = ON")
        cursor.execute(
            "UPDATE flows_auditpayload SET after = %s WHERE event_id = %s", [damaged, seq]
        )
        cursor.execute("PRAGMA ignore_check_constraints = OFF")
    append_only.install(connection)

    result = verification.verify()

    assert not result.is_intact
    assert f"Event {seq}" in str(result)


def test_missing_user_is_reported(vera):
    User.objects.filter(pk=vera.pk).delete()

    assert "The user vera is missing from the database" in str(verification.verify())


def test_second_role_group_is_reported(vera):
    vera.groups.add(Group.objects.get(name="admin"))

    assert "The roles or status of vera" in str(verification.verify())
    assert services.snapshot_user(vera)["role"] == "admin, viewer"


@pytest.mark.parametrize(
    "state", [{"role": "none"}, {"role": "none", "active": True}], ids=["before", "now"]
)
def test_sso_user_is_valid(actor, state):
    User.objects.create(username="newcomer")
    payload = Payload(
        friendly_name="newcomer", after={"by": "single sign-on", "subject": "x", **state}
    )

    audit_log.append(
        action="people.create",
        stage="access",
        result="succeeded",
        actor=actor,
        account_sid="",
        payload=payload,
    )

    assert verification.verify().is_intact


def test_user_whose_name_looks_like_an_api_key_is_valid(actor):
    ensure_groups()
    services.create_user(
        name="0123456789abcdef" * 2,
        password="Ein gutes Passwort 7",
        role="viewer",
        on_accounts=[],
        actor=actor,
    )

    assert verification.verify().is_intact
