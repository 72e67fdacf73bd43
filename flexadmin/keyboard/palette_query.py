"""What a user typed into the palette, and the options that it offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.safestring import SafeString

from flexadmin.http.context_processors import Permissions, Restrictions
from flows.audit.access import Request, current_page_url
from flows.core.normalization import normalize_text, split_terms

_NO_NOTE: Final = SafeString("")


@dataclass(frozen=True, slots=True)
class Option:
    """One line of the palette. It opens `url`, or submits `form_data` to it.

    `busy_label` replaces the label while a form is being sent. A form without one is a download.
    """

    label: SafeString
    url: str
    note: SafeString = _NO_NOTE  # shown after the label
    form_data: Mapping[str, str] | None = None
    busy_label: str = ""


@dataclass
class PaletteQuery:
    """The text of the palette, its user, and the page that they opened it on."""

    request: Request
    text: str

    @cached_property
    def words(self) -> list[str]:
        """The normalized words of the text."""
        return split_terms(self.text) if normalize_text(self.text) else []

    def matches(self, text: str) -> bool:
        """Return True if each word of the query is the start of a word in this text."""
        words = normalize_text(text).split()
        return all(any(word.startswith(beginning) for word in words) for beginning in self.words)

    @cached_property
    def page(self) -> ResolverMatch | None:
        """The view and the arguments of the page, or None if it isn't known."""
        try:
            return resolve(current_page_url(self.request).path)
        except Resolver404:
            return None

    @property
    def page_query(self) -> str:
        """The query string of the page."""
        return current_page_url(self.request).query

    def has_perm(self, permission: str, account_sid: str) -> bool:
        """Return True if the user has this permission, and its operation is available.

        With "" for the account, one of the user's accounts is enough.
        """
        permissions = Permissions(self.request.user, account_sid, self._restrictions)
        app, _, name = permission.partition(".")
        return permissions[app][name]

    @cached_property
    def _restrictions(self) -> Restrictions:
        return Restrictions(self.request, None)
