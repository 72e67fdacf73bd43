"""The forms for users and their roles: each asks for a reason."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.validators import UnicodeUsernameValidator

from flexadmin.models import AccountRole
from flexadmin.users.roles import ROLES
from flexadmin.users.usernames import validate_new_username
from flows.accounts import twilio_accounts
from flows.changes.forms.fields import VisibleTextField


class ReasonForm(forms.Form):
    """What everything that is done to a user asks for."""

    when_refused = "Nothing was changed"  # as the summary of the errors says

    reason = VisibleTextField(
        label="Reason",
        max_length=200,
        help_text="Shown in the audit log. Up to 200 characters.",
        error_messages={"required": "Enter a reason."},
    )


class RolesForm(ReasonForm):
    """A person's role on every account, and where there are several, the one on each. Without a person: of one who is
    to be added."""

    def __init__(self, *args: Any, person: User | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        had: dict[str, Any] = (
            get_assigned_roles(person) if person else {"role": "", "on_accounts": {}}
        )
        choices = [("", "None"), *((role, role.capitalize()) for role in ROLES)]
        self.fields["role"] = forms.ChoiceField(
            label="Role on every account", choices=choices, required=False, initial=had["role"]
        )
        self.sids = (
            [account.sid for account in twilio_accounts.all_accounts()]
            if twilio_accounts.only_account() is None
            else []
        )
        self.sids += [sid for sid in had["on_accounts"] if sid not in self.sids]
        names = {account.sid: str(account) for account in twilio_accounts.all_accounts()}
        for sid in self.sids:
            self.fields[f"role_{sid}"] = forms.ChoiceField(
                label=f"Role on {names.get(sid, sid)}",
                choices=choices,
                required=False,
                initial=had["on_accounts"].get(sid, ""),
            )
        self.order_fields(["role", *(f"role_{sid}" for sid in self.sids), "reason"])

    @property
    def on_accounts(self) -> dict[str, str]:
        return {
            sid: self.cleaned_data[f"role_{sid}"]
            for sid in self.sids
            if self.cleaned_data[f"role_{sid}"]
        }


class NewUserForm(RolesForm):
    """A person who is to be added."""

    name = forms.CharField(
        label="Username",
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        help_text="For example, the part of their e-mail address before the @.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Enter a username."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, person=None, **kwargs)
        self.order_fields(["name", *self.fields])

    def clean_name(self) -> str:
        return validate_new_username(str(self.cleaned_data["name"]))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not any(data.get(field) for field in self.fields if field.startswith("role")):
            self.add_error("role", "Choose at least one role.")
        return data

    @property
    def error_list(self) -> list[tuple[str, str]]:
        """As the summary at the top takes them."""
        return [
            (self[name].auto_id, str(said))
            for name in self.fields
            for said in self.errors.get(name, [])
        ]


def get_assigned_roles(person: User) -> dict[str, Any]:
    """The role on every account (empty: none), and those on single ones by SID."""
    roles = list(person.groups.filter(name__in=ROLES).values_list("name", flat=True)[:2])
    role = (
        roles[0] if len(roles) == 1 else ""
    )  # of two, which only a script can give, none is chosen
    on_accounts = AccountRole.objects.filter(person=person, role__name__in=ROLES)
    on_accounts = on_accounts.select_related("role").order_by("account_sid")
    return {
        "role": role or "",
        "on_accounts": {one.account_sid: one.role.name for one in on_accounts},
    }
