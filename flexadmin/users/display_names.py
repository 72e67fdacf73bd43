"""Rules for display names, which users choose for themselves.

A display name always stands beside the username. Still, it must not make one user look like another
one, or like the audit log's own labels.
"""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from flexadmin.models import Profile
from flexadmin.users import usernames
from flows.core.invisible import find_invisible

MAX_DISPLAY_NAME_LENGTH: Final = 60  # characters
LOOKALIKE_MESSAGE: Final = (
    "“%(name)s” looks too similar to the user “%(other)s”. Choose a different name."
)
HIDDEN_MESSAGE: Final = "The name contains invisible characters. Type it again."
LETTERS_MESSAGE: Final = "Enter a name with letters."


def validate_display_name(name: str, person: User) -> str:
    """Return the name with single spaces, or raise `ValidationError` with one sentence.

    `person` is the user who wants to have it. An empty name is valid.
    """
    normalized = " ".join(User.normalize_username(name).split())
    if not normalized:
        return ""
    if find_invisible(normalized):
        raise ValidationError(HIDDEN_MESSAGE, code="invisible")
    if not any(map(str.isalpha, normalized)):
        raise ValidationError(LETTERS_MESSAGE, code="no_letters")
    usernames.refuse_reserved(normalized)
    for word in normalized.split():
        usernames.refuse_mixed_scripts(word)
    _refuse_similar(normalized, person)
    return normalized


def display_names() -> dict[str, tuple[str, str]]:
    """Return the id and the display name of each user who has one, by username."""
    profiles = Profile.objects.exclude(display_name="")
    rows = profiles.values_list("person__username", "person_id", "display_name")
    return {username: (str(person_id), name) for username, person_id, name in rows}


def _refuse_similar(name: str, person: User) -> None:
    """Refuse a name with the letters of another user's username or display name."""
    letters = usernames.lookalike_letters(name)
    other_users = User.objects.exclude(pk=person.pk)
    for username, display_name in other_users.values_list("username", "profile__display_name"):
        taken_names = {usernames.lookalike_letters(text) for text in (username, display_name or "")}
        if letters in taken_names:
            raise ValidationError(
                LOOKALIKE_MESSAGE, code="look_alike", params={"name": name, "other": username}
            )
