"""Rules for new usernames, from forms, commands and single sign-on.

Names that the audit log uses for itself are reserved. A name uses one alphabet and doesn't look
like another user's name. An SSO user whose name breaks these rules gets a neutral one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from confusable_homoglyphs import categories
from confusable_homoglyphs.confusables import confusables_data
from django.contrib.auth.models import User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError

MAX_USERNAME_LENGTH: Final = 150  # characters, Django's own limit
# Labels of actors in the log, its pages and its exports that aren't users, and similar words.
RESERVED_NAMES: Final = (
    "reconciliation", "reconcile", "system", "thesystem", "nobody", "nobodyhere",
    "nobodysignedin", "anonymous", "none", "commandline", "cli", "singlesignon", "sso", "oidc",
    "outsidethisdashboard", "dashboard", "thisdashboard", "site", "twilio", "flex", "auditlog",
    "someone", "somebody", "deleted", "unknown", "unknownusername", "notsignedin", "anamethatnobodyhas",
    "worker", "dbworker",
)  # fmt: skip
# Alphabets that one language uses together.
COMBINABLE_SCRIPTS: Final = (
    {"HAN", "HIRAGANA", "KATAKANA"}, {"HAN", "HANGUL"}, {"HAN", "BOPOMOFO"},
)  # fmt: skip
RESERVED_MESSAGE: Final = "“%(name)s” is reserved for the audit log. Choose another name."
MIXED_SCRIPTS_MESSAGE: Final = "“%(name)s” mixes alphabets (%(scripts)s). Use only one."
LOOKALIKE_MESSAGE: Final = (
    "“%(name)s” looks too similar to the user “%(other)s”. Choose a different name."
)
TAKEN_MESSAGE: Final = "A user named “%(other)s” already exists. Choose another name."


def validate_new_username(name: str) -> str:
    """Return the name as Django normalizes it, or raise `ValidationError` with one sentence."""
    normalized = User.normalize_username(name)
    UnicodeUsernameValidator()(normalized)
    refuse_reserved(normalized)
    refuse_mixed_scripts(normalized)
    _refuse_similar(normalized)
    return normalized


def choose_sso_username(suggested: Iterable[object], uid: str) -> str:
    """Return the first suggested name that is valid here, or a neutral one.

    The neutral name is derived from the SSO identity.
    """
    for name in suggested:
        try:
            return _validate_sso_username(str(name or ""))
        except ValidationError:
            continue
    return _neutral_username(uid)


def _neutral_username(uid: str) -> str:
    """Return a name from the digest of an SSO identity, as short as no other user has it."""
    digest = hashlib.sha256(uid.encode()).hexdigest()
    lengths = range(8, len(digest) + 1, 4)
    names = [f"sso-user-{digest[:length]}" for length in lengths]
    used_names = set(User.objects.filter(username__in=names).values_list("username", flat=True))
    return next(name for name in names if name not in used_names)


def lookalike_letters(name: str) -> str:
    """Return the letters and digits of a name. Names that look alike have the same."""
    return "".join(filter(str.isalnum, _skeleton(name)))


def refuse_reserved(name: str) -> None:
    """Raise `ValidationError` for a label that the audit log uses for itself."""
    if lookalike_letters(name) in RESERVED_NAMES:
        raise ValidationError(RESERVED_MESSAGE, code="reserved", params={"name": name})


def refuse_mixed_scripts(name: str) -> None:
    """Raise `ValidationError` for a name with letters of alphabets that no language combines."""
    scripts = _scripts(name)
    if len(scripts) <= 1 or any(scripts <= allowed for allowed in COMBINABLE_SCRIPTS):
        return
    labels = ", ".join(map(str.capitalize, sorted(scripts)))
    raise ValidationError(
        MIXED_SCRIPTS_MESSAGE, code="mixed", params={"name": name, "scripts": labels}
    )


def _refuse_similar(name: str) -> None:
    """Refuse a name that differs from a user's only in case, or looks like it."""
    skeleton = _skeleton(name)
    for other in User.objects.values_list("username", flat=True).iterator():
        if other.casefold() == name.casefold():
            raise ValidationError(TAKEN_MESSAGE, code="taken", params={"other": other})
        if _skeleton(other) == skeleton:
            raise ValidationError(
                LOOKALIKE_MESSAGE, code="look_alike", params={"name": name, "other": other}
            )


def _validate_sso_username(name: str) -> str:
    if not name or len(User.normalize_username(name)) > MAX_USERNAME_LENGTH:
        raise ValidationError("", code="length")
    return validate_new_username(name)


def _scripts(name: str) -> set[str]:
    """Return the alphabets of a name's letters, without digits, marks and shared characters."""
    scripts: set[str] = categories.unique_aliases(name)
    return scripts - {"COMMON", "INHERITED"}


def _skeleton(name: str) -> str:
    """Return the name in lower case, with lookalike letters replaced by plain Latin ones."""
    return "".join(map(_ascii_lookalike, name)).casefold()


def _ascii_lookalike(letter: str) -> str:
    """Return the first ASCII character that a letter can be confused with, or the letter itself."""
    if letter.isascii():
        return letter
    lookalikes = [str(entry["c"]) for entry in confusables_data.get(letter, [])]
    return next((lookalike for lookalike in lookalikes if lookalike.isascii()), letter)
