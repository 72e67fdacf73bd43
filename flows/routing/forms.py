"""The form of the routing page: which message, in which account."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from flows.accounts.twilio_accounts import Account
from flows.checks.contact_identity import to_identity
from flows.core.forms import error_summary
from flows.core.invisible import strip_invisible
from flows.routing.questions import ADDRESS_TYPES, Direction, Question
from flows.twilio.flex.flex_flow import CHANNEL_TYPES

IDENTITY_MAX: Final = 200
PREFIXES: Final = {"whatsapp": "whatsapp:", "facebook": "messenger:"}
DIRECTIONS: Final = (
    (Direction.INBOUND.value, "Message from a customer"),
    (Direction.OUTBOUND.value, "Message to a customer"),
)


class RoutingForm(forms.Form):
    """A message: its channel, the number or other address of yours, and its direction."""

    account = forms.ChoiceField(required=False, label="Account")
    channel = forms.ChoiceField(
        choices=[(channel, CHANNEL_TYPES[channel]) for channel in ADDRESS_TYPES], label="Channel"
    )
    identity = forms.CharField(
        required=False,
        max_length=IDENTITY_MAX,
        label="Your number, sender or page",
        help_text="Such as +14155551234, or the ID of a Messenger page. Web chat needs none.",
    )
    direction = forms.ChoiceField(required=False, choices=DIRECTIONS, label="Direction")

    def __init__(self, data: Any, accounts: Iterable[Account]) -> None:
        super().__init__(data)
        self.accounts = {account.sid: account for account in accounts}
        choices = [("", "Any account"), *((sid, str(each)) for sid, each in self.accounts.items())]
        self.fields["account"] = forms.ChoiceField(required=False, choices=choices, label="Account")

    @property
    def has_choice_of_account(self) -> bool:
        return len(self.accounts) > 1

    def clean_identity(self) -> str:
        return strip_invisible(self.cleaned_data["identity"]).strip()

    def clean_direction(self) -> str:
        direction: str = self.cleaned_data["direction"]
        return direction or Direction.INBOUND.value

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = self.cleaned_data
        channel, direction = data.get("channel"), data.get("direction")
        if channel == "web":
            if direction == Direction.OUTBOUND.value:
                self.add_error("direction", "A web chat is always started by the customer.")
        elif channel and not data.get("identity"):
            error = ValidationError("Enter the number or address that you ask about.")
            self.add_error("identity", error)
        return data

    @property
    def error_list(self) -> list[tuple[str, str]]:
        return error_summary(self) if self.is_bound else []

    def question(self) -> Question:
        """Return the question of a valid form."""
        channel = self.cleaned_data["channel"]
        text: str = self.cleaned_data["identity"]
        direction = Direction(self.cleaned_data["direction"])
        return Question(channel, _to_identity(channel, text), direction)

    def selected_accounts(self) -> list[Account]:
        sid = self.cleaned_data.get("account")
        return [self.accounts[sid]] if sid else list(self.accounts.values())


def _to_identity(channel: str, text: str) -> str:
    """Return a number or a page's ID as its channel writes it, or the text if it is neither."""
    if channel == "web":
        return ""
    prefix = PREFIXES.get(channel, "")
    if prefix and not text.lower().startswith(prefix):
        text = prefix + text
    return to_identity(channel, text) or text
