"""Names for what the seeded flows point to: Studio Flows, TaskRouter, services, numbers, senders.

Two Studio Flows are drafts. The last one that flows use was deleted, unless it is the only one.
The SIDs of flows that tests add (`seed.DEMO_SIDS`) have names as well.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from itertools import count, cycle
from typing import TYPE_CHECKING

from flows.twilio.chat.chat_service import CHAT_SERVICE
from flows.twilio.conversations.conversation_configuration import CONVERSATION_CONFIGURATION
from flows.twilio.conversations.conversation_service import CONVERSATION_SERVICE
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.messaging.messaging_service import MESSAGING_SERVICE
from flows.twilio.messaging.service_members import SERVICE_SENDER
from flows.twilio.messaging.whatsapp_sender import WHATSAPP_SENDER
from flows.twilio.sandbox import number_stores
from flows.twilio.sandbox.handling_seed import (
    MESSAGING_SERVICES,
    ServiceSeed,
    members_at,
    sender_webhook,
    sms_handler,
)
from flows.twilio.sandbox.named_bodies import BodyFactory, make_sid
from flows.twilio.sandbox.seed import DEMO_SIDS
from flows.twilio.sandbox.store import Store
from flows.twilio.sandbox.studio_seed import make_definition
from flows.twilio.studio.studio_flow import STUDIO_FLOW
from flows.twilio.taskrouter.task_channel import TASK_CHANNEL
from flows.twilio.taskrouter.workflow import WORKFLOW
from flows.twilio.taskrouter.workspace import WORKSPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from flows.twilio.resource import Resource
    from flows.twilio.sandbox.rules import Body

STUDIO_FLOW_NAMES = (
    "Support IVR",
    "Appointment booking",
    "Order status",
    "Rückfragen & Reklamationen",
    "Billing questions",
    "After-hours reply",
    "Returns and refunds",
    "Suivi de commande",
    "Loyalty club",
)
UNUSED_STUDIO_FLOW_NAME = "Holiday greeting (old)"
DRAFT_POSITIONS = {2, 5}
WORKSPACE_NAMES = ("Flex Task Assignment", "Back office", "Outbound team", "Partner desk")
WORKFLOW_NAMES = (
    "Assign to anyone",
    "Support escalation",
    "Sales callbacks",
    "Claims",
    "VIP customers",
    "Night shift",
)
TASK_CHANNEL_NAMES = {
    "default": "Default",
    "voice": "Voice",
    "chat": "Programmable Chat",
    "sms": "SMS",
}
SERVICE_NAMES = ("Flex Chat Service", "Web chat Europe", "Bot conversations", "Legacy chat")
AGE = timedelta(days=40)
OFFLINE_INTERVAL = 7  # every 7th WhatsApp sender is offline


@dataclass(frozen=True, slots=True)
class MinimumCounts:
    """The smallest numbers of objects. Objects that no flow points to are added up to them."""

    studio_flows: int = 0
    workflows: int = 0


NO_MINIMUM = MinimumCounts()


def make_stores(
    flows: Iterable[Body],
    *,
    account_sid: str,
    clock: Callable[[], datetime],
    minimum: MinimumCounts = NO_MINIMUM,
) -> Iterator[Store]:
    """Yield a store for each collection of the named resources of these flows, newest first."""
    snapshots = [FLEX_FLOW.decode(flow) for flow in reversed(list(flows))]
    factory = BodyFactory(account_sid, clock() - AGE)
    names = _NameGenerator([DEMO_SIDS, *snapshots], factory, minimum)

    def make_store(resource: Resource, bodies: Sequence[Body], parent_sid: str = "") -> Store:
        return Store(
            resource,
            account_sid=account_sid,
            parent_sid=parent_sid,
            clock=clock,
            limit=len(bodies),
            seed=lambda: bodies,
        )

    yield make_store(STUDIO_FLOW, names.studio_flows())
    workflows = names.workflows()
    yield make_store(WORKSPACE, names.workspaces(list(workflows)))
    for workspace_sid, bodies in workflows.items():
        yield make_store(WORKFLOW, bodies, workspace_sid)
        yield make_store(TASK_CHANNEL, names.task_channels(workspace_sid), workspace_sid)
    yield make_store(CHAT_SERVICE, names.chat_services())
    yield make_store(CONVERSATION_SERVICE, names.conversation_services())
    configuration = factory.conversation_configuration(names.default_chat_service())
    yield make_store(CONVERSATION_CONFIGURATION, [configuration])
    yield make_store(MESSAGING_SERVICE, names.messaging_services())
    for service in MESSAGING_SERVICES:
        service_sid = make_sid("MG", service.name)
        yield make_store(SERVICE_SENDER, names.service_senders(service), service_sid)
    members = {make_sid("MG", one.name): names.service_numbers(one) for one in MESSAGING_SERVICES}
    yield from number_stores.make_stores(
        names.phone_numbers(), members, account_sid=account_sid, clock=clock
    )
    yield make_store(WHATSAPP_SENDER, names.whatsapp_senders())


class _NameGenerator:
    """Generates the objects that these flows, oldest first, point to."""

    def __init__(
        self, flows: Sequence[Mapping[str, object]], factory: BodyFactory, minimum: MinimumCounts
    ) -> None:
        self._flows = flows
        self._factory = factory
        self._minimum = minimum

    def studio_flows(self) -> list[Body]:
        sids = self._values("integration_flow_sid")
        existing = sids[:-1] if len(sids) > 1 else sids
        existing += _more_sids("FW", self._minimum.studio_flows - len(existing) - 1)
        bodies = [
            self._factory.studio_flow(
                sid,
                _name(STUDIO_FLOW_NAMES, position),
                is_draft=position in DRAFT_POSITIONS,
                revision=3 * position + 1,
                definition=self._definition(position),
            )
            for position, sid in enumerate(existing)
        ]
        unused = self._factory.studio_flow(
            make_sid("FW", UNUSED_STUDIO_FLOW_NAME),
            UNUSED_STUDIO_FLOW_NAME,
            is_draft=False,
            revision=2,
            definition=self._definition(0),
        )
        return [unused, *bodies]

    def _definition(self, position: int) -> Body:
        """Return the definition of a Studio Flow, which hands messages to a seeded workflow."""
        workspace_sid = self._values("integration_workspace_sid")[0]
        workflow_sid = self._values("integration_workflow_sid")[0]
        channel_sid = make_sid("TC", f"{workspace_sid} chat")
        return make_definition(position, workflow_sid, channel_sid)

    def workspaces(self, sids: Sequence[str]) -> list[Body]:
        return [
            self._factory.workspace(sid, _name(WORKSPACE_NAMES, position))
            for position, sid in enumerate(sids)
        ]

    def workflows(self) -> dict[str, list[Body]]:
        """Return the workflows by workspace. A workflow is in the first one that a flow names."""
        workflows: dict[str, list[Body]] = {}
        numbers, used = count(), set()
        for flow in self._flows:
            workspace = flow.get("integration_workspace_sid")
            workflow = flow.get("integration_workflow_sid")
            if not isinstance(workspace, str) or not isinstance(workflow, str):
                continue
            bodies = workflows.setdefault(workspace, [])
            if workflow not in used:
                used.add(workflow)
                name = _name(WORKFLOW_NAMES, next(numbers))
                bodies.append(self._factory.workflow(workflow, name, workspace))
        workspaces = cycle(workflows)
        for sid in _more_sids("WW", self._minimum.workflows - len(used)):
            workspace, name = next(workspaces), _name(WORKFLOW_NAMES, next(numbers))
            workflows[workspace].append(self._factory.workflow(sid, name, workspace))
        return workflows

    def task_channels(self, workspace_sid: str) -> list[Body]:
        return [
            self._factory.task_channel(unique_name, name, workspace_sid)
            for unique_name, name in TASK_CHANNEL_NAMES.items()
        ]

    def chat_services(self) -> list[Body]:
        return [self._factory.chat_service(sid, name) for sid, name in self._services()]

    def conversation_services(self) -> list[Body]:
        return [self._factory.conversation_service(sid, name) for sid, name in self._services()]

    def messaging_services(self) -> list[Body]:
        return [
            self._factory.messaging_service(
                service.name, service.inbound_url, uses_number_webhook=service.uses_number_webhook
            )
            for service in MESSAGING_SERVICES
        ]

    def service_numbers(self, service: ServiceSeed) -> list[Body]:
        numbers = members_at(service.number_position, list(self._numbers()))
        service_sid = make_sid("MG", service.name)
        return [self._factory.service_number(number, service_sid) for number in numbers]

    def service_senders(self, service: ServiceSeed) -> list[Body]:
        senders = members_at(service.sender_position, self._senders())
        service_sid = make_sid("MG", service.name)
        return [self._factory.service_sender(sender, service_sid) for sender in senders]

    def default_chat_service(self) -> str:
        """Return the service that most flows have, which is also that of Flex."""
        services = Counter(
            flow["chat_service_sid"] for flow in self._flows if flow.get("chat_service_sid")
        )
        return str(services.most_common(1)[0][0])

    def phone_numbers(self) -> list[Body]:
        """Return the numbers of SMS flows. Every second one has the name of a flow."""
        proxy_url = self._factory.proxy_url
        return [
            self._factory.phone_number(
                number, name if position % 2 else number, *sms_handler(position, proxy_url)
            )
            for position, (number, name) in enumerate(self._numbers().items())
        ]

    def whatsapp_senders(self) -> list[Body]:
        return [
            self._factory.whatsapp_sender(
                sender,
                "OFFLINE" if position % OFFLINE_INTERVAL == 3 else "ONLINE",
                sender_webhook(position, self._factory.proxy_url),
            )
            for position, sender in enumerate(self._senders())
        ]

    def _numbers(self) -> dict[str, str]:
        """Return the numbers of SMS flows, each with the name of its last flow."""
        return {
            str(flow["contact_identity"]): str(flow["friendly_name"])
            for flow in self._flows
            if str(flow.get("contact_identity")).startswith("+")
        }

    def _senders(self) -> list[str]:
        identities = self._values("contact_identity")
        return [identity for identity in identities if identity.startswith("whatsapp:")]

    def _services(self) -> list[tuple[str, str]]:
        """Return the services' SIDs and names. A service is in Chat and in Conversations."""
        sids = self._values("chat_service_sid")
        return [(sid, _name(SERVICE_NAMES, position)) for position, sid in enumerate(sids)]

    def _values(self, field: str) -> list[str]:
        """Return the different values of a field, in the order of the flows."""
        values = dict.fromkeys(flow.get(field) for flow in self._flows)
        return [value for value in values if isinstance(value, str)]


def _more_sids(prefix: str, count: int) -> list[str]:
    return [make_sid(prefix, f"unused {number}") for number in range(count)]


def _name(names: Sequence[str], position: int) -> str:
    """Return a name for the object at a position, with a number once the names are used up."""
    rounds, index = divmod(position, len(names))
    return names[index] if rounds == 0 else f"{names[index]} {rounds + 1}"
