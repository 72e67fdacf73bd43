"""Fictional flows of a fictional company, the same ones for the same seed. A few have flaws.

`company` has the words and telephone numbers. Numbers come from ranges reserved for fiction, URLs
from example domains. Every secret is fictional. The API's rules are not applied.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.company import (
    GENERIC_LOCALE,
    LOCALES,
    WEBHOOK_HOSTS,
    WEBHOOK_PATHS,
    Locale,
)
from flows.twilio.sandbox.rules import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flows.twilio.sandbox.rules import Body

MAX_AGE_DAYS = 730
SECRET_WEBHOOK_SHARE = 0.15  # of the webhooks have a secret in their URL
WORKFLOW_COUNT = 5
FLAW_INTERVAL = 40  # every 40th flow has a flaw
FLAWS = ("no identity", "wrong identity", "no studio flow", "disabled twin")
CHANNEL_WEIGHTS = {"sms": 40, "whatsapp": 32, "web": 15, "facebook": 6, "custom": 5, "line": 2}
INTEGRATION_WEIGHTS = {"studio": 60, "external": 25, "task": 15}
CHANNEL_NAMES = {
    "sms": "SMS", "whatsapp": "WhatsApp", "web": "web chat",
    "facebook": "Messenger", "line": "LINE", "custom": "Instagram",
}  # fmt: skip
NAME_TEMPLATES = (
    "{purpose} – {city} ({channel})",  # noqa: RUF001  # a dash as people write it
    "{purpose} {city} {channel}",
    "{purpose} · {city} {channel}",
)
DEMO_SIDS = {
    name: FLEX_FLOW.by_name[name].sid_prefix + "5c" * 16
    for name in FLEX_FLOW.by_name
    if FLEX_FLOW.by_name[name].sid_prefix
}
DEMO_URL = "https://hooks.example.com/flex/incoming"


def generate_flows(
    count: int, *, seed: int, account_sid: str, end_time: datetime
) -> Iterator[Body]:
    """Yield `count` flows in Twilio's response form, oldest first, created before `end_time`."""
    generator = _FlowGenerator(random.Random(seed), account_sid)  # noqa: S311 - not a secret
    ages = sorted((generator.random.random() for _ in range(count)), reverse=True)
    for index, age in enumerate(ages):
        created_at = end_time - timedelta(days=age * MAX_AGE_DAYS)
        updated_at = created_at + (end_time - created_at) * generator.random.random() ** 2
        flow = generator.flow(_flaw_of(index))
        flow["date_created"] = format_timestamp(created_at)
        flow["date_updated"] = format_timestamp(updated_at)
        yield FLEX_FLOW.encode(flow)


def _flaw_of(index: int) -> str | None:
    """Return the flaw of the flow with this index, or None. The flaws take turns."""
    interval, position = divmod(index, FLAW_INTERVAL)
    if position != FLAW_INTERVAL - 1:
        return None
    return FLAWS[interval % len(FLAWS)]


