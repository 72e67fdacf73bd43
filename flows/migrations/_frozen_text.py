"""Text as searches compared it when migrations stored it. It must not change with the site."""

from __future__ import annotations

import unicodedata

CHARACTERS = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "æ": "ae",
        "œ": "oe",
        "\u0131": "i",
        "\x00": None,
    }
    | dict.fromkeys("\u2010\u2012\u2013\u2014\u2015\u2212", "-")
    | dict.fromkeys("\u2018\u2019\u02bc", "'")
)


def normalize_text(text: str) -> str:
    """Return a text without case, accents and invisible characters, as of November 2026."""
    decomposed = unicodedata.normalize("NFKD", text).casefold().translate(CHARACTERS)
    visible = [letter for letter in decomposed if unicodedata.category(letter) not in ("Mn", "Cf")]
    return " ".join("".join(visible).split())
