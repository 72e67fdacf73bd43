"""The keyboard shortcuts, and whether those of a single key are on in this browser.

static/keyboard.js and static/app.js react to the keys. This list is what users read about them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

COOKIE_NAME: Final = "single_keys"  # has the value "off", or is absent
_COOKIE_AGE: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Shortcut:
    """Keys to press together or, in `next_key`, after another, and what they do."""

    keys: tuple[str, ...]
    label: str
    next_key: str = ""
    is_single_key: bool = False  # speech input can press it by accident, so it can be turned off


def _single(key: str, label: str, next_key: str = "") -> Shortcut:
    return Shortcut((key,), label, next_key, is_single_key=True)


SHORTCUTS: Final[dict[str, tuple[Shortcut, ...]]] = {
    "Everywhere": (
        Shortcut(("Ctrl", "K"), "Go to a flow, an event or a page, or start an action"),
        _single("/", "Search"),
        _single("?", "Show the keyboard shortcuts"),
        Shortcut(("Ctrl", "Z"), "Go to the Undo button of the last change"),
        Shortcut(("Esc",), "Close a dialog, or clear the search"),
    ),
    "Lists": (
        _single("j", "Next row"),
        _single("k", "Previous row"),
        Shortcut(("↑", "↓"), "Previous or next row, also from the search box"),
        Shortcut(("Enter",), "Open the row"),
        _single("x", "Select the flow in the row"),
        _single("e", "Edit the flow in the row or on the page"),
    ),
    "Pages": (
        _single("g", "Overview", next_key="o"),
        _single("g", "Flows", next_key="f"),
        _single("g", "Targets", next_key="t"),
        _single("g", "External changes", next_key="e"),
        _single("g", "Bulk changes", next_key="b"),
        _single("g", "Audit log", next_key="l"),
        _single("g", "Users", next_key="u"),
    ),
}


def has_single_keys(request: HttpRequest) -> bool:
    """Return True unless the user turned the shortcuts of a single key off in this browser."""
    return request.COOKIES.get(COOKIE_NAME) != "off"


def store_single_keys(response: HttpResponse, *, is_on: bool) -> None:
    """Let the browser remember whether shortcuts of a single key are on."""
    if is_on:
        response.delete_cookie(COOKIE_NAME, samesite="Lax")
        return
    response.set_cookie(
        COOKIE_NAME,
        "off",
        max_age=_COOKIE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
