"""The form for a new API token."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any, Final

from django import forms
from django.contrib.auth.models import User

from flexadmin.models import ApiToken
from flexadmin.users.api_tokens import NewToken
from flows.accounts import twilio_accounts
from flows.accounts.permissions import scope_of
from flows.core.forms import error_summary

DAYS: Final = {7: "7 days", 30: "30 days", 90: "90 days", 365: "1 year"}
MAX_NETWORKS: Final = 20


class TokenForm(forms.Form):
    """The name, rights, lifetime and limits of a new token."""

    when_refused = "No token was created"  # shown in the error summary

    name = forms.CharField(
        label="Name",
        max_length=60,
        help_text="What the token is for, such as “Nightly export”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Enter a name."},
    )
    scope = forms.ChoiceField(
        label="Access",
        choices=[("", "Choose…"), *ApiToken.Scope.choices],
        help_text="A token never allows more than your role does at the moment of its use.",
        error_messages={"required": "Choose what the token may do."},
    )
    accounts = forms.MultipleChoiceField(
        label="Accounts",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Select none to allow all accounts of your roles.",
    )
    days = forms.TypedChoiceField(
        label="Expires after",
        coerce=int,
        choices=list(DAYS.items()),
        initial=90,
    )
    networks = forms.CharField(
        label="Allowed IP addresses",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "class": "mono"}),
        help_text="Addresses or networks, such as 203.0.113.0/24, one per line. "
        "Leave empty to allow all.",
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        accounts = twilio_accounts.visible_accounts(scope_of(person, "flows.view_flow"))
        if len(twilio_accounts.all_accounts()) > 1:
            choices = [(account.sid, str(account)) for account in accounts]
            self.fields["accounts"].choices = choices  # type: ignore[attr-defined]
        else:
            del self.fields["accounts"]

    def clean_networks(self) -> list[str]:
        """Return the networks in their usual form, such as 203.0.113.0/24."""
        texts = str(self.cleaned_data["networks"]).replace(",", " ").split()
        if len(texts) > MAX_NETWORKS:
            raise forms.ValidationError(f"Enter up to {MAX_NETWORKS} addresses.")
        return [_parse_network(text) for text in texts]

    @property
    def new_token(self) -> NewToken:
        """The token that the valid form describes."""
        data = self.cleaned_data
        return NewToken(
            name=data["name"],
            scope=data["scope"],
            days=data["days"],
            accounts=data.get("accounts", []),
            networks=data["networks"],
        )

    @property
    def error_list(self) -> list[tuple[str, str]]:
        """Return the HTML id of the field and the text of each error, for the summary."""
        return error_summary(self)


def _parse_network(text: str) -> str:
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        raise forms.ValidationError(
            f"“{text[:60]}” is not an IP address or network, such as 203.0.113.0/24."
        ) from None
