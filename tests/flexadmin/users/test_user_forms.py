"""The forms for a user's roles: the meaning of each role, and the accounts that it covers."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from flexadmin.models import AccountRole, OneTimePassword
from flexadmin.users.roles import ROLE_DESCRIPTIONS, ROLES
from flows.audit.models import AuditEvent
from tests import ACCOUNT
from tests.markup import squeezed

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client_of):
    return client_of("admin")


def test_form_says_what_each_role_allows(admin, person):
    pages = [
        admin.get("/people/new/"),
        admin.get(f"/people/{person('viewer').pk}/"),
    ]

    for page in pages:
        html = squeezed(page.content.decode())
        for name in ROLES:
            assert f"<strong>{name.capitalize()}</strong>{ROLE_DESCRIPTIONS[name]}" in html
        assert ">Role<" in html
        assert "every account" not in html


def test_user_of_one_account_is_shown_with_its_name(admin, staging):
    new = {"name": "nora", f"role_{staging.account_sid}": "operator", "reason": "Tests"}
    assert admin.post("/people/new/", new).status_code == 200
    nora = User.objects.get(username="nora")
    event = AuditEvent.objects.get(action="people.create")
    OneTimePassword.objects.all().delete()
    own_client = Client()
    own_client.force_login(nora)

    pages = [admin.get("/people/new/"), admin.get(f"/people/{nora.pk}/")]

    for page in pages:
        html = squeezed(page.content.decode())
        assert "For a single account, leave this at None and choose a role there." in html
        assert html.index("Role on every account") < html.index("Role on staging")
    assert "Operator on staging." in html
    assert "</bdi>, operator on staging" in squeezed(own_client.get("/people/me/").content.decode())
    assert "<dt>role on staging</dt>" in squeezed(
        admin.get(f"/audit/{event.event_id}/").content.decode()
    )


def test_user_who_sees_no_account_gets_a_hint(admin, person, settings):
    hint = "can sign in but sees no flows"
    nina = person("viewer", "nina")

    def shows_hint():
        return hint in squeezed(admin.get(f"/people/{nina.pk}/").content.decode())

    assert not shows_hint()
    nina.groups.clear()
    assert shows_hint()
    account_role = AccountRole.objects.create(
        person=nina, account_sid="AC" + "0" * 32, role=person("operator").groups.get()
    )
    assert shows_hint()  # the site doesn't have this account
    AccountRole.objects.filter(pk=account_role.pk).update(account_sid=ACCOUNT)
    assert not shows_hint()
    User.objects.filter(pk=nina.pk).update(is_active=False)
    AccountRole.objects.all().delete()
    assert not shows_hint()  # deactivated is enough to know
