"""The forms of an erasure: what to erase, and the confirmation of the preview."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField

from flows.core.forms import ReasonField, VisibleTextField, error_summary
from flows.erasure.erasure import MIN_IDENTITY_LENGTH
from flows.erasure.preview import ErasurePreview
from flows.twilio.registry import resources_with_sid

_BOX_NAMES: Final = ("despite_twilio", "despite_open_change")


class SubjectForm(forms.Form):
    """The flow or the contact identity whose data is searched for."""

    subject = VisibleTextField(
        strip_invisible="ends",
        label="SID or contact identity",
        max_length=256,
        help_text="The SID of a flow (FO…), or a number or address such as +14155551234.",
        error_messages={"required": "Enter the SID of a flow or a contact identity."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    when_refused = "Nothing was erased"

    def clean_subject(self) -> str:
        subject = str(self.cleaned_data["subject"]).strip()
        if len(subject) < MIN_IDENTITY_LENGTH:
            raise ValidationError(f"Enter at least {MIN_IDENTITY_LENGTH} characters.")
        return subject

    @property
    def sid(self) -> str:
        """The SID of the flow or of another object, or "" if the subject is an identity."""
        subject = str(self.cleaned_data["subject"])
        return subject if resources_with_sid(subject) else ""

    @property
    def identity(self) -> str:
        return "" if self.sid else str(self.cleaned_data["subject"])

    @property
    def error_list(self) -> list[tuple[str, str]]:
        """The errors for the summary at the top of the page: (id of the field, message)."""
        return error_summary(self)


class ErasureForm(SubjectForm):
    """The confirmation. It asks for what the preview found to stand in the way."""

    subject = VisibleTextField(strip_invisible="ends", widget=forms.HiddenInput, max_length=256)
    confirm = VisibleTextField(
        strip_invisible="ends",
        label="Enter the SID or contact identity again to confirm",
        error_messages={"required": "Enter the SID or contact identity again."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    reason = ReasonField(
        note="Shown in the audit log, for good. It must not contain the data to erase."
    )
    despite_twilio = forms.BooleanField(
        label="Erase it here, although Twilio still has it",
        required=False,
    )
    despite_open_change = forms.BooleanField(
        label="Erase changes with an unknown outcome, too, which someone then decides without it",
        required=False,
    )

    field_order = ["subject", *_BOX_NAMES, "confirm", "reason"]

    def __init__(self, *args: Any, preview: ErasurePreview, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.preview = preview
        if not preview.sids_at_twilio:
            del self.fields["despite_twilio"]
        if not preview.open_changes:
            del self.fields["despite_open_change"]

    @property
    def boxes(self) -> list[BoundField]:
        """The boxes to tick, for what stands in the way."""
        return [self[name] for name in _BOX_NAMES if name in self.fields]

    def clean(self) -> dict[str, Any]:
        super().clean()
        confirm = self.cleaned_data.get("confirm")
        if confirm is not None and confirm.strip() != self.cleaned_data.get("subject"):
            self.add_error("confirm", "This is not what the preview is about. Enter it as shown.")
        if self.preview.sids_at_twilio and not self.cleaned_data.get("despite_twilio"):
            message = "Delete or change it at Twilio first, or tick this box."
            self.add_error("despite_twilio", message)
        if self.preview.open_changes:
            self._check_open_changes()
        return self.cleaned_data

    def _check_open_changes(self) -> None:
        if not self.cleaned_data.get("despite_open_change"):
            message = "Resolve the changes with an unknown outcome first, or tick this box."
            self.add_error("despite_open_change", message)
        elif not self.cleaned_data.get("reason"):
            self.add_error("reason", "Enter a reason, for the user who decides the outcome.")
