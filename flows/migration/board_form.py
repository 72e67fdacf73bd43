"""The filters of the board: an account, a verdict and how far a flow is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django import forms
from django.http import Http404, QueryDict

from flows.accounts.twilio_accounts import Account
from flows.migration.board_progress import Progress
from flows.migration.verdicts import Verdict

VERDICT_LABELS: Final = {
    Verdict.BLOCKED: "Blocked",
    Verdict.BY_HAND: "Needs a step by hand",
    Verdict.UNCERTAIN: "Not known yet",
    Verdict.AUTOMATIC: "Automatic",
}


MAX_SIDS: Final = 50  # as many as an address of the page can name


class BoardForm(forms.Form):
    """The filters of the board. Any of them may be empty.

    `sids` are those of the flows that were started together.
    """

    account = forms.ChoiceField(required=False)
    verdict = forms.ChoiceField(
        required=False, choices=[(verdict.value, VERDICT_LABELS[verdict]) for verdict in Verdict]
    )
    status = forms.ChoiceField(
        required=False, choices=[(progress.value, progress.label) for progress in Progress]
    )

    def __init__(self, data: Mapping[str, Any], accounts: Iterable[Account]) -> None:
        super().__init__(data)
        sids = data.getlist("sid") if isinstance(data, QueryDict) else []
        self.sids = frozenset(sids[:MAX_SIDS])
        self.accounts = {account.sid: account for account in accounts}
        self.fields["account"] = forms.ChoiceField(
            required=False, choices=[(sid, str(each)) for sid, each in self.accounts.items()]
        )
        if not self.is_valid():
            raise Http404("No such filter")

    @property
    def selected_accounts(self) -> list[Account]:
        sid = self.cleaned_data["account"]
        return [self.accounts[sid]] if sid else list(self.accounts.values())

    @property
    def chosen_verdict(self) -> Verdict | None:
        value = self.cleaned_data["verdict"]
        return Verdict(value) if value else None

    @property
    def chosen_progress(self) -> Progress | None:
        value = self.cleaned_data["status"]
        return Progress(value) if value else None

    @property
    def is_filtered(self) -> bool:
        return bool(self.cleaned_data["verdict"] or self.cleaned_data["status"] or self.sids)
