"""The form that tests the webhook of a flow."""

from __future__ import annotations

import uuid
from typing import Any, Final, Self

from django import forms

from flows.changes.forms.reason import ReasonForm
from flows.core.forms import VisibleTextField
from flows.webhook_tests.payload import DEFAULT_TEXT

MAX_TEXT_LENGTH: Final = 500  # characters


class WebhookTestForm(ReasonForm):
    """The text of a test message. `url_digest` stands for the webhook that the user saw."""

    when_refused = "Nothing was sent"  # for the summary of errors
    refers_to = None  # type: ignore[assignment]  # nothing to restore or revert

    text = VisibleTextField(
        label="Message text",
        max_length=MAX_TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=f"Posted as Body. Up to {MAX_TEXT_LENGTH} characters. Secrets are masked in the audit log.",
        error_messages={"required": "Enter a message text."},
    )
    url_digest = forms.CharField(widget=forms.HiddenInput, required=False)
    field_order = ["text", "reason"]

    def __init__(self, *args: Any, url_digest: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {
            "text": DEFAULT_TEXT,
            "url_digest": url_digest,
            "change_id": uuid.uuid4(),
            **self.initial,
        }

    def clean_text(self) -> str:
        """Return the text with the line breaks that a message has."""
        return str(self.cleaned_data["text"]).replace("\r\n", "\n").replace("\r", "\n")

    def reopen(self) -> Self:
        return type(self)(self._renewed_data(), url_digest=str(self.data.get("url_digest", "")))

    def reopen_for(self, url_digest: str) -> Self:
        """Return the form with the same input for another webhook."""
        data = {**self._renewed_data(), "url_digest": url_digest}
        return type(self)(data, url_digest=url_digest)
