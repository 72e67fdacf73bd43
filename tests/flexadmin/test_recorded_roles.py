"""A verification of the log names users whose roles nobody recorded."""

import pytest
from django.contrib.auth.models import Group, User

from flexadmin import persons
from flexadmin.models import AccountRole
from flexadmin.roles import ensure_groups
from flows.services import evidence

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

    assert "The roles of vera" in str(evidence.verify())


def test_user_that_is_gone_is_named(vera):
    User.objects.filter(pk=vera.pk).delete()

    assert "The user vera is not in the database any more" in str(evidence.verify())
