"""The form of a subscription: what is sent, and where."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from flows.accounts import permissions, twilio_accounts
from flows.audit import action_registry, log_entries
from flows.core.forms import ReasonField, VisibleTextField, error_summary
from flows.notifications.models import Channel, Subscription
from flows.notifications.sending import is_email_configured
from flows.notifications.services import (
    URL_CHANNELS,
    SubscriptionValues,
    action_labels,
    can_manage,
)
from flows.search.query import Query
from flows.search.saved_views import visible_views
from flows.twilio.webhook_urls import find_url_problem

MAX_RECIPIENTS: Final = 20
_SITE_CHANNELS: Final = (Channel.EMAIL, Channel.SLACK, Channel.TEAMS, Channel.WEBHOOK)
_EMAIL_CHANNELS: Final = (Channel.OWN_EMAIL, Channel.EMAIL)


class SubscriptionForm(forms.Form):
    """A new subscription, or the change of one. The channel of one that exists is fixed."""

    when_refused = "Nothing was saved"  # for the summary of errors

    name = VisibleTextField(
        label="Name",
        max_length=60,
        strip_invisible="ends",
        help_text="For example, “Failed changes” or “Flows of the Lyon team”.",
        error_messages={"required": "Enter a name."},
    )
    channel = forms.ChoiceField(label="Channel", error_messages={"required": "Choose a channel."})
    recipients = forms.CharField(
        label="Recipients",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="For e-mail: addresses, separated by commas or line breaks.",
    )
    url = forms.CharField(
        label="Address",
        required=False,
        max_length=2000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="For Slack, Teams and webhooks: the address that messages are posted to. "
        "It is stored encrypted and not shown again.",
    )
    actions = forms.MultipleChoiceField(
        label="Actions",
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 8}),
        help_text="None selected: all but sign-ins, first syncs and other routine events.",
    )
    results = forms.MultipleChoiceField(
        label="Results",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None selected: every result.",
    )
    accounts = forms.MultipleChoiceField(
        label="Accounts",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None selected: all accounts, and events of no account.",
    )
    view = forms.ChoiceField(
        label="Saved view",
        required=False,
        help_text="Only events of the flows that it finds now "
        "and later. Later changes of the view have no effect here.",
    )
    query = forms.CharField(
        label="Filter",
        required=False,
        max_length=500,
        help_text="In place of a saved view: the part of the flow list's address after the "
        "question mark, such as owner=Lyon or tag=vip&channel=sms.",
    )
    reason = ReasonField()

    def __init__(
        self, *args: Any, user: User, subscription: Subscription | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.subscription = user, subscription
        self.scope = permissions.scope_of(user, "flows.view_flow")
        self.views = {str(view.pk): view for view in visible_views(user, self.scope)}
        self._set_choices()
        if not can_manage(user):
            del self.fields["recipients"], self.fields["url"]
        if subscription is not None:
            self._show(subscription)
        elif can_manage(user) and not is_email_configured():
            self.initial = {"channel": Channel.WEBHOOK, **self.initial}

    @property
    def error_list(self) -> list[tuple[str, str]]:
        return error_summary(self)

    @property
    def values(self) -> SubscriptionValues:
        """The cleaned values."""
        data = self.cleaned_data
        return SubscriptionValues(
            name=data["name"],
            channel=data["channel"],
            recipients=data.get("recipients", []),
            url=data.get("url", ""),
            actions=data["actions"],
            results=data["results"],
            account_sids=data.get("accounts", []),
            query=data["query"],
        )

    def clean_recipients(self) -> list[str]:
        text = self.cleaned_data["recipients"].replace("\n", ",")
        addresses = list(dict.fromkeys(filter(None, map(str.strip, text.split(",")))))
        if len(addresses) > MAX_RECIPIENTS:
            raise ValidationError(f"Enter {MAX_RECIPIENTS} addresses at most.")
        for address in addresses:
            try:
                validate_email(address)
            except ValidationError:
                raise ValidationError(f"“{address}” is not an e-mail address.") from None
        return addresses

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        problem = find_url_problem(url) if url else None
        if problem is not None:
            raise ValidationError(f"The address {problem.sentence}")
        if url.lower().startswith("http:") and not settings.NOTIFICATION_ALLOWED_NETWORKS:
            raise ValidationError("Enter an address that starts with https://.")
        return url

    def clean_channel(self) -> str:
        channel = str(self.cleaned_data["channel"])
        if self.subscription is not None:  # it stays
            return channel
        if channel in _EMAIL_CHANNELS and not is_email_configured():
            raise ValidationError(
                "E-mail is off, because the site has no mail server. An administrator can set "
                "EMAIL_URL."
            )
        if channel == Channel.OWN_EMAIL and not self.user.email:
            raise ValidationError("Your profile has no e-mail address. Enter one there first.")
        return channel

    def clean_query(self) -> str:
        query = str(self.cleaned_data["query"]).strip().lstrip("?")
        error = Query.from_query_string(query, self.scope).error_text if query else ""
        if error:
            raise ValidationError(error)
        return query

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        view = self.views.get(data.get("view", ""))
        if view is not None:
            if data.get("query") and data["query"] != self.initial.get("query"):
                self.add_error("query", "Choose a saved view or enter a filter, not both.")
            data["query"] = view.query
        channel = data.get("channel")
        if channel == Channel.EMAIL and "recipients" in data and not data["recipients"]:
            self.add_error("recipients", "Enter at least one e-mail address.")
        has_url = self.subscription is not None and self.subscription.encrypted_url
        if channel in URL_CHANNELS and "url" in data and not data["url"] and not has_url:
            self.add_error("url", "Enter the address that messages are posted to.")
        if channel not in URL_CHANNELS:
            data["url"] = ""
        if channel != Channel.EMAIL:
            data["recipients"] = []
        return data

    def _set_choices(self) -> None:
        channels = [Channel.OWN_EMAIL]
        if can_manage(self.user):
            channels = [*_SITE_CHANNELS, Channel.OWN_EMAIL]
        if self.subscription is not None:
            channels = [Channel(self.subscription.channel)]
        accounts = twilio_accounts.visible_accounts(self.scope)
        results = [
            (value, label)
            for value, label in action_registry.RESULT_LABELS.items()
            if value != "pending"
        ]
        views = [(key, view.name) for key, view in self.views.items()]
        self._choose("channel", [(one.value, one.label) for one in channels])
        self._choose("actions", _action_choices())
        self._choose("results", results)
        self._choose("accounts", [(account.sid, str(account)) for account in accounts])
        self._choose("view", [("", "None"), *views])
        if len(accounts) < 2:
            del self.fields["accounts"]
        if not views:
            del self.fields["view"]

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - each of them is one
        field.choices = choices

    def _show(self, subscription: Subscription) -> None:
        """Show the values of a subscription, but for its address."""
        self.initial = {
            "name": subscription.name,
            "channel": subscription.channel,
            "recipients": ", ".join(subscription.recipients),
            "actions": subscription.actions,
            "results": subscription.results,
            "accounts": subscription.account_sids,
            "query": subscription.query,
            **self.initial,
        }
        if subscription.channel not in URL_CHANNELS:
            self.fields.pop("url", None)
        elif "url" in self.fields:
            self.fields["url"].help_text = (
                f"Messages are posted to {subscription.host}. The address is stored encrypted. "
                "Leave this empty to keep it."
            )
        if subscription.channel != Channel.EMAIL:
            self.fields.pop("recipients", None)


def _action_choices() -> list[tuple[str, str]]:
    """Return all actions: those of flows first, those of sign-ins and users last."""
    choices = action_labels().items()
    is_last = log_entries.SITE_ACTION_PREFIXES
    return sorted(
        choices, key=lambda one: (one[0].startswith(is_last), not one[0].startswith("flow."))
    )


class ActForm(forms.Form):
    """The reason of what the buttons of a subscription's page do."""

    when_refused = "Nothing was changed"

    action = forms.ChoiceField(
        choices=[(name, name) for name in ("enable", "disable", "test", "rotate", "delete")]
    )
    reason = ReasonField()

    @property
    def error_list(self) -> list[tuple[str, str]]:
        return error_summary(self)