def default_fields(number: int, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return default fields for a flow, with another name and identity for each number.

    `fields` are the fields that the caller sets, from which the channel and the integration type
    are taken.
    """
    channel = fields.get("channel_type", "sms")
    integration_type = fields.get("integration_type", "studio")
    defaults = {
        "friendly_name": f"Appointments · Austin {CHANNEL_NAMES.get(channel, channel)} {number}",
        "chat_service_sid": DEMO_SIDS["chat_service_sid"],
        "channel_type": channel,
        "contact_identity": _format_identity(channel, GENERIC_LOCALE.number(number), str(number)),
        "enabled": True,
        "integration_type": integration_type,
        "long_lived": False,
        "janitor_enabled": False,
    }
    for field in FLEX_FLOW.nested_fields_of(integration_type):
        value = DEMO_URL if field.kind == "url" else DEMO_SIDS.get(field.name, field.default)
        if value is not None:
            defaults[field.name] = value
    return defaults


class _FlowGenerator:
    """A generator of random flows with unique names and identities."""

    def __init__(self, generator: random.Random, account_sid: str) -> None:
        self.random = generator
        self._account_sid = account_sid
        self._name_counts: dict[str, int] = {}
        # The number of identities so far, by channel type and language.
        self._identity_counts: dict[tuple[str, str], int] = {}
        # The latest identity of an enabled flow, by channel type.
        self._enabled_identities: dict[str, str] = {}
        self._used_identities: set[tuple[str, str]] = set()
        self._chat_services = [self._sid("IS") for _ in range(3)]
        self._studio_flows = [self._sid("FW") for _ in range(8)]
        self._workspaces = [self._sid("WS") for _ in range(3)]
        workflows = [self._sid("WW") for _ in range(WORKFLOW_COUNT)]
        # Each workflow belongs to one workspace.
        self._workflows = {
            workspace: workflows[position :: len(self._workspaces)]
            for position, workspace in enumerate(self._workspaces)
        }

    def flow(self, flaw: str | None) -> dict[str, Any]:
        """Return a random snapshot without dates. `flaw` is one of FLAWS or None."""
        channel = self._channel(flaw)
        locale = self.random.choice(LOCALES)
        identity = self._next_identity(channel, locale)
        is_enabled = self.random.random() < 0.85  # most flows are enabled
        if flaw == "no studio flow":
            integration_type = "studio"
        else:
            integration_type = self._choose(INTEGRATION_WEIGHTS)
        flow: dict[str, Any] = {
            "sid": self._sid("FO"),
            "account_sid": self._account_sid,
            "friendly_name": self._name(locale, channel),
            "chat_service_sid": self.random.choice(self._chat_services),
            "channel_type": channel,
            "contact_identity": identity,
            "enabled": is_enabled,
            "integration_type": integration_type,
            **self._integration(integration_type),
            "long_lived": self.random.random() < 0.15,
            "janitor_enabled": self.random.random() < 0.2,
        }
        self._add_flaw(flow, flaw)
        if flow["enabled"] and flow["contact_identity"]:
            self._disable_duplicate(flow)
        return flow

    def _channel(self, flaw: str | None) -> str:
        """Return a random channel in which a flow can have this flaw."""
        if flaw in {"no identity", "wrong identity"}:
            return "sms"
        if flaw == "disabled twin" and self._enabled_identities:
            return self.random.choice(list(self._enabled_identities))
        return self._choose(CHANNEL_WEIGHTS)

    def _add_flaw(self, flow: dict[str, Any], flaw: str | None) -> None:
        """Change a flow so that it has this flaw."""
        channel = flow["channel_type"]
        if flaw == "no identity":
            flow["contact_identity"] = None
        elif flaw == "wrong identity":
            flow["contact_identity"] = "00" + flow["contact_identity"].lstrip("+")
        elif flaw == "no studio flow":
            del flow["integration_flow_sid"]
        elif flaw == "disabled twin" and channel in self._enabled_identities:
            flow["contact_identity"] = self._enabled_identities[channel]
            flow["enabled"] = False

    def _disable_duplicate(self, flow: dict[str, Any]) -> None:
        """Disable a flow if an enabled one has its channel and identity.

        That happens once all fictional numbers are in use.
        """
        channel, identity = flow["channel_type"], flow["contact_identity"]
        if (channel, identity) in self._used_identities:
            flow["enabled"] = False
        self._used_identities.add((channel, identity))
        self._enabled_identities[channel] = identity

    def _integration(self, integration_type: str) -> dict[str, Any]:
        """Return random fields for an integration of this type."""
        pick = self.random.choice
        if integration_type == "task":
            workspace = pick(self._workspaces)
            workflows, number = self._workflows[workspace], pick(range(WORKFLOW_COUNT))
            return {
                "integration_workspace_sid": workspace,
                "integration_workflow_sid": workflows[number % len(workflows)],
                "integration_channel": pick(("default", "sms", "chat")),
                "integration_timeout": pick((86_400, 86_400, 3_600, 1_800)),
                "integration_priority": pick((0, 0, 0, 5, 10)),
            }
        fields: dict[str, Any] = {}
        if integration_type == "studio":
            fields["integration_flow_sid"] = pick(self._studio_flows)
        else:
            fields["integration_url"] = self._webhook_url()
        fields["integration_retry_count"] = pick((3, 3, 3, 1, 0))
        return fields

    def _webhook_url(self) -> str:
        """Return a random URL. Some have a made-up secret, as user-info or as a parameter."""
        host, path = self.random.choice(WEBHOOK_HOSTS), self.random.choice(WEBHOOK_PATHS)
        if self.random.random() > SECRET_WEBHOOK_SHARE:
            return f"https://{host}{path}"
        secret = f"made-up-{self.random.getrandbits(48):012x}"
        if self.random.random() < 0.5:
            return f"https://twilio:{secret}@{host}{path}"
        return f"https://{host}{path}?team=care&token={secret}"

    def _name(self, locale: Locale, channel: str) -> str:
        """Return a random friendly name, with a number if it is taken."""
        name = self.random.choice(NAME_TEMPLATES).format(
            purpose=self.random.choice(locale.purposes),
            city=self.random.choice(locale.cities),
            channel=CHANNEL_NAMES[channel],
        )
        count = self._name_counts.get(name, 0) + 1
        self._name_counts[name] = count
        return name if count == 1 else f"{name} #{count}"

    def _next_identity(self, channel: str, locale: Locale) -> str | None:
        """Return the next identity of a channel in a locale."""
        index = self._identity_counts.get((channel, locale.language), 0)
        self._identity_counts[channel, locale.language] = index + 1
        suffix = f"{locale.language.lower()}-{index + 1}"
        return _format_identity(channel, locale.number(index), suffix)

    def _choose(self, weights: Mapping[str, int]) -> str:
        return self.random.choices(list(weights), list(weights.values()))[0]

    def _sid(self, prefix: str) -> str:
        return f"{prefix}{self.random.getrandbits(128):032x}"


def _format_identity(channel: str, number: str, suffix: str) -> str | None:
    """Return a contact identity in its channel's format, or None for web chat."""
    match channel:
        case "sms":
            return number
        case "whatsapp":
            return f"whatsapp:{number}"
        case "facebook":
            return f"messenger:{number.lstrip('+').rjust(15, '1')}"
        case "web":
            return None
        case _:
            label = CHANNEL_NAMES.get(channel, channel).lower()
            return f"{label}-{suffix}"
