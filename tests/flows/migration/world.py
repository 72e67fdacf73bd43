"""Flows of every kind that can be migrated or not, with their numbers, services and addresses."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from flows.mirror import mirror
from flows.twilio.api.phone_number_settings import PHONE_NUMBER_SETTINGS
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.messaging.service_membership import SERVICE_MEMBERSHIP
from flows.twilio.messaging.whatsapp_sender import WHATSAPP_SENDER
from flows.twilio.sandbox.named_bodies import BodyFactory, make_sid
from flows.twilio.sandbox.rules import format_timestamp
from flows.twilio.sandbox.server import Sandbox
from tests import ACCOUNT

SECRET: Final = "canary-7f3a"
STUDIO: Final = {
    "integration_type": "studio",
    "integration_flow_sid": "FW" + "1" * 32,
    "integration_retry_count": 3,
}
EXTERNAL: Final = {
    "integration_type": "external",
    "integration_url": "https://hooks.example.com/flex",
}
EXTERNAL_SECRET: Final = {
    "integration_type": "external",
    "integration_url": f"https://hooks.example.com/flex?token={SECRET}",
}
TASK: Final = {
    "integration_type": "task",
    "integration_workspace_sid": "WS" + "1" * 32,
    "integration_workflow_sid": "WW" + "1" * 32,
}
INTEGRATIONS: Final = {
    "studio": STUDIO,
    "webhook": EXTERNAL,
    "secret webhook": EXTERNAL_SECRET,
    "task": TASK,
}
PROXY_URL: Final = (
    f"https://webhooks.twilio.com/v1/Accounts/{ACCOUNT}/Proxy/KS{'1' * 32}/Webhooks/Message"
)
APPLICATION_SID: Final = "AP" + "1" * 32
SERVICE_SID: Final = make_sid("MG", "Customer notifications")
KEY: Final = "DK" + "1" * 32  # of the web chat's deployment
# The settings of an SMS number: webhook, application and Messaging Service.
NUMBERS: Final[dict[str, tuple[str, str, str]]] = {
    "proxied": (PROXY_URL, "", ""),
    "application": ("", APPLICATION_SID, ""),
    "both": (PROXY_URL, APPLICATION_SID, ""),
    "bare": ("", "", ""),
    "in a service": (PROXY_URL, "", SERVICE_SID),
    "bare in a service": ("", "", SERVICE_SID),
}
# An address that exists before, by its auto-creation.
ADDRESSES: Final[dict[str, dict[str, Any]]] = {
    "none": {},
    "studio": {
        "auto_creation_type": "studio",
        "auto_creation_studio_flow_sid": "FW" + "2" * 32,
        "auto_creation_studio_retry_count": 1,
    },
    "webhook": {
        "auto_creation_type": "webhook",
        "auto_creation_webhook_url": "https://old.example.com/in",
        "auto_creation_webhook_method": "GET",
        "auto_creation_webhook_filters": ["onConversationRemoved"],
    },
    "default": {"auto_creation_type": "default"},
}


@dataclass(frozen=True)
class Kind:
    """A kind of flow. `refusal` is a part of the sentence that refuses to migrate it."""

    channel: str = "sms"
    integration: str = "studio"
    number: str = ""
    address: str = "none"
    refusal: str = ""
    enabled: bool = True
    address_on: bool = False
    secret_number: bool = False
    secret_address: bool = False

    def __str__(self) -> str:
        parts = [self.channel, self.integration, self.number, f"address {self.address}"]
        return ", ".join(filter(None, parts)) + (" (refused)" if self.refusal else "")


def all_kinds() -> list[Kind]:
    """Return the kinds that can be migrated, then those that can't."""
    return [*_possible_kinds(), *_refused_kinds()]


def _possible_kinds() -> Iterator[Kind]:
    integrations = ("studio", "webhook", "secret webhook")
    for integration, number in itertools.product(integrations, NUMBERS):
        yield Kind(integration=integration, number=number)
    for integration, address in itertools.product(integrations, list(ADDRESSES)[1:]):
        yield Kind(integration=integration, number="in a service", address=address)
    for channel, integration in itertools.product(("whatsapp", "facebook", "web"), integrations):
        yield Kind(channel=channel, integration=integration)
        yield Kind(channel=channel, integration=integration, address="studio")
    yield Kind(number="")  # the account has no such number


def _refused_kinds() -> Iterator[Kind]:
    for channel in ("sms", "whatsapp", "facebook", "web"):
        yield Kind(channel=channel, integration="task", refusal="integration type")
    for channel in ("line", "custom"):
        yield Kind(channel=channel, refusal="channel")
    yield Kind(number="proxied", enabled=False, refusal="flow is off")
    yield Kind(number="proxied", address="studio", address_on=True, refusal="is on already")
    yield Kind(channel="whatsapp", address="webhook", address_on=True, refusal="is on already")
    yield Kind(number="proxied", secret_number=True, refusal="contains a secret")
    yield Kind(number="both", secret_number=True, refusal="contains a secret")
    for integration in ("studio", "webhook"):
        yield Kind(
            integration=integration, address="webhook", secret_address=True, refusal="a secret"
        )
    yield Kind(channel="facebook", integration="task", address="studio", refusal="integration")


