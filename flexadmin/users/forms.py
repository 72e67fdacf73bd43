"""Forms for users and their roles. Each of them asks for a reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from flexadmin.models import AccountRole
from flexadmin.users.roles import ROLE_DESCRIPTIONS, ROLES
from flexadmin.users.usernames import validate_new_username
from flows.accounts import twilio_accounts
from flows.core.forms import ReasonField, error_summary

SINGLE_ACCOUNT_HELP: Final = "For a single account, leave this at None and choose a role there."
EVERY_ACCOUNT_HELP: Final = (
    "Only a role on every account verifies the log, erases personal data or manages users."
)


@dataclass(frozen=True, slots=True)
class AssignedRoles:
    """The role of a user on every account or "", and their roles by account SID."""

    role: str = ""
    on_accounts: dict[str, str] = field(default_factory=dict)


class ReasonForm(forms.Form):
    """The reason that every change of a user requires."""

    when_refused = "Nothing was changed"  # shown in the error summary

    reason = ReasonField(
        required=True,
        error_messages={"required": "Enter a reason."},
    )


class RolesForm(ReasonForm):
    """A user's role on every account and, where there are several accounts, on each of them.

    `person` is None for a user who doesn't exist yet.
    """

    def __init__(self, *args: Any, person: User | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assigned = get_assigned_roles(person) if person else AssignedRoles()
        accounts = twilio_accounts.all_accounts()
        offered_accounts = accounts if len(accounts) > 1 else ()
        # Roles on accounts that the site no longer has can still be removed.
        sids = dict.fromkeys([*(one.sid for one in offered_accounts), *assigned.on_accounts])
        self.account_fields = {sid: f"role_{sid}" for sid in sids}
        self.fields["role"] = _role_field("Role", assigned.role)
        self.fields["role"].help_text = _describe_roles()
        if sids:
            self._explain_accounts(self.fields["role"])
        for sid, field_name in self.account_fields.items():
            label = f"Role on {twilio_accounts.account_label(sid)}"
            self.fields[field_name] = _role_field(label, assigned.on_accounts.get(sid, ""))
        self.order_fields(["role", *self.account_fields.values(), "reason"])

    @staticmethod
    def _explain_accounts(field: forms.Field) -> None:
        """Say at the field for the role on every account how to give it on one of them."""
        field.label = "Role on every account"
        field.help_text = format_html(
            "{}<br>{}<br>{}", SINGLE_ACCOUNT_HELP, field.help_text, EVERY_ACCOUNT_HELP
        )

    @property
    def on_accounts(self) -> dict[str, str]:
        """Return the chosen roles by account SID, without accounts that have none."""
        roles = {sid: self.cleaned_data[name] for sid, name in self.account_fields.items()}
        return {sid: role for sid, role in roles.items() if role}


def _role_field(label: str, role: str) -> forms.ChoiceField:
    choices = [("", "None"), *((name, name.capitalize()) for name in ROLES)]
    return forms.ChoiceField(label=label, choices=choices, required=False, initial=role)


def _describe_roles() -> SafeString:
    """Return a line for each role."""
    lines = [(name.capitalize(), ROLE_DESCRIPTIONS[name]) for name in ROLES]
    return format_html_join(mark_safe("<br>"), "<strong>{}</strong> {}", lines)


class NewUserForm(RolesForm):
    """A new user: username, roles and reason."""

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
        super().clean()
        role_fields = ["role", *self.account_fields.values()]
        if not any(map(self.cleaned_data.get, role_fields)):
            self.add_error("role", "Choose at least one role.")
        return self.cleaned_data

    @property
    def error_list(self) -> list[tuple[str, str]]:
        """Return the HTML id of the field and the text of each error, for the summary."""
        return error_summary(self)


def get_assigned_roles(person: User) -> AssignedRoles:
    """Return the roles of a user."""
    roles = list(person.groups.filter(name__in=ROLES).values_list("name", flat=True)[:2])
    # Only a script can assign two roles. The form then preselects neither.
    role = roles[0] if len(roles) == 1 else ""
    account_roles = AccountRole.objects.filter(person=person, role__name__in=ROLES)
    account_roles = account_roles.order_by("account_sid")
    on_accounts = dict(account_roles.values_list("account_sid", "role__name"))
    return AssignedRoles(role, on_accounts)
