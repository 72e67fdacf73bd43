"""Rules for new usernames, wherever they come from: the log's own names are reserved, no name mixes alphabets, and none
looks like another user's. A name that a provider of single sign-on gives against them becomes a neutral one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from confusable_homoglyphs import categories
from confusable_homoglyphs.confusables import confusables_data
from django.contrib.auth.models import User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError

LONGEST: Final = 150  # characters, as Django has it
# What the log, its pages and its exports call those who act without being users, and words that read as if they were.
RESERVED: Final = (
    "reconciliation", "reconcile", "system", "thesystem", "nobody", "nobodyhere", "nobodysignedin", "anonymous", "none",
    "commandline", "cli", "singlesignon", "sso", "oidc", "outsidethisdashboard", "dashboard", "thisdashboard", "site",
    "twilio", "flex", "auditlog", "someone", "somebody", "deleted", "unknown", "unknownusername", "notsignedin",
    "anamethatnobodyhas", "worker", "dbworker",
)  # fmt: skip
# Alphabets that one language writes together.
TOGETHER: Final = (
    {"HAN", "HIRAGANA", "KATAKANA"}, {"HAN", "HANGUL"}, {"HAN", "BOPOMOFO"},
)  # fmt: skip
IS_RESERVED: Final = "“%(name)s” is reserved for the audit log. Choose another name."
IS_MIXED: Final = "“%(name)s” mixes alphabets (%(scripts)s). Use only one."
IS_LIKE: Final = "“%(name)s” looks too similar to the user “%(other)s”. Choose a different name."
IS_TAKEN: Final = "A user named “%(other)s” already exists. Choose another name."


def validate_new_username(name: str) -> str:
    """Return the name in Django's spelling; `ValidationError` says what is wrong with it, in one sentence."""
    spelled = User.normalize_username(name)
    UnicodeUsernameValidator()(spelled)
    look = _look(spelled)
    if "".join(one for one in look if one.isalnum()) in RESERVED:
        raise ValidationError(IS_RESERVED, code="reserved", params={"name": spelled})
    scripts = _scripts(spelled)
    if len(scripts) > 1 and not any(scripts <= allowed for allowed in TOGETHER):
        listed = ", ".join(sorted(script.capitalize() for script in scripts))
        raise ValidationError(IS_MIXED, code="mixed", params={"name": spelled, "scripts": listed})
    for other in User.objects.values_list("username", flat=True).iterator():
        if other.casefold() == spelled.casefold():
            raise ValidationError(IS_TAKEN, code="taken", params={"other": other})
        if _look(other) == look:
            raise ValidationError(IS_LIKE, code="look_alike", params={"name": spelled, "other": other})
    return spelled


def name_for_sso(suggested: Iterable[object], tie: str) -> str:
    """The first of the names that a provider suggests which a user here may have, else a neutral one, made from the
    tie."""
    for name in suggested:
        try:
            return _valid(str(name or ""))
        except ValidationError:
            continue
    digest = hashlib.sha256(tie.encode()).hexdigest()
    lengths = range(8, len(digest) + 1, 4)
    names = [f"sso-user-{digest[:length]}" for length in lengths]
    taken = set(User.objects.filter(username__in=names).values_list("username", flat=True))
    return next(name for name in names if name not in taken)


def _valid(name: str) -> str:
    if not name or len(User.normalize_username(name)) > LONGEST:
        raise ValidationError("", code="length")
    return validate_new_username(name)


def _scripts(name: str) -> set[str]:
    """The alphabets of its letters; digits, marks and what all alphabets share aside."""
    return {str(script) for script in categories.unique_aliases(name)} - {"COMMON", "INHERITED"}


def _look(name: str) -> str:
    """The name as it looks: letters that can be taken for plain Latin ones become those, small and capital are one."""
    return "".join(map(_plain, name)).casefold()


def _plain(letter: str) -> str:
    if letter.isascii():
        return letter
    alike = (str(one["c"]) for one in confusables_data.get(letter, []))
    return next((one for one in alike if one.isascii()), letter)
