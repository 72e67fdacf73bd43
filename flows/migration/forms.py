"""Forms of migrations: their start, the switch-over, and what a user does with one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from flows.core.forms import ReasonField, VisibleTextField, error_summary
from flows.core.invisible import visible_text


class MigrationForm(forms.Form):
    """A reason, which the audit log shows with each step."""

    reason = ReasonField(note="Shown in the audit log with each step.")

    @property
    def error_list(self) -> list[tuple[str, str]]:
        return error_summary(self)


class PrepareForm(MigrationForm):
    """The start of the preparation, with the deployment key of a web chat."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, needs_key: bool = False) -> None:
        super().__init__(data)
        if needs_key:
            self.fields["deployment_key"] = VisibleTextField(
                strip_invisible="all",
                label="Deployment key of the web chat",
                max_length=64,
                error_messages={"required": "Enter the deployment key."},
                help_text="From the Twilio Console: Flex, Channel management, Webchat. The website "
                "needs the embed code of the same key.",
                widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
            )
            self.order_fields(["deployment_key", "reason"])


class SwitchForm(MigrationForm):
    """The start of the switch-over, after the user has looked for other handlers.

    With `needs_hand`, the user also says that the steps by hand of these flows are done.
    """

    handlers_checked = forms.BooleanField(
        label="I have checked that nothing else answers these numbers (a Function, a Studio Flow's "
        "own number setting, another vendor)",
        error_messages={
            "required": "Check that nothing else answers these numbers, then tick the box."
        },
    )
    field_order = ["by_hand_done", "handlers_checked", "reason"]

    def __init__(self, data: Mapping[str, Any] | None = None, *, needs_hand: bool = False) -> None:
        super().__init__(data)
        if needs_hand:
            self.fields["by_hand_done"] = forms.BooleanField(
                label="I have done the steps by hand above, or they are not needed",
                error_messages={
                    "required": "Do the steps by hand that are named above, then tick the box."
                },
            )
            self.order_fields(self.field_order)


class VerifyForm(MigrationForm):
    """What a user saw when they sent a test message."""

    reason = ReasonField(
        required=True,
        label="What you saw",
        note="For example, which agent got the message. Shown in the audit log.",
        error_messages={"required": "Say what you saw."},
    )


class RollbackForm(MigrationForm):
    """The rollback. With `needs_care`, the user accepts that customers are unserved for a moment."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, needs_care: bool = False) -> None:
        super().__init__(data)
        if needs_care:
            self.fields["unserved_accepted"] = forms.BooleanField(
                label="Roll back now, although customers get no answer for a moment",
                error_messages={"required": "Tick the box to roll back now."},
            )
            self.order_fields(["reason", "unserved_accepted"])


class CloseForm(MigrationForm):
    """The end of a migration that a user finished by hand."""

    reason = ReasonField(
        required=True,
        label="What you did by hand",
        note="Shown in the audit log.",
        error_messages={"required": "Say what you did by hand."},
    )


class DeleteFlowForm(MigrationForm):
    """The deletion of the flow, after its name or SID has been entered."""

    confirm_name = forms.CharField(
        label="Enter the flow's name or SID to confirm",
        strip=False,
        error_messages={"required": "Enter the flow's name."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ["confirm_name", "reason"]

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, expected: str = "", sid: str = ""
    ) -> None:
        super().__init__(data)
        self.accepted_names = {visible_text(expected), sid} - {""}

    def clean_confirm_name(self) -> str:
        entered_name = str(self.cleaned_data["confirm_name"])
        if visible_text(entered_name) not in self.accepted_names:
            raise ValidationError(
                "This is not the flow's name or SID. Enter one of them exactly as shown."
            )
        return entered_name
