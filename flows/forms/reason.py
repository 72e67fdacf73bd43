"""What every change carries, and the small forms that switch a flow and delete it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final, Self

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError

from flows.forms.fields import VisibleText
from flows.invisible import as_seen

SHOWN_SALT: Final = "flows.forms.shown"
# What the page for a deletion says of the flow; if any of it changed since, nothing is deleted.
SHOWN: Final = ("friendly_name", "channel_type", "contact_identity", "enabled")


class ReasonForm(forms.Form):
    """What every change carries: why, and the id that makes a double click one change."""

    reason = VisibleText(
        label="Reason",
        max_length=200,
        required=False,
        help_text="Optional. Shown in the audit log. Up to 200 characters.",
    )
    change_id = forms.UUIDField(widget=forms.HiddenInput)
    # The event whose state this change restores, or which it undoes.
    refers_to = forms.UUIDField(widget=forms.HiddenInput, required=False)

    @property
    def error_list(self) -> list[tuple[str, str]]:
        """The errors for the summary at the top of the page: (id of the field, message)."""
        return [
            (self[name].auto_id if name in self.fields else "", str(message))
            for name, messages in self.errors.items()
            for message in messages
        ]

    def again(self) -> Self:
        """The same form with what was typed, and an id of its own: sending it again is a new change."""
        return type(self)(self._typed())

    def _typed(self) -> dict[str, Any]:
        return {name: self.data[name] for name in self.data} | {"change_id": str(uuid.uuid4())}


class SwitchForm(ReasonForm):
    """Switches a flow on or off."""

    enabled = forms.TypedChoiceField(
        choices=[("true", "On"), ("false", "Off")],
        coerce=lambda value: value == "true",
        widget=forms.HiddenInput,
    )


class DeleteForm(ReasonForm):
    """Deletes a flow: its name is typed, so that it can't be the wrong one. Its SID serves as well: not every
    name can be typed on every keyboard."""

    confirm_name = forms.CharField(
        label="Enter the flow's name or SID to confirm",
        strip=False,
        error_messages={"required": "Enter the flow's name."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    base = forms.CharField(widget=forms.HiddenInput, required=False)  # the flow as the page showed it, signed
    field_order = ["confirm_name", "reason"]

    def __init__(
        self, *args: Any, expected: str, sid: str, shown: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.expected, self.sid = expected, sid
        if shown is not None:
            self.initial["base"] = signing.Signer(salt=SHOWN_SALT).sign_object(
                {"sid": sid, **shown}, compress=True
            )

    def again(self) -> Self:
        return type(self)(self._typed(), expected=self.expected, sid=self.sid)

    def unconfirmed(self, *, expected: str, shown: Mapping[str, Any]) -> Self:
        """The same form on the flow as it is now, with the reason as it was typed and nothing confirmed."""
        kept = {name: str(self[name].value() or "") for name in ("reason", "refers_to")}
        initial = {**kept, "change_id": uuid.uuid4()}
        return type(self)(expected=expected, sid=self.sid, shown=shown, initial=initial)

    @property
    def seen(self) -> dict[str, Any] | None:
        """The fields that the page showed of the flow; None if the form does not say."""
        try:
            said = signing.Signer(salt=SHOWN_SALT).unsign_object(str(self.data.get("base") or ""))
        except signing.BadSignature:
            return None
        return {name: said[name] for name in SHOWN if name in said} if said.get("sid") == self.sid else None

    def clean_confirm_name(self) -> str:
        typed = str(self.cleaned_data["confirm_name"])
        names = {as_seen(self.expected), self.sid} - {""}  # a name that nobody sees can't be typed
        if as_seen(typed) not in names:
            raise ValidationError(
                "This is neither the flow's name nor its SID. Enter one of them as shown above."
            )
        return typed
