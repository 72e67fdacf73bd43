"""The form of a copy: counterparts of SIDs, webhook URLs with secrets, and what the copy changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField

from flows.copying.flow_copies import URL_FIELD, FlowCopy, Selection
from flows.copying.sid_uses import SidUse
from flows.copying.target_objects import TargetObjects
from flows.core.forms import VisibleTextField, error_summary
from flows.flex_flows.target_picker import (
    OptionGroup,
    TargetPicker,
    resolve_choices,
    typed_fields,
)
from flows.redaction.masking import redact_field, replace_unstorable
from flows.twilio.cleaning import InvalidValue
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sids import is_sid

# Options on the whole page, so that many SIDs don't make it slow. Any other SID can be entered.
MAX_OPTIONS: Final = 6_000
MIN_OPTIONS_OF_A_FIELD: Final = 20
MAX_SID_LENGTH: Final = 34
MAX_URLS: Final = 50  # a form of this site has 200 inputs at most
_TEXT_ATTRIBUTES: Final = {
    "autocomplete": "off",
    "autocapitalize": "none",
    "spellcheck": "false",
    "class": "mono",
}


class CopyForm(forms.Form):
    """The counterparts of all SIDs of a copy, and its choices.

    The field of a SID is `sid_` and the SID, that of a webhook `url_` and the SID of its flow.
    """

    turned_off = forms.BooleanField(
        label="Create them turned off",
        required=False,
        initial=True,
        help_text="A number belongs to one account. Until it is moved, a flow that is on in the "
        "other account receives nothing, and two accounts can't both answer it.",
    )
    copy_identities = forms.BooleanField(
        label="Also replace the contact identities of existing flows",
        required=False,
        help_text="Otherwise each existing flow keeps its own number or address.",
    )
    confirmed = forms.BooleanField(
        label="I've checked the suggested matches",
        required=False,
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        selection: Selection,
        uses: Sequence[SidUse],
        objects: TargetObjects,
        target_name: str,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        self.selection, self.uses, self.objects = selection, uses, objects
        self.target_name = target_name
        names = [_sid_name(use) for use in uses]
        sent_input = data if data is not None else initial or {}
        self.typed_names = typed_fields(sent_input, names)
        if data is not None:
            data = resolve_choices(dict(data.items()), names)
        stored = {_sid_name(use): use.stored or use.proposed for use in uses}
        super().__init__(data, initial={**stored, **resolve_choices(initial or {}, names)})
        self.unchecked: list[str] = []  # SIDs that couldn't be looked up
        self._add_fields()

    def _add_fields(self) -> None:
        limit = max(MIN_OPTIONS_OF_A_FIELD, MAX_OPTIONS // max(1, len(self.uses)))
        for use in self.uses:
            name = _sid_name(use)
            self.fields[name] = self._build_sid_field(use, limit)
        hidden = [copy for copy in self.selection.copies if copy.has_hidden_url]
        for copy in hidden[:MAX_URLS]:
            self.fields[_url_name(copy)] = _build_url_field(copy)
        if not self.selection.creations:
            del self.fields["turned_off"]
        if not any(copy.changes_identity for copy in self.selection.updates):
            del self.fields["copy_identities"]
        if not any(use.proposed for use in self.uses):
            del self.fields["confirmed"]
        self.order_fields(
            [
                *(_url_name(copy) for copy in self.selection.copies),
                *map(_sid_name, self.uses),
                "confirmed",
                "turned_off",
                "copy_identities",
            ]
        )

    def _build_sid_field(self, use: SidUse, limit: int) -> forms.Field:
        field = VisibleTextField(
            strip_invisible="all",
            label=f"{use.kind} in {self.target_name} for {use.name or use.sid}",
            help_text=use.proposal,
            error_messages={
                "required": f"Choose the {use.kind} in {self.target_name} for "
                f"{use.name or use.sid}."
            },
            widget=forms.TextInput(attrs={**_TEXT_ATTRIBUTES, "maxlength": MAX_SID_LENGTH}),
        )
        name = _sid_name(use)
        value = self.data.get(name) if self.is_bound else self.initial.get(name)
        groups = _cut_groups(self.objects.groups(use.prefix, str(value or "")), limit)
        if groups:
            field.widget = TargetPicker(
                groups,
                empty_label="Choose…",
                other_label="Another SID",
                is_other=name in self.typed_names,
                attrs={},
            )
        return field

    def clean(self) -> dict[str, Any]:
        for use in self.uses:
            name = _sid_name(use)
            if name in self.cleaned_data:
                self._clean_with(name, lambda value, use=use: self._clean_sid(use, value))
        for copy in self.selection.copies:
            if self.cleaned_data.get(_url_name(copy)):
                self._clean_with(_url_name(copy), _clean_url)
        if not self.cleaned_data.get("confirmed") and self._kept_proposals():
            self.add_error(
                "confirmed" if "confirmed" in self.fields else None,
                "Check the suggested matches or choose others.",
            )
        return self.cleaned_data

    def _clean_with(self, name: str, clean: Any) -> None:
        try:
            self.cleaned_data[name] = clean(self.cleaned_data[name])
        except ValidationError as error:
            self.add_error(name, error)

    def _clean_sid(self, use: SidUse, value: str) -> str:
        """Return a counterpart that may be right. Raises `ValidationError`."""
        if not is_sid(use.prefix, value):
            raise ValidationError(
                f"This is not the SID of a {use.kind}. "
                f"It starts with {use.prefix} and has 34 characters."
            )
        counterpart = self.objects.find(value)
        if counterpart is not None and not counterpart.is_gone:
            return value
        if counterpart is not None:
            raise ValidationError(f"This {use.kind} was deleted in {self.target_name}.")
        if self.objects.is_readable(use.prefix):
            raise ValidationError(
                f"{self.target_name} has no {use.kind} with this SID. If it is new, refresh the "
                "names under Accounts."
            )
        if value == use.sid:
            raise ValidationError(f"This is the SID of the other account, not {self.target_name}.")
        self.unchecked.append(value)
        return value

    def _kept_proposals(self) -> bool:
        return any(
            use.proposed and self.cleaned_data.get(_sid_name(use)) == use.proposed
            for use in self.uses
        )

    @property
    def counterparts(self) -> dict[str, str]:
        """The validated counterparts, by the SID of the source account."""
        return {use.sid: self.cleaned_data[_sid_name(use)] for use in self.uses}

    @property
    def urls(self) -> dict[str, str]:
        """The webhook URLs that were entered, by the SID of the flow."""
        urls = {copy.sid: self.cleaned_data.get(_url_name(copy)) for copy in self.selection.copies}
        return {sid: url for sid, url in urls.items() if url}

    @property
    def error_list(self) -> list[tuple[str, str]]:
        return error_summary(self)

    def field_of_sid(self, use: SidUse) -> BoundField:
        return self[_sid_name(use)]

    def field_of_url(self, copy: FlowCopy) -> BoundField | None:
        name = _url_name(copy)
        return self[name] if name in self.fields else None

    @property
    def confirmation(self) -> BoundField | None:
        """The box that confirms the proposals, or None without any."""
        return self["confirmed"] if "confirmed" in self.fields else None

    @property
    def options(self) -> list[BoundField]:
        """The choices of the whole copy."""
        names = ("turned_off", "copy_identities")
        return [self[name] for name in names if name in self.fields]


def kept_input(data: Mapping[str, Any], removed_sid: str = "") -> dict[str, Any]:
    """Return the input of a form to show it again, without the counterpart of a removed SID.

    The new form may have proposals that the user hasn't seen, so none of them is confirmed.
    """
    values = {name: data[name] for name in data if name != "confirmed"}
    values |= {name: name in data for name in ("turned_off", "copy_identities")}
    return values | {f"sid_{removed_sid}": ""} if removed_sid else values


def _sid_name(use: SidUse) -> str:
    return f"sid_{use.sid}"


def _url_name(copy: FlowCopy) -> str:
    return f"url_{copy.sid}"


def _build_url_field(copy: FlowCopy) -> forms.Field:
    return VisibleTextField(
        strip_invisible="all",
        label=f"Webhook URL of {copy.source.label}",
        help_text="Its secrets aren't stored, so enter the whole URL. Without it, the flow is "
        "skipped.",
        required=False,
        max_length=FLEX_FLOW.field(URL_FIELD).max_length,
        widget=forms.TextInput(attrs={**_TEXT_ATTRIBUTES, "inputmode": "url"}),
    )


def _clean_url(value: str) -> str:
    """Return a webhook URL that a draft can store. Raises `ValidationError`."""
    try:
        url = str(FLEX_FLOW.field(URL_FIELD).clean(value, required=True))
    except InvalidValue as error:
        raise ValidationError(str(error)) from error
    storable = replace_unstorable(url)
    if redact_field(URL_FIELD, storable) != url:
        raise ValidationError(
            "This URL contains a secret, which a bulk change can't store. Enter it without the "
            "secret and add that on the new flow's page, or leave it empty to skip this flow."
        )
    return url


def _cut_groups(groups: Sequence[OptionGroup], limit: int) -> list[OptionGroup]:
    """Return the first options of these groups, at most this many."""
    cut: list[OptionGroup] = []
    for group in groups:
        if limit > 0:
            cut.append(OptionGroup(group.label, group.options[:limit]))
            limit -= len(group.options)
    return cut
