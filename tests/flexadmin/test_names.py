"""New usernames: the log's own are reserved, and none can be taken for another, wherever it comes from."""

import io

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError

from flexadmin.names import name_for_sso, validate_new_username
from flows.services.reconcile import ITSELF
from tests.flexadmin.signing_in import recorded
from tests.flexadmin.test_sso import came_back

pytestmark = pytest.mark.django_db

REFUSED = {
    "the log's own": ("reconciliation", "“reconciliation” is reserved for the audit log"),
    "in other letters": ("Reconciliation", "is reserved for the audit log"),
    "with a sign": ("re-conciliation", "is reserved for the audit log"),
    "in Cyrillic letters": ("ѕуѕtem", "is reserved for the audit log"),
    "system": ("System", "is reserved for the audit log"),
    "command line": ("command_line", "reserved"),
    "mixed alphabets": ("аnton", "mixes alphabets (Cyrillic, Latin)"),
    "a Greek letter": ("οmega", "mixes alphabets (Greek, Latin)"),
    "taken": ("ADA", "A user named “ada” already exists"),
    "taken, in full width": ("ａｄａ", "A user named “ada” already exists"),
    "Latin, but alike": ("ɑda", "looks too similar to the user “ada”"),
    "wholly Cyrillic, but alike": ("сара", "looks too similar to the user “capa”"),
}


@pytest.fixture(autouse=True)
def others(db):
    User.objects.create_user("ada")
    User.objects.create_user("capa")


@pytest.mark.parametrize(("name", "sentence"), REFUSED.values(), ids=REFUSED)
def test_name_is_refused_in_its_own_sentence_wherever_it_is_typed(client_of, monkeypatch, name, sentence):
    with pytest.raises(ValidationError) as refused:
        validate_new_username(name)
    page = client_of("admin").post("/people/new/", {"name": name, "role": "viewer", "reason": "Joins"})
    monkeypatch.setenv("OPERATOR_PASSWORD", "a long passphrase")
    with pytest.raises(CommandError) as said:
        call_command("add_operator", name, "--role", "viewer")

    assert sentence in refused.value.messages[0]
    assert page.status_code == 422
    assert sentence in page.content.decode()
    assert f'value="{name}"' in page.content.decode(), "what was typed stays in its place"
    assert sentence in str(said.value)
    assert User.objects.count() == 3


@pytest.mark.parametrize(
    "name", ["nina", "иван", "αλέξης", "山田ひろし", "김민수", "jos\u00e9", "ada2", "n.o-r_a+1@example.com"]
)
def test_other_name_is_taken(monkeypatch, name):
    monkeypatch.setenv("OPERATOR_PASSWORD", "a long passphrase")

    call_command("add_operator", name, "--role", "viewer", stdout=io.StringIO())

    assert User.objects.filter(username=name).exists()


def test_what_the_log_calls_itself_is_reserved():
    with pytest.raises(ValidationError):
        validate_new_username(ITSELF.label)


@pytest.mark.parametrize(
    "name", ["аda", "reconciliation", "ada", "ADA", "system", "no such: name", "", "x" * 200]
)
def test_name_that_a_provider_gives_against_the_rules_becomes_a_neutral_one(
    client, client_of, provider, name
):
    provider.claims = {"sub": "7f3a", "preferred_username": name}

    came_back(client, provider)

    user = SocialAccount.objects.get().user
    assert user.username.startswith("sso-user-")
    listed = client_of("admin").get("/people/").content.decode()
    assert f'SSO: <bdi class="id">{provider.url} 7f3a</bdi>' in listed


def test_other_claims_are_tried_first(client, provider):
    provider.claims = {
        "sub": "7f3a",
        "preferred_username": "ada",
        "given_name": "nina",
        "family_name": "system",
    }

    came_back(client, provider)

    assert SocialAccount.objects.get().user.username == "nina"
    assert recorded("people.")[-1][3] == "nina"


def test_name_is_kept_in_one_spelling():
    assert name_for_sso(["ｎｉｎａ"], "tie") == "nina"


def test_neutral_name_is_nobody_elses():
    first = name_for_sso([], "tie")
    User.objects.create_user(first)

    assert name_for_sso([], "tie") not in ("", first)
    assert name_for_sso([], "another tie") != first
