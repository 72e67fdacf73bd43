"""Made-up flows of a made-up company, the same ones for the same seed; a few of them flawed.

The company's words and telephone numbers are in places. Numbers come from ranges reserved for
fiction, addresses from example domains; every secret is made up. Nothing here is checked by contract.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flows.twilio.flex.flex_flow import (
    FIELDS_BY_NAME,
    INTEGRATION_FIELDS,
    is_applicable,
    to_response,
)
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

    from flows.twilio.sandbox.rules import Resource

MAX_AGE_DAYS = 730
SECRET_WEBHOOK_SHARE = 0.15  # of the webhooks carry one
FLAW_INTERVAL = 40  # flows
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
    name: FIELDS_BY_NAME[name].sid_prefix + "5c" * 16
    for name in FIELDS_BY_NAME
    if FIELDS_BY_NAME[name].sid_prefix
}
DEMO_URL = "https://hooks.example.com/flex/incoming"


def generate_flows(count: int, *, seed: int, account_sid: str, now: datetime) -> Iterator[Resource]:
    """So many flows, oldest first, in Twilio's response form."""
    company = _FlowGenerator(random.Random(seed), account_sid)  # noqa: S311  # the same each time, on purpose
    ages = sorted((company.random.random() for _ in range(count)), reverse=True)
    for at, age in enumerate(ages):
        flaw = (
            FLAWS[at // FLAW_INTERVAL % len(FLAWS)]
            if at % FLAW_INTERVAL == FLAW_INTERVAL - 1
            else None
        )
        created = now - timedelta(days=age * MAX_AGE_DAYS)
        updated = created + (now - created) * company.random.random() ** 2
        yield to_response(
            company.flow(flaw)
            | {"date_created": format_timestamp(created), "date_updated": format_timestamp(updated)}
        )


def default_fields(number: int, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Defaults for one flow that a test puts there: a different name and identity for each number."""
    channel = fields.get("channel_type", "sms")
    integration_type = fields.get("integration_type", "studio")
    own = {
        "friendly_name": f"Appointments · Austin {CHANNEL_NAMES.get(channel, channel)} {number}",
        "chat_service_sid": DEMO_SIDS["chat_service_sid"],
        "channel_type": channel,
        "contact_identity": _format_identity(channel, GENERIC_LOCALE.number(number), str(number)),
        "enabled": True,
        "integration_type": integration_type,
        "long_lived": False,
        "janitor_enabled": False,
    }
    of_integration = {
        field.name: DEMO_SIDS.get(field.name)
        or (DEMO_URL if field.kind == "url" else field.default)
        for field in INTEGRATION_FIELDS
        if is_applicable(field, integration_type)
    }
    return own | {name: value for name, value in of_integration.items() if value is not None}


class _FlowGenerator:
    """Draws flows. It remembers names and identities, so that none is given twice."""

    def __init__(self, chance: random.Random, account_sid: str) -> None:
        self.random = chance
        self._account_sid = account_sid
        self._names: dict[str, int] = {}
        self._numbers: dict[tuple[str, str], int] = {}
        self._taken: dict[
            str, str
        ] = {}  # channel type → the last identity that an enabled flow has
        self._used: set[tuple[str, str]] = set()
        self._chat_services = [self._sid("IS") for _ in range(3)]
        self._studio_flows = [self._sid("FW") for _ in range(8)]
        self._workspaces = [self._sid("WS") for _ in range(3)]
        self._workflows = [self._sid("WW") for _ in range(5)]

    def flow(self, flaw: str | None) -> dict[str, Any]:
        channel = self._channel(flaw)
        place = self.random.choice(LOCALES)
        identity = self._next_identity(channel, place)
        enabled = self.random.random() < 0.85  # most flows are on
        integration_type = (
            "studio" if flaw == "no studio flow" else self._drawn(INTEGRATION_WEIGHTS)
        )
        flow: dict[str, Any] = {
            "sid": self._sid("FO"),
            "account_sid": self._account_sid,
            "friendly_name": self._name(place, channel),
            "chat_service_sid": self.random.choice(self._chat_services),
            "channel_type": channel,
            "contact_identity": identity,
            "enabled": enabled,
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
        if flaw in {"no identity", "wrong identity"}:
            return "sms"
        if flaw == "disabled twin" and self._taken:
            return self.random.choice(list(self._taken))
        return self._drawn(CHANNEL_WEIGHTS)

    def _add_flaw(self, flow: dict[str, Any], flaw: str | None) -> None:
        if flaw == "no identity":
            flow["contact_identity"] = None
        elif flaw == "wrong identity":
            flow["contact_identity"] = "00" + flow["contact_identity"].lstrip("+")
        elif flaw == "no studio flow":
            del flow["integration_flow_sid"]
        elif flaw == "disabled twin" and flow["channel_type"] in self._taken:
            flow["contact_identity"] = self._taken[flow["channel_type"]]
            flow["enabled"] = False

    def _disable_duplicate(self, flow: dict[str, Any]) -> None:
        """Disable a flow whose channel and identity an enabled one has already."""
        channel, identity = flow["channel_type"], flow["contact_identity"]
        if (channel, identity) in self._used:  # the numbers of fiction have run out
            flow["enabled"] = False
        self._used.add((channel, identity))
        self._taken[channel] = identity

    def _integration(self, integration_type: str) -> dict[str, Any]:
        pick = self.random.choice
        if integration_type == "task":
            return {
                "integration_workspace_sid": pick(self._workspaces),
                "integration_workflow_sid": pick(self._workflows),
                "integration_channel": pick(("default", "sms", "chat")),
                "integration_timeout": pick((86_400, 86_400, 3_600, 1_800)),
                "integration_priority": pick((0, 0, 0, 5, 10)),
            }
        own = (
            {"integration_flow_sid": pick(self._studio_flows)}
            if integration_type == "studio"
            else {"integration_url": self._webhook_url()}
        )
        return own | {"integration_retry_count": pick((3, 3, 3, 1, 0))}

    def _webhook_url(self) -> str:
        host, path = self.random.choice(WEBHOOK_HOSTS), self.random.choice(WEBHOOK_PATHS)
        if self.random.random() > SECRET_WEBHOOK_SHARE:
            return f"https://{host}{path}"
        secret = f"made-up-{self.random.getrandbits(48):012x}"
        if self.random.random() < 0.5:  # the two ways are as common
            return f"https://twilio:{secret}@{host}{path}"
        return f"https://{host}{path}?team=care&token={secret}"

    def _name(self, place: Locale, channel: str) -> str:
        name = self.random.choice(NAME_TEMPLATES).format(
            purpose=self.random.choice(place.purposes),
            city=self.random.choice(place.cities),
            channel=CHANNEL_NAMES[channel],
        )
        seen = self._names[name] = self._names.get(name, 0) + 1
        return name if seen == 1 else f"{name} #{seen}"

    def _next_identity(self, channel: str, place: Locale) -> str | None:
        """The next number of the place's range that this channel has not had."""
        at = self._numbers.get((channel, place.language), 0)
        self._numbers[channel, place.language] = at + 1
        return _format_identity(channel, place.number(at), f"{place.language.lower()}-{at + 1}")

    def _drawn(self, weights: Mapping[str, int]) -> str:
        return self.random.choices(list(weights), list(weights.values()))[0]

    def _sid(self, prefix: str) -> str:
        return f"{prefix}{self.random.getrandbits(128):032x}"


def _format_identity(channel: str, number: str, suffix: str) -> str | None:
    """A contact identity in the format that its channel uses."""
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