class World:
    """Flows in a sandbox, with what surrounds them."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.count = 0
        self._bodies = BodyFactory(sandbox.account_sid, datetime(2026, 1, 1, tzinfo=UTC))

    def add(self, kind: Kind) -> str:
        """Add a flow of this kind with its surroundings, and return its SID."""
        self.count += 1
        identity = self._identity(kind)
        sid = self.sandbox.add_flow(
            friendly_name=f"Flow {self.count:03}",
            channel_type=kind.channel,
            contact_identity="" if kind.channel == "web" else identity,
            chat_service_sid="IS" + "1" * 32,
            enabled=kind.enabled,
            **INTEGRATIONS[kind.integration],
        )
        if kind.channel == "whatsapp":
            sender = self._bodies.whatsapp_sender(identity, "ONLINE", PROXY_URL)
            self.sandbox.store_of(WHATSAPP_SENDER).add(sender)
        if kind.number:
            self._add_number(identity, kind)
        if kind.address != "none":
            self._add_address(identity, kind)
        mirror.fetch(sid, account_sid=ACCOUNT)  # faster than a sync of all
        return sid

    def state(self, sid: str) -> dict[str, Any]:
        """Return every field that a migration may change, of the flow, its number and its address."""
        flow = FLEX_FLOW.decode(self.sandbox.flows[sid])
        identity = _address_of(flow)
        return {
            "flow": _without_dates(flow),
            "address": next(
                (
                    _without_dates(ADDRESS_CONFIGURATION.decode(body))
                    for body in self.sandbox.store_of(ADDRESS_CONFIGURATION).snapshot().values()
                    if body["address"] == identity
                ),
                None,
            ),
            "number": _without_dates(self._number(flow) or {}),
            "services": self._services(flow),
        }

    def handlers(self, sid: str, before: dict[str, Any]) -> list[str]:
        """Return who answers the flow's customers now. `before` is its state before."""
        state = self.state(sid)
        handlers = []
        is_attached = (state["number"], state["services"]) == (before["number"], before["services"])
        if state["flow"]["enabled"] and is_attached:
            handlers.append("flow")
        if state["address"] and state["address"]["auto_creation_enabled"]:
            handlers.append("address")
        return handlers

    def _identity(self, kind: Kind) -> str:
        number = f"+1628555{self.count:04}"  # none that the sandbox has by itself
        if kind.channel == "web":
            return KEY[: -len(str(self.count))] + str(self.count)
        return {"whatsapp": f"whatsapp:{number}", "facebook": f"page-{self.count}"}.get(
            kind.channel, number
        )

    def deployment_key(self, kind: Kind) -> str:
        """Return the key of the web chat that was added last, or ""."""
        return self._identity(kind) if kind.channel == "web" else ""

    def _add_number(self, identity: str, kind: Kind) -> None:
        url, application, service_sid = NUMBERS[kind.number]
        if kind.secret_number:
            url = f"https://hooks.example.com/sms?token={SECRET}"
        body = self._bodies.phone_number(identity, f"Number {self.count}", url, application)
        self.sandbox.store_of(PHONE_NUMBER_SETTINGS).add(body)
        if service_sid:
            member = self._bodies.service_number(identity, service_sid)
            self.sandbox.store_of(SERVICE_MEMBERSHIP, service_sid).add(member)

    def _add_address(self, identity: str, kind: Kind) -> None:
        values = dict(ADDRESSES[kind.address])
        if kind.secret_address:
            values["auto_creation_webhook_url"] = f"https://old.example.com/?token={SECRET}"
        prefix = {"facebook": "messenger:"}.get(kind.channel, "")
        types = {"facebook": "messenger", "web": "chat"}
        date = format_timestamp(datetime(2026, 1, 1, tzinfo=UTC))
        snapshot = {
            "sid": f"IG{self.count:032}",
            "account_sid": ACCOUNT,
            "type": types.get(kind.channel, kind.channel),
            "address": prefix + identity,
            "address_country": None,
            "friendly_name": "Old address",
            "auto_creation_enabled": kind.address_on,
            "auto_creation_conversation_service_sid": "IS" + "3" * 32,
            **values,
            "date_created": date,
            "date_updated": date,
        }
        self.sandbox.store_of(ADDRESS_CONFIGURATION).add(ADDRESS_CONFIGURATION.encode(snapshot))

    def _number(self, flow: dict[str, Any]) -> dict[str, Any] | None:
        numbers = self.sandbox.store_of(PHONE_NUMBER_SETTINGS).snapshot().values()
        identity = flow["contact_identity"]
        return next((body for body in numbers if body["phone_number"] == identity), None)

    def _services(self, flow: dict[str, Any]) -> list[str]:
        members = self.sandbox.store_of(SERVICE_MEMBERSHIP, SERVICE_SID).snapshot().values()
        identity = flow["contact_identity"]
        return [body["service_sid"] for body in members if body["phone_number"] == identity]


def _address_of(flow: dict[str, Any]) -> str:
    identity = str(flow.get("contact_identity") or "")
    if flow["channel_type"] == "facebook":
        return f"messenger:{identity}"
    if flow["channel_type"] == "web":
        number = str(int(str(flow["friendly_name"]).removeprefix("Flow ")))
        return KEY[: -len(number)] + number
    return identity


def _without_dates(snapshot: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in snapshot.items()
        if name not in ("date_updated", "date_created", "url")
    }
