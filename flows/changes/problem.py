"""The box with an error or a warning that a page, or the API, shows for a change or a read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A failure or a refusal as a page shows it. `level` is error or warning."""

    title: str
    text: str
    advice: str = ""
    code: int | None = None
    status: int | None = None
    request_id: str = ""
    more_info: str = ""
    level: str = "error"
    is_conflict: bool = False  # the flow differs from what the form showed
    # The form's field that shows the rest of the message, with Twilio's text and code.
    field_id: str = ""
    field_label: str = ""
    notice: str = ""  # the account's notice, which full pages already show at the top
    # A page of this site that says more.
    url: str = ""
    url_label: str = ""
