"""Rules for new passwords, in pages and commands, each with its own sentence."""

import io

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError

from flexadmin.signin.password_rules import validate_new_password
from tests.flexadmin.signing_in import recorded_events, sign_in

pytestmark = pytest.mark.django_db

WEAK = {
    "blank": (" " * 10, "blank"),
    "blank of another kind": ("\u2003\u3000" * 6, "blank"),
    "invisible": ("\u200b\u2060" * 6, "blank"),
    "one letter": ("aaaaaaaaaaaa", "repeats “a”"),
    "the name, repeated": ("omaromaromar", "repeats “omar”"),
    "the name, repeated and cut short": ("OmarOmarOma", "repeats “omar”"),
    "the name, repeated in full width": ("ｏｍａｒｏｍａｒｏｍａｒ", "repeats “omar”"),
    "the name, with signs between": ("omar omar omar!", "repeats “omar”"),
    "another word, repeated": ("kettlekettle", "repeats “kettle”"),
    "few characters": ("aaabbbaabbbaab", "only 2 different characters"),
    "the name with a little": ("omar1+omar!2omar", "made of your username"),
}


@pytest.mark.parametrize(("password", "sentence"), WEAK.values(), ids=WEAK)
def test_weak_password_is_refused_with_its_own_sentence(password, sentence):
    with pytest.raises(ValidationError) as refused:
        validate_new_password(password, User(username="omar"))

    assert sentence in " ".join(refused.value.messages)


@pytest.mark.parametrize(
    "password",
    [
        "a long passphrase", "korrekt horse batteri", "omar rides a blue bicycle",
        "x9" * 3 + "kettle!", "пароль длинный",
    ],
)  # fmt: skip
def test_strong_password_is_accepted(password):
    validate_new_password(password, User(username="omar"))


def test_very_long_password_is_checked_quickly():
    with pytest.raises(ValidationError, match="repeats"):
        validate_new_password("ab" * 500_000, User(username="omar"))


def change_password(client, old, new, confirmation=None):
    fields = {
        "old_password": old,
        "new_password1": new,
        "new_password2": new if confirmation is None else confirmation,
    }
    return client.post("/people/me/password/", fields)


def test_temporary_password_is_refused_as_the_new_one(client, client_of, person):
    user = person()
    page = client_of("admin").post(f"/people/{user.pk}/password/", {"reason": "Forgot it"})
    password = page.context["password"]
    sign_in(client, password=password)

    response = change_password(client, password, password)

    assert response.status_code == 422
    assert response.context["form"].errors["new_password1"] == [
        "This is your current password. Choose a different one."
    ]
    assert client.get("/flows/")["Location"] == "/people/me/password/"
    assert change_password(client, password, "a long passphrase")["Location"] == "/people/me/"


def test_page_shows_the_error_at_the_field(client_of):
    response = change_password(client_of(), "operator-password", "operatoroperator")

    assert response.status_code == 422
    assert "repeats “operator”" in response.context["form"].errors["new_password1"][0]
    assert not recorded_events("auth.password")


def test_current_password_cannot_be_guessed_in_the_field_of_the_new_one(client_of):
    response = change_password(client_of(), "guessed", "operator-password")

    assert "current password" not in str(response.context["form"].errors.get("new_password1", ""))


@pytest.mark.parametrize(("password", "sentence"), WEAK.values(), ids=WEAK)
def test_commands_refuse_weak_passwords(monkeypatch, person, password, sentence):
    monkeypatch.setenv("OPERATOR_PASSWORD", password)
    with pytest.raises(CommandError, match=sentence):
        call_command("add_operator", "omar", "--role", "viewer")
    user = person("viewer", "omar")

    with pytest.raises(CommandError, match=sentence):
        call_command("changepassword", "omar")

    user.refresh_from_db()
    assert user.check_password("omar-password")


# Replacement of Django's command


def test_changepassword_sets_a_temporary_password_and_is_recorded(monkeypatch, client, client_of):
    user_client = client_of("operator")
    monkeypatch.setenv("OPERATOR_PASSWORD", "a long passphrase")
    out = io.StringIO()

    call_command("changepassword", "operator", "--reason", "Forgot it", stdout=out)

    assert "has a temporary password. It expires in 72 hours" in out.getvalue()
    assert recorded_events("people.")[0][:2] == ("people.password", "succeeded")
    assert user_client.get("/flows/")["Location"].startswith("/login/")
    sign_in(client, password="a long passphrase")
    assert client.get("/flows/")["Location"] == "/people/me/password/"


def test_changepassword_refuses_the_current_password_and_unknown_users(monkeypatch, person):
    person()
    monkeypatch.setenv("OPERATOR_PASSWORD", "operator-password")

    with pytest.raises(CommandError, match="current password"):
        call_command("changepassword", "operator")
    with pytest.raises(CommandError, match="no user named nina"):
        call_command("changepassword", "nina")

    assert not recorded_events()
