"""Parts that the state of an account is built from. Flows, addresses and Studio Flows have letters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flows.checks.account_rules import AccountState
from flows.core.identities import normalize_identity
from flows.names.handling import (
    ChatServices,
    NumberHandling,
    SenderHandling,
    StudioFacts,
    Surroundings,
)
from flows.names.lookup import Name
from flows.routing.questions import ADDRESS_TYPES
from flows.routing.routing_state import Address, RoutingState
from tests.data import EXAMPLES
from tests.flows.checks import complete_flows

N = "+14155550123"
WHATSAPP = f"whatsapp:{N}"
READ_AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
READ = {
    "phone_number", "whatsapp_sender", "messaging_service", "address_configuration", "studio_flow",
    "workspace", "workflow", "task_channel",
}  # fmt: skip
BOTH_EVENTS = ["incomingMessage", "incomingConversationMessage"]


class World:
    """An account at Twilio. Its parts take the channel and the identity of the question by default."""

    def __init__(self, channel: str, identity: str) -> None:
        self.channel, self.identity = channel, identity
        self.flows: dict[str, Any] = {}
        self.names: dict[str, Name] = {}
        self.references: dict[str, str] = {}
        self.numbers: dict[str, NumberHandling] = {}
        self.senders: dict[str, SenderHandling] = {}
        self.studio_flows: dict[str, StudioFacts] = {}
        self.addresses: dict[str, Address] = {}
        self.open_changes: set[str] = set()
        self.complete = set(READ)
        self.is_mirror_complete = True
        own_service = EXAMPLES["chat_service_sid"]
        self.chat_services = ChatServices(own_service, own_service, READ_AT)
        studio("default", sid=EXAMPLES["integration_flow_sid"])(self)
        self.name("WS", EXAMPLES["integration_workspace_sid"], "workspace")

    def name(self, prefix: str, sid: str, resource: str, **values: Any) -> None:
        values = {"name": "A name", "status": "", "parent_sid": "", "is_gone": False, **values}
        self.names[sid] = Name(sid, resource, **values)

    def state(self) -> RoutingState:
        account = AccountState(self.flows, self.names, self.references, frozenset(self.complete))
        surroundings = Surroundings(
            self.numbers, self.senders, self.studio_flows, self.chat_services
        )
        return RoutingState(
            account, surroundings, self.addresses, self.open_changes, self.is_mirror_complete
        )


Part = Callable[[World], None]


def build(parts: list[Part], channel: str, identity: str) -> RoutingState:
    world = World(channel, identity)
    for part in parts:
        part(world)
    return world.state()


def sid_of(letter: str, prefix: str) -> str:
    """Return a SID that says its letter: FO and the letter in hexadecimal, filled up."""
    return prefix + letter.encode().hex().rjust(32, "0")


def flow(letter: str, *, kind: str = "studio", channel: str = "", identity: str | None = None,
         on: bool = True, studio: str = "", **fields: Any) -> Part:  # fmt: skip
    def add(world: World) -> None:
        if studio:
            fields["integration_flow_sid"] = sid_of(studio, "FW")
        own_identity = world.identity if identity is None else identity
        world.flows[sid_of(letter, "FO")] = complete_flows.flow(
            kind, channel or world.channel, friendly_name=letter,
            contact_identity=own_identity, enabled=on, **fields,
        )  # fmt: skip

    return add


def number(*, webhook: str = "", application: str = "", service: str | None = None,
           uses_number: bool | None = False, sms: bool | None = True,
           is_read: bool = True) -> Part:  # fmt: skip
    """A phone number that the account owns, N. `webhook` and `service` are hosts or "proxy"."""

    def add(world: World) -> None:
        world.numbers[normalize_identity(N)] = NumberHandling(
            N, "PN" + "1" * 32, sms, *_host(webhook), application,
            **_service(service, uses_number), read_at=READ_AT if is_read else None,
        )  # fmt: skip

    return add


def sender(*, webhook: str = "", status: str = "ONLINE", service: str | None = None,
           uses_number: bool | None = False, is_read: bool = True) -> Part:  # fmt: skip
    """The WhatsApp sender of N."""

    def add(world: World) -> None:
        world.senders[normalize_identity(WHATSAPP)] = SenderHandling(
            WHATSAPP, "XE" + "1" * 32, status, (), *_host(webhook),
            **_service(service, uses_number), read_at=READ_AT if is_read else None,
        )  # fmt: skip

    return add


def address(letter: str, *, kind: str = "", of: str = "", on: bool = True,
            integration: str = "studio", studio: str = "default", host: str = "") -> Part:  # fmt: skip
    def add(world: World) -> None:
        is_default = studio == "default"
        studio_sid = EXAMPLES["integration_flow_sid"] if is_default else sid_of(studio, "FW")
        world.addresses[sid_of(letter, "IG")] = Address(
            sid_of(letter, "IG"), kind or ADDRESS_TYPES[world.channel], of or world.identity,
            letter, on, integration, studio_sid, host,
        )  # fmt: skip

    return add


def studio(letter: str, *, sid: str = "", status: str = "published", revision: int = 3,
           is_gone: bool = False, events: list[str] = BOTH_EVENTS) -> Part:  # fmt: skip
    def add(world: World) -> None:
        own_sid = sid or sid_of(letter, "FW")
        world.name("FW", own_sid, "studio_flow", status=status, is_gone=is_gone, revision=revision)
        world.studio_flows[own_sid] = StudioFacts(
            own_sid, status, revision, revision, frozenset(events), read_at=READ_AT
        )

    return add


def workflow(*, workspace: str = "") -> Part:
    """The workflow that flows have by default, in their workspace or in another one."""

    def add(world: World) -> None:
        own = EXAMPLES["integration_workspace_sid"]
        parent = sid_of(workspace[:8], "WS") if workspace else own
        world.name("WW", EXAMPLES["integration_workflow_sid"], "workflow", parent_sid=parent)

    return add


def task_channel() -> Part:
    def add(world: World) -> None:
        sid = "TC" + "1" * 32
        world.name("TC", sid, "task_channel", parent_sid=EXAMPLES["integration_workspace_sid"])
        world.references[sid] = EXAMPLES["integration_channel"]

    return add


def unread(resource: str) -> Part:
    return lambda world: world.complete.discard(resource)


def open_change(letter: str) -> Part:
    return lambda world: world.open_changes.add(sid_of(letter, "FO"))


def stale_mirror() -> Part:
    def add(world: World) -> None:
        world.is_mirror_complete = False

    return add


def _host(webhook: str) -> tuple[str, bool]:
    return ("webhooks.twilio.com", True) if webhook == "proxy" else (webhook, False)


def _service(service: str | None, uses_number: bool | None) -> dict[str, Any]:
    if service is None:
        return {}
    host, is_proxy = _host(service)
    return {
        "messaging_service_sid": "MG" + "1" * 32,
        "service_inbound_host": host,
        "service_is_proxy": is_proxy,
        "service_uses_number_webhook": uses_number,
        "service_read_at": READ_AT,
    }
