"""A user's own profile: display name, e-mail address, time zone and theme.

Display names and e-mail addresses are seen by others, so their changes are recorded. Of an e-mail
address the log keeps only that it changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest

from flexadmin.models import Profile, SiteUser
from flexadmin.signin import auth_events
from flexadmin.signin.actions import SigninAction
from flexadmin.users.display_names import MAX_DISPLAY_NAME_LENGTH, validate_display_name
from flows.core.forms import VisibleTextField, error_summary
from flows.core.time_zones import time_zone_choices


class ProfileForm(forms.Form):
    """The profile of `person`, who edits it."""

    when_refused = "Nothing was saved"  # shown in the error summary

    display_name = VisibleTextField(
        label="Display name",
        max_length=MAX_DISPLAY_NAME_LENGTH,
        required=False,
        help_text="Shown next to your username. The audit log records your username only.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label="E-mail",
        required=False,
        max_length=254,
        help_text="For administrators to reach you, and for your own notifications.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    time_zone = forms.ChoiceField(
        label="Time zone",
        required=False,
        help_text="For all times and days. Hover over a time to see it in UTC.",
    )
    theme = forms.ChoiceField(label="Theme", choices=Profile.Theme.choices)

    def __init__(self, data: Mapping[str, Any] | None = None, *, person: SiteUser) -> None:
        profile = person.own_profile
        initial = {
            "display_name": profile.display_name,
            "email": person.email,
            "time_zone": profile.time_zone,
            "theme": profile.theme,
        }
        super().__init__(data, initial=initial, auto_id="profile_%s")
        self._person = person
        self.fields["time_zone"].choices = [  # type: ignore[attr-defined]
            ("", f"Site default ({settings.TIME_ZONE})"),
            *time_zone_choices(),
        ]

    def clean_display_name(self) -> str:
        return validate_display_name(str(self.cleaned_data["display_name"]), self._person)

    @property
    def error_list(self) -> list[tuple[str, str]]:
        """Return the HTML id of the field and the text of each error, for the summary."""
        return error_summary(self)

    def save(self, request: HttpRequest) -> None:
        """Save the profile, with an event if a part changed that others see.

        Raises `NotRecorded` if the event can't be written; nothing is saved then.
        """
        person, data = self._person, self.cleaned_data
        before = _describe(person.own_profile.display_name, person.email)
        after = _describe(data["display_name"], data["email"])
        if data["email"] != person.email and before["e-mail"] == after["e-mail"]:
            after["e-mail"] = "another address"
        if before == after:
            self._store()
            return
        auth_events.change_own_account(
            request, SigninAction.CHANGE_PROFILE, self._store, before=before, details=after
        )

    def _store(self) -> None:
        person, data = self._person, self.cleaned_data
        person.email = data["email"]
        person.save(update_fields=["email"])
        names = ("display_name", "time_zone", "theme")
        Profile.objects.update_or_create(
            person_id=person.pk, defaults={name: data[name] for name in names}
        )


def _describe(display_name: str, email: str) -> dict[str, str]:
    return {"display name": display_name or "none", "e-mail": "given" if email else "none"}
