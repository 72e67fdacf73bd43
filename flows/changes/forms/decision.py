"""The form for a user's decision about a change that reading can't resolve."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, cast

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import QueryDict

from flows.core.forms import ReasonField, error_summary
from flows.twilio.resource import Resource

NOT_APPLIED, APPLIED = "not_applied", "applied"
FINDINGS_SALT = "flows.forms.decision"
_CHANGE_CHOICES: Final = (  # the verdicts about an update or a deletion
    (APPLIED, "Mark as applied"),
    (NOT_APPLIED, "Mark as not applied"),
)


class DecisionForm(forms.Form):
    """The decision, and how the user knows.

    `verdict` is not_applied, applied, or the SID of the flow that a creation made. Where Twilio
    can't be read, or has no list, the `verdict` of a creation can be applied too, with the `sid`.
    """

    when_refused = "Nothing was recorded"  # for the summary of errors

    verdict = forms.ChoiceField(
        label="Decide the outcome",
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose an outcome.",
            "invalid_choice": "This choice is no longer available. Choose again.",
        },
    )
    sid = forms.CharField(
        required=False,
        max_length=34,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}
        ),
    )
    reason = ReasonField(
        label="How you know",
        required=True,
        note="Explain how you know. Shown in the audit log.",
        error_messages={"required": "Explain how you know: others will rely on it."},
    )

    # A digest of the findings that the page showed, signed.
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        *args: Any,
        resource: Resource,
        candidates: list[str],
        is_creation: bool,
        ambiguity: str,
        may_be_unlisted: bool = False,
        is_unreadable: bool = False,
        reading: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.resource = resource
        sid_field, prefix = self.fields["sid"], resource.sid_prefix
        sid_field.label = f"SID of the created {resource.noun}"
        sid_field.help_text = f"{prefix} and 32 characters, as shown in the Twilio Console."
        content = json.dumps([is_unreadable, reading or {}], sort_keys=True)
        digest = hashlib.sha256(content.encode()).hexdigest()
        self.findings_token = signing.dumps(
            [ambiguity, sorted(candidates), digest], salt=FINDINGS_SALT
        )
        self.initial["seen"] = self.findings_token
        verdict_field = cast(forms.ChoiceField, self.fields["verdict"])
        choices = list(_CHANGE_CHOICES)
        if is_creation:
            choices = _creation_choices(resource, candidates, may_be_unlisted)
        verdict_field.choices = choices
        self.verdicts = [verdict for verdict, _ in choices]
        is_sid_needed = is_creation and may_be_unlisted
        if not is_sid_needed:
            del self.fields["sid"]

    @property
    def created_sid(self) -> str:
        """The SID of the flow that an applied creation made. Otherwise it is the verdict."""
        verdict = str(self.cleaned_data["verdict"])
        if verdict == APPLIED and "sid" in self.fields:
            return str(self.cleaned_data["sid"])
        return verdict

    def clean_sid(self) -> str:
        """Check the SID of an applied creation; ignore it with any other verdict."""
        sid = str(self.cleaned_data["sid"]).strip()
        if self.cleaned_data.get("verdict") != APPLIED:
            return ""
        if not sid:
            raise ValidationError(f"Enter the SID of the created {self.resource.noun}.")
        if not self.resource.is_sid(sid):
            title, prefix = self.resource.title, self.resource.sid_prefix
            raise ValidationError(
                f"“{sid}” is not a {title} SID: {prefix} and 32 characters from 0-9 and a-f."
            )
        return sid

    def clean_seen(self) -> str:
        """Refuse a decision that rests on older findings than the current ones."""
        shown_findings = str(self.cleaned_data["seen"])
        if _load_token(shown_findings) != _load_token(self.findings_token):
            if isinstance(self.data, QueryDict):
                self.data = {**self.data.dict(), "seen": self.findings_token}
            raise ValidationError(
                f"The {self.resource.noun} at Twilio has changed since this page was loaded. "
                "Check it again, then decide."
            )
        return shown_findings

    @property
    def error_list(self) -> list[tuple[str, str]]:
        """The errors for the summary at the top of the page: (id of the field, message)."""
        return error_summary(self)


def _creation_choices(
    resource: Resource, candidates: list[str], may_be_unlisted: bool
) -> list[tuple[str, str]]:
    """Return the verdicts about a creation: each candidate, another object, or not applied."""
    choices = [(sid, f"Mark as applied: it created {sid}") for sid in candidates]
    if may_be_unlisted:
        created = f"another {resource.noun}" if candidates else resource.noun_with_article
        choices.append((APPLIED, f"Mark as applied: it created {created} (enter its SID below)"))
    not_applied = "none of these" if candidates else f"it created no {resource.noun}"
    choices.append((NOT_APPLIED, f"Mark as not applied: {not_applied}"))
    return choices


def _load_token(token: str) -> object:
    try:
        return signing.loads(token, salt=FINDINGS_SALT)
    except signing.BadSignature:
        return None
