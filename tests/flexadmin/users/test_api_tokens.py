"""A user creates and revokes their API tokens; administrators revoke those of others."""

from __future__ import annotations

import io
import re

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from flexadmin.models import ApiToken
from flexadmin.users import api_tokens
from flexadmin.users.api_tokens import NewToken
from flows.audit.audit_log import Actor
from flows.audit.models import AuditEvent
from flows.redaction.masking import redact
from tests import ACCOUNT
from tests.flexadmin.signing_in import reauthenticate

pytestmark = pytest.mark.django_db(transaction=True)
FORM = {"name": "Nightly export", "scope": "read", "days": "30", "networks": "203.0.113.7"}
PATTERN = re.compile(r"flexapi_[0-9a-f]{12}\.[\w-]{43}")


@pytest.fixture
def signed_in(client_of):
    """Client of an operator who has just confirmed their identity."""
    client = client_of("operator")
    reauthenticate(client, "/people/me/tokens/new/")
    return client


def test_token_is_shown_once_and_logged_without_its_secret(signed_in):
    page = signed_in.post("/people/me/tokens/new/", FORM).content.decode()

    credentials = PATTERN.search(page).group()
    token = ApiToken.objects.get()
    assert (token.scope, token.networks, token.person.username) == (
        "read",
        ["203.0.113.7/32"],
        "operator",
    )
    profile = signed_in.get("/people/me/").content.decode()
    assert token.key in profile
    assert credentials not in profile
    event = AuditEvent.objects.select_related("payload").get(action="people.token_create")
    assert event.payload.after["identifier"] == token.key
    assert event.payload.after["scope"] == "read"
    assert credentials.split(".")[1] not in str(vars(event.payload))


def test_creation_asks_for_the_password_again(client_of):
    client = client_of("operator")  # signed in without a recent password

    response = client.post("/people/me/tokens/new/", FORM)

    assert response.status_code == 302
    assert response["Location"].startswith("/people/me/confirm/")
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [("name", ""), ("scope", "admin"), ("days", "0"), ("days", ""), ("networks", "300.1.1.1")],
)
def test_invalid_input_is_explained_at_its_field_and_kept(signed_in, name, value):
    response = signed_in.post("/people/me/tokens/new/", {**FORM, name: value})

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [name]
    assert response.context["form"][name].value() == value


def test_user_has_a_maximum_number_of_tokens(signed_in, monkeypatch):
    monkeypatch.setattr(api_tokens, "MAX_TOKENS", 1)
    signed_in.post("/people/me/tokens/new/", FORM)

    response = signed_in.post("/people/me/tokens/new/", FORM)

    assert response.status_code == 409
    assert ApiToken.objects.count() == 1


def test_user_without_a_role_has_no_tokens(signed_in, person):
    User.objects.get(username="operator").groups.clear()

    assert signed_in.get("/people/me/tokens/new/").status_code == 403
    assert "API tokens" not in signed_in.get("/people/me/").content.decode()


def test_user_revokes_their_own_token_only(signed_in, client_of):
    signed_in.post("/people/me/tokens/new/", FORM)
    url = f"/people/me/tokens/{ApiToken.objects.get().pk}/revoke/"

    assert client_of("admin").post(url).status_code == 404
    assert signed_in.post(url).status_code == 302
    assert not ApiToken.objects.exists()
    assert AuditEvent.objects.filter(action="people.token_revoke", actor_label="operator").exists()


def test_administrator_revokes_all_tokens_of_a_user_with_a_reason(signed_in, client_of):
    for _ in range(2):
        signed_in.post("/people/me/tokens/new/", FORM)
    admin = client_of("admin")
    person_id = ApiToken.objects.first().person_id
    url = f"/people/{person_id}/tokens/"

    page = admin.get(f"/people/{person_id}/").content.decode()
    without_reason = admin.post(url, {"reason": ""})
    by_operator = signed_in.post(url, {"reason": "Mine"})
    response = admin.post(url, {"reason": "Leaked"})

    assert "Nightly export" in page
    assert (without_reason.status_code, by_operator.status_code) == (422, 403)
    assert response.status_code == 302
    events = AuditEvent.objects.filter(action="people.token_revoke", result="succeeded")
    assert [event.reason for event in events] == ["Leaked", "Leaked"]
    assert not ApiToken.objects.exists()


def test_command_prints_a_token_that_works(person, sandbox):
    person("viewer", "siem")
    output = io.StringIO()

    call_command(
        "add_token", "siem", "--scope", "read", "--account", ACCOUNT, "--days", "7", stdout=output
    )

    credentials = output.getvalue().removesuffix("\n")
    assert PATTERN.fullmatch(credentials)
    headers = {"authorization": f"Bearer {credentials}"}
    assert Client().get("/api/v1/flows", headers=headers).status_code == 200
    assert AuditEvent.objects.filter(action="people.token_create").exists()


@pytest.mark.parametrize(
    ("username", "days", "account", "message"),
    [
        ("nobody", "7", ACCOUNT, "no active user named nobody"),
        ("viewer", "0", ACCOUNT, "--days"),
        ("viewer", "400", ACCOUNT, "--days"),
        ("viewer", "7", "AC" + "9" * 32, "not a configured account"),
    ],
)
def test_command_refuses_what_makes_no_token(person, username, days, account, message):
    person("viewer")

    with pytest.raises(CommandError, match=message):
        call_command("add_token", username, "--scope", "read", "--account", account, "--days", days)

    assert not ApiToken.objects.exists()


def test_token_in_a_sentence_is_masked(person):
    token, credentials = api_tokens.create_token(
        person("viewer"), NewToken(scope="read", days=1), actor=Actor(id="", label="CLI")
    )

    masked = redact(f"It failed with {credentials}, so I gave up")

    assert credentials.split(".")[1] not in masked
    assert redact(f"the key {token.key} was used") == f"the key {token.key} was used"
