"""Rules for new passwords in addition to Django's own.

Pages, `add_operator` and `changepassword` use them. Each error is one sentence.
"""

from __future__ import annotations

import unicodedata
from typing import Any, Final

from django.contrib.auth.hashers import check_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

BLANK_MESSAGE: Final = "This password is blank. Enter characters that can be seen."
REPEATED_MESSAGE: Final = "This password repeats “%(part)s”. Choose one that doesn’t repeat itself."  # noqa: RUF001
FEW_CHARACTERS_MESSAGE: Final = (
    "This password has only %(number)s different characters. Use at least %(least)s."
)
USERNAME_MESSAGE: Final = "This password is made of your username. Choose one without it."
CURRENT_MESSAGE: Final = "This is your current password. Choose a different one."
INVISIBLE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
MIN_DIFFERENT_CHARACTERS: Final = 5  # different characters
MAX_CHECKED_CHARACTERS: Final = 200  # characters searched for repetition
MIN_OTHER_CHARACTERS: Final = 6  # letters and digits besides the username
MIN_USERNAME_LENGTH: Final = 3  # characters of a username that is searched for


class CommonWeaknessValidator:
    """Refusal of blank and repetitive passwords, few different characters, and usernames."""

    def validate(self, password: str, user: Any = None) -> None:
        text = _normalize(password)
        letters = "".join(filter(str.isalnum, text))
        if not text.strip():
            raise ValidationError(BLANK_MESSAGE, code="password_blank")
        _refuse_repetition(text, letters)
        _refuse_few_characters(text)
        if user:
            _refuse_username(text, letters, _normalize(user.get_username()))

    def get_help_text(self) -> str:
        return "Your password can’t be blank, repeat itself or be made of your username."  # noqa: RUF001


def validate_new_password(password: str, user: Any) -> None:
    """Raise `ValidationError` unless this may become the user's password.

    The current password is refused, because an administrator may know it.
    """
    refuse_current(password, user)
    validate_password(password, user)


def refuse_current(password: str, user: Any) -> None:
    """Raise `ValidationError` if this is the user's current password."""
    if user.password and check_password(password, user.password):
        raise ValidationError(CURRENT_MESSAGE, code="password_unchanged")


def _refuse_repetition(text: str, letters: str) -> None:
    part = _repeated_part(text) or _repeated_part(letters)
    if part:
        raise ValidationError(REPEATED_MESSAGE, code="password_repeated", params={"part": part})


def _refuse_few_characters(text: str) -> None:
    different = len(set(text))
    if different < MIN_DIFFERENT_CHARACTERS:
        params = {"number": different, "least": MIN_DIFFERENT_CHARACTERS}
        raise ValidationError(FEW_CHARACTERS_MESSAGE, code="password_few_characters", params=params)


def _refuse_username(text: str, letters: str, username: str) -> None:
    """Refuse a password that contains the username and little else."""
    if len(username) < MIN_USERNAME_LENGTH or username not in text:
        return
    other_characters = letters.replace(username, "")
    if len(other_characters) < MIN_OTHER_CHARACTERS:
        raise ValidationError(USERNAME_MESSAGE, code="password_of_username")


def _normalize(text: str) -> str:
    """Return the text without case, compatibility forms and invisible characters."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(filter(_is_visible, folded))


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in INVISIBLE_CATEGORIES


def _repeated_part(text: str) -> str:
    """Return the shortest part that the text repeats at least twice, or "".

    The last repetition may be incomplete.
    """
    text = text[:MAX_CHECKED_CHARACTERS]
    for size in range(1, len(text) // 2 + 1):
        if text.startswith(text[size:]):
            return text[:size]
    return ""
