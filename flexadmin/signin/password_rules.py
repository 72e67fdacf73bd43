"""Rules for new passwords, beside Django's own: for the pages, `add_operator` and `changepassword` alike. Each refusal
says what is wrong in one sentence."""

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
MIN_DIFFERENT_CHARACTERS: Final = 5  # different characters
MAX_CHECKED_CHARACTERS: Final = 200  # characters of a password that are searched for repetition
MIN_OTHER_CHARACTERS: Final = 6  # characters that have to be left without the username


class CommonWeaknessValidator:
    """Refuse what is blank, repeats itself, has few different characters or is made of the username."""

    def validate(self, password: str, user: Any = None) -> None:
        text = _normalize(password)
        letters = "".join(one for one in text if one.isalnum())
        if not text.strip():
            raise ValidationError(BLANK_MESSAGE, code="password_blank")
        for spelling in (text, letters):
            if part := _repeated_part(spelling):
                raise ValidationError(
                    REPEATED_MESSAGE, code="password_repeated", params={"part": part}
                )
        different = len(set(text))
        if different < MIN_DIFFERENT_CHARACTERS:
            params = {"number": different, "least": MIN_DIFFERENT_CHARACTERS}
            raise ValidationError(
                FEW_CHARACTERS_MESSAGE, code="password_few_characters", params=params
            )
        name = _normalize(user.get_username()) if user else ""
        if (
            len(name) >= 3
            and name in text
            and len(letters.replace(name, "")) < MIN_OTHER_CHARACTERS
        ):
            raise ValidationError(USERNAME_MESSAGE, code="password_of_username")

    def get_help_text(self) -> str:
        return "Your password can’t be blank, repeat itself or be made of your username."  # noqa: RUF001


def validate_new_password(password: str, user: Any) -> None:
    """Raise `ValidationError` unless this may become the user's password: also if it is the present one, which an
    administrator may know."""
    refuse_current(password, user)
    validate_password(password, user)


def refuse_current(password: str, user: Any) -> None:
    """Raise `ValidationError` if the user has this password already."""
    if user.password and check_password(password, user.password):
        raise ValidationError(CURRENT_MESSAGE, code="password_unchanged")


def _normalize(text: str) -> str:
    """The text in one spelling: no case, no compatibility forms, no characters that can't be seen."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(
        one for one in folded if unicodedata.category(one) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )


def _repeated_part(text: str) -> str:
    """The shortest part that the text is made of, at least twice over; its last turn may be cut short. Empty: none."""
    text = text[:MAX_CHECKED_CHARACTERS]
    for size in range(1, len(text) // 2 + 1):
        if text.startswith(text[size:]):
            return text[:size]
    return ""
