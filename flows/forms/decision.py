"""The form by which a person says what became of a change that reading can't tell."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import QueryDict

from flows.forms.fields import VisibleText

NOT_APPLIED, APPLIED = "not_applied", "applied"


class DecisionForm(forms.Form):
    """`verdict`: not_applied, applied, or of a creation the SID of the flow that it made."""

    verdict = forms.ChoiceField(
        label="What became of it",
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose what became of it.",
            "invalid_choice": "This is not among the choices any more. Look at them again.",
        },
    )
    reason = VisibleText(
        label="How you know",
        max_length=200,
        help_text="For everybody who reads the audit log; 200 characters at most.",
        error_messages={"required": "Say how you know: others will rely on it."},
    )

    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(
        self, *args: Any, candidates: list[str], is_creation: bool, puzzle: str, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.puzzle = signing.dumps([puzzle, sorted(candidates)], salt="flows.forms.decision")
        self.initial["seen"] = self.puzzle
        field = cast(forms.ChoiceField, self.fields["verdict"])
        if is_creation:
            field.choices = [
                *((sid, f"It made {sid}") for sid in candidates),
                (NOT_APPLIED, "It made none of these"),
            ]
        else:
            field.choices = [(APPLIED, "It was carried out"), (NOT_APPLIED, "It was not carried out")]

    def clean_seen(self) -> str:
        """A word is given on what the person saw: what reading found since has to be looked at first."""
        if _read(self.cleaned_data["seen"]) != _read(self.puzzle):
            self.data = (
                {**self.data.dict(), "seen": self.puzzle} if isinstance(self.data, QueryDict) else self.data
            )
            raise ValidationError("What was found at Twilio has changed. Look at it again, then decide.")
        return str(self.cleaned_data["seen"])

    @property
    def error_list(self) -> list[tuple[str, str]]:
        return [(self[name].auto_id, str(said)) for name, errors in self.errors.items() for said in errors]


def _read(token: str) -> object:
    try:
        return signing.loads(token, salt="flows.forms.decision")
    except signing.BadSignature:
        return None
