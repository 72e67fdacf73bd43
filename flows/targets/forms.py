"""The filters of the list of targets."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from flows.accounts import twilio_accounts
from flows.core.normalization import normalize_text
from flows.mirror.targets import TargetKind
from flows.targets.listing import SORTS, TargetQuery

MAX_PAGE: Final = 100_000
_KINDS: Final = [
    (TargetKind.STUDIO_FLOW, "Studio Flows"),
    (TargetKind.WEBHOOK, "Webhook hosts"),
    (TargetKind.WORKFLOW, "Workflows"),
    (TargetKind.WORKSPACE, "Workspaces"),
    (TargetKind.TASK_CHANNEL, "Task channels"),
    (TargetKind.CHAT_SERVICE, "Chat services"),
    (TargetKind.IDENTITY, "Contact identities"),
]


class TargetFilterForm(forms.Form):
    """The parameters of the list's URL. An invalid one is shown, and the list stays empty."""

    q = forms.CharField(required=False, max_length=256)
    kind = forms.ChoiceField(required=False, choices=[("", "Any kind"), *_KINDS])
    account = forms.ChoiceField(required=False)
    use = forms.ChoiceField(required=False, choices=[("", "In use"), ("none", "Not in use")])
    sort = forms.ChoiceField(
        label="Order",
        required=False,
        choices=[
            ("", "Most used first"),
            *((name, name) for key in SORTS for name in (key, f"-{key}")),
        ],
    )
    page = forms.IntegerField(required=False, min_value=1, max_value=MAX_PAGE)

    def __init__(self, data: Any, scope: twilio_accounts.Scope) -> None:
        super().__init__(data)
        self._scope = scope
        accounts = twilio_accounts.visible_accounts(scope)
        self.has_accounts = len(accounts) > 1
        choices = [("", "Any account"), *((account.sid, str(account)) for account in accounts)]
        self.fields["account"] = forms.ChoiceField(required=False, choices=choices)
        for field in self.fields.values():
            field.error_messages["invalid_choice"] = "“%(value)s” is not one of the choices."

    def clean_q(self) -> str:
        text: str = self.cleaned_data["q"]
        if text and not normalize_text(text):
            raise forms.ValidationError("The search has no visible characters.")
        return text

    def query(self) -> TargetQuery:
        """Return the query of a valid form."""
        values = self.cleaned_data
        return TargetQuery(
            q=values["q"],
            kind=values["kind"],
            account=values["account"],
            is_unused=values["use"] == "none",
            sort=values["sort"],
            page=values["page"] or 1,
            scope=self._scope,
        )
