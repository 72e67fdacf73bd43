"""The fields of local details: their names, labels and limits, and the values that they accept."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from flows.core.invisible import strip_invisible, trim_invisible
from flows.core.normalization import normalize_text
from flows.redaction.masking import redact_note, replace_unstorable
from flows.redaction.redacted import Redacted, redact_fields

LABELS: Final = {"owner": "Owner", "tags": "Tags", "note": "Note"}
MAX_OWNER_LENGTH: Final = 60  # characters
MAX_TAGS: Final = 10  # of one flow
MAX_TAG_LENGTH: Final = 30  # characters
MAX_NOTE_LENGTH: Final = 1000  # characters
MAX_FOLDED_LENGTH: Final = 200  # characters that PostgreSQL can index in any script
NO_VALUE: Final = "none"  # in filters, flows without an owner or without a tag


class InvalidDetail(ValueError):
    """A value that an owner, a tag or a note can't have. The message is for the user."""


@dataclass(frozen=True, slots=True)
class Details:
    """The owner, tags and note of one flow. Tags are in alphabetical order."""

    owner: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """Return the details with these values by name, such as those of an event's payload."""
        tags = tuple(map(str, values.get("tags") or ()))
        return cls(str(values.get("owner") or ""), tags, str(values.get("note") or ""))

    def as_values(self) -> Redacted:
        """Return the values by name, as an event's payload has them."""
        return redact_fields({**asdict(self), "tags": list(self.tags)})

    def __bool__(self) -> bool:
        return bool(self.owner or self.tags or self.note)


def clean_owner(text: str) -> str:
    """Return an owner without extra white space. Raises `InvalidDetail`."""
    owner = _clean_line(text)
    if len(owner) > MAX_OWNER_LENGTH:
        raise InvalidDetail(f"An owner can have {MAX_OWNER_LENGTH} characters at most.")
    if owner and not fold(owner):
        raise InvalidDetail("Enter an owner with letters or digits.")
    if fold(owner) == NO_VALUE:
        raise InvalidDetail("Leave the owner empty if the flow has none.")
    _check_without_secret("owner", owner)
    return owner


def tag_limit(current: Details) -> int:
    """Return how many tags a flow can have. One that has too many already can keep as many."""
    return max(MAX_TAGS, len(current.tags))


def clean_tags(text: str, limit: int = MAX_TAGS) -> tuple[str, ...]:
    """Return the distinct tags of a text, in which commas separate them. Raises `InvalidDetail`."""
    tags = sort_tags(filter(None, map(clean_tag, text.split(","))))
    if len(tags) > limit:
        raise InvalidDetail(f"A flow can have {MAX_TAGS} tags at most. You entered {len(tags)}.")
    return tags


def clean_tag(text: str) -> str:
    """Return one tag in lower case, without any # at its start. Raises `InvalidDetail`."""
    tag = _clean_line(text).lstrip("# ").strip().lower()
    if "," in tag:
        raise InvalidDetail("A tag can't contain a comma.")
    if len(tag) > MAX_TAG_LENGTH:
        raise InvalidDetail(
            f"“{tag[:40]}” is too long. A tag can have {MAX_TAG_LENGTH} characters."
        )
    if tag == NO_VALUE:
        raise InvalidDetail("“none” can't be a tag. Leave the tags empty if the flow has none.")
    _check_without_secret("tags", tag)
    return tag


def clean_note(text: str) -> str:
    """Return a note with its secrets masked. Raises `InvalidDetail`.

    Masks can be longer than the secrets. The note has to be short enough with them as well.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    note = trim_invisible(replace_unstorable(lines))
    if len(note) > MAX_NOTE_LENGTH:
        raise InvalidDetail(
            f"A note can have {MAX_NOTE_LENGTH:,} characters at most. This one has {len(note):,}."
        )
    masked = mask_note(note)
    if len(masked) > MAX_NOTE_LENGTH:
        raise InvalidDetail(
            f"A note can have {MAX_NOTE_LENGTH:,} characters at most. "
            f"With its secrets masked, this one has {len(masked):,}."
        )
    return masked


def mask_note(note: str) -> str:
    """Return a note with its secrets masked, as those of a reason are."""
    return str(redact_fields({"note": redact_note(note)})["note"])


def sort_tags(tags: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(tags)))


def fold(text: str) -> str:
    """Return an owner as filters compare it."""
    return normalize_text(text)[:MAX_FOLDED_LENGTH]


def join_tags(tags: Iterable[str]) -> str:
    """Return tags as a form has them."""
    return ", ".join(tags)


def display_value(name: str, value: Any) -> str:
    """Return a value as pages show it: tags as text, other values as they are."""
    return join_tags(map(str, value)) if name == "tags" and value else str(value or "")


def changed_names(first: Details, second: Details) -> list[str]:
    """Return the names of the fields with different values, in the order of `LABELS`."""
    return [name for name in LABELS if getattr(first, name) != getattr(second, name)]


def _clean_line(text: str) -> str:
    """Return a text without invisible characters, and with single spaces."""
    composed = unicodedata.normalize("NFC", replace_unstorable(text))
    return " ".join(strip_invisible(composed).split())


def _check_without_secret(name: str, text: str) -> None:
    """Raise `InvalidDetail` for a secret. Owners and tags are filters and stand in addresses."""
    stored = redact_fields({name: [redact_note(text)]})[name]
    if stored != [text]:
        raise InvalidDetail(f"“{LABELS[name]}” contains a secret, or looks like it does.")
