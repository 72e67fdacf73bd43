"""Rules for display names: none may look like another user or like a label of the log."""

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from flexadmin.models import Profile
from flexadmin.users.display_names import display_names, validate_display_name

pytestmark = pytest.mark.django_db


@pytest.fixture
def omar():
    ada = User.objects.create_user("ada")
    Profile.objects.create(person=ada, display_name="Ada Lovelace")
    User.objects.create_user("capa")
    return User.objects.create_user("omar")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("ada", "looks too similar to the user “ada”"),
        ("A D A", "looks too similar to the user “ada”"),
        ("a-d.a", "looks too similar to the user “ada”"),
        ("ada\u0336", "looks too similar to the user “ada”"),
        ("ɑda", "looks too similar to the user “ada”"),
        ("сара", "looks too similar to the user “capa”"),
        ("ada lovelace", "looks too similar to the user “ada”"),
        ("Adalovelace", "looks too similar to the user “ada”"),
        ("The System", "is reserved for the audit log"),
        ("Twilio", "is reserved for the audit log"),
        ("Outside this dashboard", "is reserved for the audit log"),
        ("Аnton Berg", "mixes alphabets (Cyrillic, Latin)"),
        ("Omar\u200b Khan", "contains invisible characters"),
        ("Omar \u202enahK", "contains invisible characters"),
        ("123", "Enter a name with letters."),
        ("–", "Enter a name with letters."),
    ],
)
def test_misleading_name_is_refused(omar, name, sentence):
    with pytest.raises(ValidationError) as refused:
        validate_display_name(name, omar)

    assert sentence in refused.value.messages[0]


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("Omar Khan", "Omar Khan"),
        ("  Omar \t Khan ", "Omar Khan"),
        ("omar", "omar"),
        ("O. Khan (night shift)", "O. Khan (night shift)"),
        ("José Müller", "José Müller"),
        ("Иван Ivan", "Иван Ivan"),
        ("山田 ひろし", "山田 ひろし"),
        ("Ｏｍａｒ Khan", "Omar Khan"),
        ("", ""),
        ("   ", ""),
    ],
)
def test_honest_name_is_accepted(omar, name, stored):
    assert validate_display_name(name, omar) == stored


def test_own_display_name_may_stay(omar):
    Profile.objects.create(person=omar, display_name="Omar Khan")

    assert validate_display_name("Omar Khan", omar) == "Omar Khan"


def test_only_users_with_a_display_name_are_listed(omar):
    Profile.objects.create(person=omar, theme="dark")

    assert display_names() == {"ada": (str(User.objects.get(username="ada").pk), "Ada Lovelace")}
