"""The form that suppresses a finding."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any, Final, Self

from django import forms

from flows.changes.forms.reason import ReasonForm
from flows.checks.findings import Finding
from flows.checks.suppressions import DEFAULT_PERIOD, MAX_PERIOD, today
from flows.core.forms import ReasonField

DATE_FORMAT: Final = "%Y-%m-%d"


class SuppressionForm(ReasonForm):
    """Accepts a finding until a day, for a reason."""

    when_refused = "Nothing was changed"  # for the summary of errors
    refers_to = None  # type: ignore[assignment]  # nothing to restore or revert

    seen = forms.CharField(widget=forms.HiddenInput, required=False)  # digests of the findings
    until = forms.DateField(
        label="Until",
        input_formats=[DATE_FORMAT],
        widget=forms.DateInput(format=DATE_FORMAT, attrs={"type": "date"}),
        help_text="The last day, in UTC. Afterwards the finding is shown again. At most a year.",
        error_messages={
            "required": "Enter the last day.",
            "invalid": "Enter a date such as 2027-01-31.",
        },
    )
    reason = ReasonField(
        required=True,
        note="Why it is fine as it is. Shown in the audit log and with the finding.",
        error_messages={"required": "Enter a reason."},
    )
    field_order = ["until", "reason"]

    def __init__(self, *args: Any, findings: Iterable[Finding], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.findings = list(findings)
        self.initial = {
            "seen": self._digests,
            "until": today() + DEFAULT_PERIOD,
            "change_id": uuid.uuid4(),
            **self.initial,
        }

    @property
    def has_other_findings(self) -> bool:
        """True if the flow has other findings than those that the user saw."""
        return bool(self.cleaned_data["seen"] != self._digests)

    @property
    def _digests(self) -> str:
        return " ".join(each.digest for each in self.findings)

    def reopen(self) -> Self:
        """Return the form with the same input for the findings as they are now."""
        data = {**self._renewed_data(), "seen": self._digests}
        return type(self)(data, findings=self.findings)

    def clean_until(self) -> date:
        until: date = self.cleaned_data["until"]
        if until < today():
            raise forms.ValidationError("This day has passed. Enter today or a later day.")
        if until > today() + MAX_PERIOD:
            raise forms.ValidationError("This is more than a year from now.")
        return until
