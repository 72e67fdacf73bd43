"""The forms of policies and of change requests."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from django import forms

from flows.approvals.change_kinds import ChangeKind
from flows.approvals.contents import resource_of
from flows.approvals.models import ChangeRequest
from flows.approvals.terms import (
    MAX_APPROVALS,
    ApproverPermission,
    Hours,
    Terms,
)
from flows.changes.cleaning import clean
from flows.changes.forms.fields import build_field
from flows.core.forms import ReasonField, error_summary
from flows.core.time_zones import time_zone_choices
from flows.plans.drafts import MAX_FLOWS

DAY_LABELS: Final = (
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
)


class PolicyForm(forms.Form):
    """The policy of an account."""

    when_refused = "Nothing was changed"  # for the summary of errors

    requires_reason = forms.BooleanField(
        label="Require a reason",
        required=False,
        help_text="Each change that is sent to Twilio needs one.",
    )
    kinds = forms.MultipleChoiceField(
        label="Changes that need approval",
        required=False,
        choices=ChangeKind.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="They become change requests. Migrations can't, so they are refused.",
    )
    bulk_limit = forms.IntegerField(
        label="Bulk changes of more flows than this need approval",
        required=False,
        min_value=1,
        max_value=MAX_FLOWS,
        help_text="Although each change alone needs none. Leave it empty for no limit.",
    )
    approvals_required = forms.IntegerField(
        label="Approvals",
        min_value=1,
        max_value=MAX_APPROVALS,
        help_text="How many other users have to approve. No one approves their own request.",
    )
    approver_permission = forms.ChoiceField(label="Approved by", choices=ApproverPermission.choices)
    days = forms.MultipleChoiceField(
        label="Days on which changes are sent",
        required=False,
        choices=[(str(day), label) for day, label in enumerate(DAY_LABELS)],
        widget=forms.CheckboxSelectMultiple,
        help_text="Choose none, and no times, to send changes at any time.",
    )
    opens_at = forms.TimeField(
        label="From", required=False, widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"})
    )
    closes_at = forms.TimeField(
        label="Until",
        required=False,
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
    )
    time_zone = forms.ChoiceField(label="Time zone of these hours", choices=[])
    reason = ReasonField(required=True, error_messages={"required": "Enter a reason."})
    change_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, Any] | None = None, *, terms: Terms) -> None:
        hours = terms.hours
        initial = {
            "requires_reason": terms.requires_reason,
            "kinds": list(terms.kinds),
            "bulk_limit": terms.bulk_limit,
            "approvals_required": terms.approvals_required,
            "approver_permission": terms.approver_permission,
            "days": [str(day) for day in hours.days] if hours else [],
            "opens_at": hours.opens_at if hours else None,
            "closes_at": hours.closes_at if hours else None,
            "time_zone": hours.time_zone if hours else "UTC",
            "change_id": uuid.uuid4(),
        }
        super().__init__(data, initial=initial)
        self.fields["time_zone"].choices = time_zone_choices()  # type: ignore[attr-defined]

    @property
    def error_list(self) -> list[tuple[str, str]]:
        return error_summary(self)

    def clean(self) -> dict[str, Any]:
        """Refuse hours without a beginning or an end, or that end before they begin."""
        data = super().clean() or {}
        if not data.get("days"):
            if (data.get("opens_at") or data.get("closes_at")) and "days" not in self.errors:
                self.add_error("days", "Choose the days of these hours, or empty both times.")
            return data
        for name in ("opens_at", "closes_at"):
            if data.get(name) is None and name not in self.errors:
                self.add_error(name, "Enter a time such as 08:00, or choose no days.")
        opens_at, closes_at = data.get("opens_at"), data.get("closes_at")
        if opens_at and closes_at and opens_at >= closes_at:
            self.add_error("closes_at", "Enter a time after the beginning.")
        return data

    @property
    def terms(self) -> Terms:
        """The terms of a valid form."""
        data, hours = self.cleaned_data, None
        if data["days"]:
            hours = Hours(
                days=tuple(sorted(int(day) for day in data["days"])),
                opens_at=data["opens_at"],
                closes_at=data["closes_at"],
                time_zone=data["time_zone"],
            )
        return Terms(
            requires_reason=data["requires_reason"],
            kinds=tuple(kind for kind in ChangeKind.values if kind in data["kinds"]),
            bulk_limit=data["bulk_limit"],
            approvals_required=data["approvals_required"],
            approver_permission=data["approver_permission"],
            hours=hours,
        )


class StepForm(forms.Form):
    """A step of a request, with an optional comment, about the content that the page showed."""

    when_refused = "Nothing was changed"
    comment = ReasonField(label="Comment", note="Shown with the request and in the audit log.")
    content_hash = forms.CharField(widget=forms.HiddenInput, required=False)

    @property
    def error_list(self) -> list[tuple[str, str]]:
        return error_summary(self)


class CommentForm(StepForm):
    """A comment, or a rejection, which needs a comment."""

    comment = ReasonField(
        label="Comment",
        required=True,
        note="Shown with the request and in the audit log.",
        error_messages={"required": "Enter a comment."},
    )


class BypassForm(StepForm):
    """Break glass: apply a request without approval."""

    comment = ReasonField(
        label="Reason",
        required=True,
        note="Why this can't wait. It stays in the audit log.",
        error_messages={"required": "Enter a reason."},
    )
    confirm = forms.BooleanField(
        label="Apply this change without approval, at any hour",
        error_messages={"required": "Tick this box to apply the change without approval."},
    )


class RevisionForm(forms.Form):
    """New values for the fields of a request."""

    when_refused = "Nothing was changed"

    def __init__(self, data: Mapping[str, Any] | None = None, *, request: ChangeRequest) -> None:
        super().__init__(data)
        self.request, self.resource = request, resource_of(request)
        values: Mapping[str, Any] = request.requested or {}
        self.names = [name for name in values if name in self.resource.by_name]
        for name in self.names:
            field = build_field(self.resource.by_name[name], required=False)
            field.initial = self.resource.to_input(name, values[name])
            self.fields[name] = field
        self.fields["reason"] = ReasonField(initial=request.reason)
        self.fields["content_hash"] = forms.CharField(
            widget=forms.HiddenInput, required=False, initial=request.content_hash
        )

    @property
    def error_list(self) -> list[tuple[str, str]]:
        return error_summary(self)

    @property
    def value_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.names]

    def clean(self) -> dict[str, Any]:
        """Validate the values by the rules of the resource."""
        data = super().clean() or {}
        values = {name: data.get(name) for name in self.names}
        current = self.request.before
        result = clean(self.resource, {**(current or {}), **values}, current=current)
        for name, message in result.errors.items():
            self.add_error(name if name in self.names else None, message)
        self.values = {name: result.values[name] for name in self.names if name in result.values}
        return data
