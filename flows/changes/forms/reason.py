"""The fields of every change, and the small forms that turn a flow on or off and delete it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final, Self

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError

from flows.core.forms import ReasonField, error_summary
from flows.core.invisible import visible_text
from flows.twilio.cleaning import to_text

CONFIRMED_SALT: Final = "flows.forms.shown"
# The fields on the page of a deletion. If one of them has changed since, nothing is deleted.
CONFIRMED_FIELDS: Final = ("friendly_name", "channel_type", "contact_identity", "enabled")


class ReasonForm(forms.Form):
    """The fields of every change: a reason, and the id that makes a double click one change."""

    reason = ReasonField()
    change_id = forms.UUIDField(widget=forms.HiddenInput)
    # The event whose state this change restores, or which it reverts.
    refers_to = forms.UUIDField(widget=forms.HiddenInput, required=False)

    @property
    def error_list(self) -> list[tuple[str, str]]:
        """The errors for the summary at the top of the page: (id of the field, message)."""
        return error_summary(self)

    def reopen(self) -> Self:
        """Return the form with the same input and a new `change_id`, for another try."""
        return type(self)(self._renewed_data())

    def _renewed_data(self) -> dict[str, Any]:
        return {name: self.data[name] for name in self.data} | {"change_id": str(uuid.uuid4())}


class EnabledForm(ReasonForm):
    """Turn a flow on or off."""

    reason = ReasonField(
        examples="“Christmas holidays” or “Back from holidays”",
        note="Shown in the audit log and on the flow's page.",
    )
    enabled = forms.TypedChoiceField(
        choices=[("true", "On"), ("false", "Off")],
        coerce=lambda value: value == "true",
        widget=forms.HiddenInput,
    )


class DeleteForm(ReasonForm):
    """Delete a flow after the user has entered its name.

    Its SID works as well, because not every name can be typed on every keyboard.
    """

    confirm_name = forms.CharField(
        label="Enter the flow's name or SID to confirm",
        strip=False,
        error_messages={"required": "Enter the flow's name."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    # The flow as the page showed it, signed.
    base = forms.CharField(widget=forms.HiddenInput, required=False)
    field_order = ["confirm_name", "reason"]

    def __init__(
        self,
        *args: Any,
        expected: str,
        sid: str,
        page_fields: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.expected, self.sid = expected, sid
        if page_fields is not None:
            signer = signing.Signer(salt=CONFIRMED_SALT)
            self.initial["base"] = signer.sign_object({"sid": sid, **page_fields}, compress=True)

    def reopen(self) -> Self:
        return type(self)(self._renewed_data(), expected=self.expected, sid=self.sid)

    def reset_confirmation(self, *, expected: str, page_fields: Mapping[str, Any]) -> Self:
        """Return the form for the flow as it is now, with the same reason but unconfirmed."""
        values = {name: to_text(self[name].value()) for name in ("reason", "refers_to")}
        initial = {**values, "change_id": uuid.uuid4()}
        return type(self)(expected=expected, sid=self.sid, page_fields=page_fields, initial=initial)

    @property
    def page_fields(self) -> dict[str, Any]:
        """The fields of the flow as the page showed them, or empty without a valid signature."""
        signer = signing.Signer(salt=CONFIRMED_SALT)
        try:
            content: dict[str, Any] = signer.unsign_object(str(self.data.get("base", "")))
        except signing.BadSignature:
            return {}
        sid = content.pop("sid", "")
        return content if sid == self.sid else {}

    def clean_confirm_name(self) -> str:
        entered_name = str(self.cleaned_data["confirm_name"])
        accepted_names = {visible_text(self.expected), self.sid}
        accepted_names.discard("")  # an invisible name can't be typed
        if visible_text(entered_name) not in accepted_names:
            raise ValidationError(
                "This is not the flow's name or SID. Enter one of them exactly as shown."
            )
        return entered_name
