"""The form for a flow's owner, tags and note."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, Self, TypeVar

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError

from flows.changes.forms.reason import ReasonForm
from flows.core.forms import VisibleTextField
from flows.local_details import fields
from flows.local_details.fields import Details, InvalidDetail
from flows.local_details.services import DetailsConflict

BASE_SALT: Final = "flows.forms.details"
Value = TypeVar("Value")


def clean_detail(clean: Callable[[str], Value], text: str) -> Value:
    """Clean a value of a form. Raises `ValidationError`."""
    try:
        return clean(text)
    except InvalidDetail as invalid:
        raise ValidationError(str(invalid)) from invalid


def owner_help(owners: Iterable[str]) -> str:
    """Return the help text of an owner, with those that other flows have."""
    help_text = "The responsible team."
    owner_names = ", ".join(owners)
    return f"{help_text} Used so far: {owner_names}." if owner_names else help_text


class DetailsForm(ReasonForm):
    """The owner, tags and note of one flow. `base` is what the user saw, signed."""

    when_refused = "Nothing was changed"  # for the summary of errors
    refers_to = None  # type: ignore[assignment]  # nothing to restore or revert

    owner = VisibleTextField(label="Owner", required=False)
    tags = VisibleTextField(
        label="Tags",
        required=False,
        help_text=f"Words separated by commas, such as vip, billing. Up to {fields.MAX_TAGS}.",
    )
    note = VisibleTextField(
        label="Note",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=f"Up to {fields.MAX_NOTE_LENGTH:,} characters. Secrets are masked.",
    )
    base = forms.CharField(widget=forms.HiddenInput, required=False)
    field_order = ["owner", "tags", "note", "reason"]

    def __init__(
        self, *args: Any, sid: str, current: Details, owners: Iterable[str] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.sid = sid
        self.current = current
        self.fields["owner"].help_text = owner_help(owners)
        self.initial = {
            **_to_input(current),
            "base": _sign(sid, current),
            "change_id": uuid.uuid4(),
            **self.initial,
        }

    @property
    def base_details(self) -> Details:
        """The details as the user saw them."""
        return Details.from_values(self.cleaned_data["base"])

    @property
    def values(self) -> dict[str, Any]:
        """The cleaned owner, tags and note by name."""
        return {name: self.cleaned_data[name] for name in fields.LABELS}

    def clean_owner(self) -> str:
        return clean_detail(fields.clean_owner, self.cleaned_data["owner"])

    def clean_tags(self) -> list[str]:
        clean = partial(fields.clean_tags, limit=fields.tag_limit(self.current))
        return list(clean_detail(clean, self.cleaned_data["tags"]))

    def clean_note(self) -> str:
        return clean_detail(fields.clean_note, self.cleaned_data["note"])

    def clean_base(self) -> dict[str, Any]:
        """Return the details that the user saw. Without them, edits could be overwritten."""
        signer = signing.Signer(salt=BASE_SALT)
        try:
            content: dict[str, Any] = signer.unsign_object(self.cleaned_data["base"])
        except signing.BadSignature:
            content = {}
        if content.pop("sid", "") != self.sid:
            raise ValidationError("This form is incomplete. Reload the page and try again.")
        return content

    def reopen(self) -> Self:
        return self._bind_again(self._renewed_data())

    def rebase(self, conflict: DetailsConflict) -> Self:
        """Return the form for the details as they are now, with the user's values in conflict."""
        merged = _to_input(conflict.merged)
        mine = {name: self.data[name] for name in conflict.names}
        base = {"base": _sign(self.sid, conflict.current)}
        return self._bind_again({**self._renewed_data(), **merged, **mine, **base})

    def _bind_again(self, data: dict[str, Any]) -> Self:
        form = type(self)(data, sid=self.sid, current=self.current)
        form.fields["owner"].help_text = self.fields["owner"].help_text
        return form


def _sign(sid: str, details: Details) -> str:
    signer = signing.Signer(salt=BASE_SALT)
    return signer.sign_object({"sid": sid, **details.as_values()}, compress=True)


def _to_input(details: Details) -> dict[str, str]:
    """Return the details as the form has them."""
    return {"owner": details.owner, "tags": fields.join_tags(details.tags), "note": details.note}
