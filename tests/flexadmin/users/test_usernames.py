"""Rules for new usernames: reserved names, mixed alphabets and lookalikes, in every form and command."""

import io

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError

from flexadmin.users.usernames import choose_sso_username, validate_new_username
from flows.changes.reconcile import RECONCILIATION_ACTOR
from tests.flexadmin.signin.test_sso import sign_in_by_sso
from tests.flexadmin.signing_in import recorded_events

pytestmark = pytest.mark.django_db

REFUSED = {
    "label of the log": ("reconciliation", "“reconciliation” is reserved for the audit log"),
    "other case": ("Reconciliation", "is reserved for the audit log"),
    "with punctuation": ("re-conciliation", "is reserved for the audit log"),
    "in Cyrillic letters": ("ѕуѕtem", "is reserved for the audit log"),
    "system": ("System", "is reserved for the audit log"),
    "command line": ("command_line", "reserved"),
    "mixed alphabets": ("аnton", "mixes alphabets (Cyrillic, Latin)"),
    "a Greek letter": ("οmega", "mixes alphabets (Greek, Latin)"),
    "taken": ("ADA", "A user named “ada” already exists"),
    "taken, full width": ("ａｄａ", "A user named “ada” already exists"),
    "Latin lookalike": ("ɑda", "looks too similar to the user “ada”"),
    "Cyrillic lookalike": ("сара", "looks too similar to the user “capa”"),
}


@pytest.fixture(autouse=True)
def others(db):
    User.objects.create_user("ada")
    User.objects.create_user("capa")


@pytest.mark.parametrize(("name", "sentence"), REFUSED.values(), ids=REFUSED)
def test_page_and_command_refuse_a_name_with_the_same_sentence(
    client_of, monkeypatch, name, sentence
):
    with pytest.raises(ValidationError) as refused:
        validate_new_username(name)
    page = client_of("admin").post(
        "/people/new/", {"name": name, "role": "viewer", "reason": "Joins"}
    )
    monkeypatch.setenv("OPERATOR_PASSWORD", "a long passphrase")
    with pytest.raises(CommandError) as command_error:
        call_command("add_operator", name, "--role", "viewer")

    assert sentence in refused.value.messages[0]
    assert page.status_code == 422
    assert sentence in page.content.decode()
    assert f'value="{name}"' in page.content.decode(), "the entered name stays in the field"
    assert sentence in str(command_error.value)
    assert User.objects.count() == 3


@pytest.mark.parametrize(
    "name",
    [
        "nina",
        "иван",
        "αλέξης",
        "山田ひろし",
        "김민수",
        "jos\u00e9",
        "ada2",
        "n.o-r_a+1@example.com",
    ],
)
def test_valid_name_is_accepted(monkeypatch, name):
    monkeypatch.setenv("OPERATOR_PASSWORD", "a long passphrase")

    call_command("add_operator", name, "--role", "viewer", stdout=io.StringIO())

    assert User.objects.filter(username=name).exists()


def test_labels_of_the_audit_log_are_reserved():
    with pytest.raises(ValidationError):
        validate_new_username(RECONCILIATION_ACTOR.label)


@pytest.mark.parametrize(
    "name", ["аda", "reconciliation", "ada", "ADA", "system", "no such: name", "", "x" * 200]
)
def test_invalid_name_from_the_provider_becomes_a_neutral_one(client, client_of, provider, name):
    provider.claims = {"sub": "7f3a", "preferred_username": name}

    sign_in_by_sso(client, provider)

    user = SocialAccount.objects.get().user
    assert user.username.startswith("sso-user-")
    page = client_of("admin").get("/people/").content.decode()
    assert f'SSO: <bdi class="id">{provider.url} 7f3a</bdi>' in page


def test_other_claims_are_tried_first(client, provider):
    provider.claims = {
        "sub": "7f3a",
        "preferred_username": "ada",
        "given_name": "nina",
        "family_name": "system",
    }

    sign_in_by_sso(client, provider)

    assert SocialAccount.objects.get().user.username == "nina"
    assert recorded_events("people.")[-1][3] == "nina"


def test_name_is_normalized():
    assert choose_sso_username(["ｎｉｎａ"], "uid") == "nina"


def test_neutral_name_is_unique():
    first = choose_sso_username([], "uid")
    User.objects.create_user(first)

    assert choose_sso_username([], "uid") not in ("", first)
    assert choose_sso_username([], "another uid") != first
