"""The form by which a person says what became of a change that reading can't tell."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import QueryDict

from flows.flexapi import schema
from flows.forms.fields import VisibleText

NOT_APPLIED, APPLIED = "not_applied", "applied"


class DecisionForm(forms.Form):
    """`verdict`: not_applied, applied, or of a creation the SID of the flow that it created. Where Twilio
    can't be read, a creation's `verdict` can be applied too, with the `sid` of a flow that the user found."""

    when_refused = "Nothing was recorded"  # as the summary of the errors says

    verdict = forms.ChoiceField(
        label="Decide the outcome",
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose an outcome.",
            "invalid_choice": "This choice is no longer available. Choose again.",
        },
    )
    sid = forms.CharField(
        label="SID of the created flow",
        required=False,
        max_length=34,
        help_text="FO and 32 characters, as shown in the Twilio Console.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
    )
    reason = VisibleText(
        label="How you know",
        max_length=200,
        help_text="Explain how you know. Shown in the audit log. Up to 200 characters.",
        error_messages={"required": "Explain how you know: others will rely on it."},
    )

    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        *args: Any,
        candidates: list[str],
        is_creation: bool,
        puzzle: str,
        is_unreadable: bool = False,
        reading: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        shown = json.dumps([is_unreadable, reading or {}], sort_keys=True)
        seen = [puzzle, sorted(candidates), hashlib.sha256(shown.encode()).hexdigest()]
        self.puzzle = signing.dumps(seen, salt="flows.forms.decision")
        self.initial["seen"] = self.puzzle
        field = cast(forms.ChoiceField, self.fields["verdict"])
        if is_creation:
            another = (
                "Mark as applied: it created another flow"
                if candidates
                else "Mark as applied: it created a flow"
            )
            field.choices = [
                *((sid, f"Mark as applied: it created {sid}") for sid in candidates),
                *([(APPLIED, f"{another} (enter its SID below)")] if is_unreadable else []),
                (
                    NOT_APPLIED,
                    "Mark as not applied: none of these"
                    if candidates
                    else "Mark as not applied: it created no flow",
                ),
            ]
        else:
            field.choices = [(APPLIED, "Mark as applied"), (NOT_APPLIED, "Mark as not applied")]
        if not (is_creation and is_unreadable):
            del self.fields["sid"]

    @property
    def named_sid(self) -> str:
        """Of a creation, the flow that it created; else the verdict."""
        verdict = str(self.cleaned_data["verdict"])
        return str(self.cleaned_data["sid"]) if verdict == APPLIED and "sid" in self.fields else verdict

    def clean_sid(self) -> str:
        sid = str(self.cleaned_data["sid"]).strip()
        if self.cleaned_data.get("verdict") != APPLIED:
            return ""
        if not schema.is_sid("FO", sid):
            raise ValidationError(
                f"“{sid}” is not a Flex Flow SID: FO and 32 characters from 0-9 and a-f."
                if sid
                else "Enter the SID of the created flow."
            )
        return sid

    def clean_seen(self) -> str:
        """A word is given on what the person saw: what reading found since has to be looked at first."""
        if _read(self.cleaned_data["seen"]) != _read(self.puzzle):
            self.data = (
                {**self.data.dict(), "seen": self.puzzle} if isinstance(self.data, QueryDict) else self.data
            )
            raise ValidationError(
                "The flow at Twilio has changed since this page was loaded. Check it again, then decide."
            )
        return str(self.cleaned_data["seen"])

    @property
    def error_list(self) -> list[tuple[str, str]]:
        return [(self[name].auto_id, str(said)) for name, errors in self.errors.items() for said in errors]


def _read(token: str) -> object:
    try:
        return signing.loads(token, salt="flows.forms.decision")
    except signing.BadSignature:
        return None
