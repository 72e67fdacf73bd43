"""A verification of the log names users whose roles nobody recorded."""

import pytest
from django.contrib.auth.models import Group, User

from flexadmin import persons
from flexadmin.models import AccountRole
from flexadmin.roles import ensure_groups
from flows.services import audit, evidence
from flows.services.audit import Payload

pytestmark = pytest.mark.django_db
ACCOUNT = "AC" + "1" * 32


@pytest.fixture
def vera(actor):
    ensure_groups()
    return persons.create(
        name="vera", password="Ein gutes Passwort 7", role="viewer", on_accounts=[], actor=actor
    )


def test_role_that_was_recorded_is_well(vera, actor):
    persons.set_roles(
        person=vera, role="operator", on_accounts={ACCOUNT: "auditor"}, actor=actor, reason="new job"
    )

    assert evidence.verify().is_intact


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
def test_role_that_nobody_recorded_is_named(vera, tamper):
    tamper(vera)

    assert "The roles or status of vera" in str(evidence.verify())


def test_user_that_is_gone_is_named(vera):
    User.objects.filter(pk=vera.pk).delete()

    assert "The user vera is missing from the database" in str(evidence.verify())


def test_second_role_group_is_named(vera):
    vera.groups.add(Group.objects.get(name="admin"))

    assert "The roles or status of vera" in str(evidence.verify())
    assert persons.state_of(vera)["role"] == "admin, viewer"


@pytest.mark.parametrize("said", [{"role": "none"}, {"role": "none", "active": True}], ids=["before", "now"])
def test_user_who_came_by_single_sign_on_is_well(actor, said):
    User.objects.create(username="newcomer")
    payload = Payload(friendly_name="newcomer", after={"by": "single sign-on", "subject": "x", **said})

    audit.append(
        action="people.create",
        stage="access",
        result="succeeded",
        actor=actor,
        account_sid="",
        payload=payload,
    )

    assert evidence.verify().is_intact


def test_user_whose_name_looks_like_a_key_is_well(actor):
    ensure_groups()
    persons.create(
        name="0123456789abcdef" * 2,
        password="Ein gutes Passwort 7",
        role="viewer",
        on_accounts=[],
        actor=actor,
    )

    assert evidence.verify().is_intact
