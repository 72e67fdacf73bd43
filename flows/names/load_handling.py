"""The surroundings of flows, loaded from what the last refreshes of the names stored."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from django.db.models import Q

from flows.core.identities import PHONE_MIN_DIGITS, normalize_identity
from flows.core.normalization import normalize_text
from flows.names.handling import (
    ChatServices,
    NumberHandling,
    SenderHandling,
    SendToFlex,
    StudioFacts,
    Surroundings,
)
from flows.names.models import NameReading, ObjectReading, ResourceName
from flows.twilio.api.incoming_phone_number import INCOMING_PHONE_NUMBER
from flows.twilio.conversations.conversation_configuration import CONVERSATION_CONFIGURATION
from flows.twilio.flex.configuration import CONFIGURATION
from flows.twilio.messaging.messaging_service import MESSAGING_SERVICE
from flows.twilio.messaging.service_members import SERVICE_NUMBER, SERVICE_SENDER
from flows.twilio.messaging.whatsapp_sender import WHATSAPP_SENDER
from flows.twilio.studio.studio_definition import STUDIO_DEFINITION
from flows.twilio.studio.studio_flow import STUDIO_FLOW

NUMBER_RESOURCES: Final = (INCOMING_PHONE_NUMBER.name, WHATSAPP_SENDER.name)


def load_surroundings(
    account_sid: str,
    *,
    identities: Collection[str] | None = None,
    studio_flow_sids: Collection[str] | None = None,
) -> Surroundings:
    """Return what surrounds the flows of an account, with three queries.

    `identities` and `studio_flow_sids` limit it to these numbers and senders, in any spelling, and
    to these Studio Flows.
    """
    rows = _Rows(account_sid, _wanted_names(identities, studio_flow_sids))
    return Surroundings(
        numbers={
            normalize_identity(row.reference): rows.number(row)
            for row in rows.of(INCOMING_PHONE_NUMBER.name)
        },
        senders={
            normalize_identity(row.reference): rows.sender(row)
            for row in rows.of(WHATSAPP_SENDER.name)
        },
        studio_flows={
            row.sid: rows.studio_flow(row)
            for row in rows.of(STUDIO_FLOW.name)
            if rows.has_definition(row)
        },
        chat_services=rows.chat_services(),
    )


def spellings(identity: str) -> set[str]:
    """Return an identity as it is, and as Twilio writes a number."""
    text = normalize_text(identity)
    digits = normalize_identity(identity)
    if not digits.isdecimal() or len(digits) < PHONE_MIN_DIGITS:
        return {text}
    return {text, *(f"{prefix}+{digits}" for prefix in ("", "whatsapp:", "tel:", "sms:"))}


def _wanted_names(
    identities: Collection[str] | None, studio_flow_sids: Collection[str] | None
) -> Q:
    numbers, studio_flows = Q(resource__in=NUMBER_RESOURCES), Q(resource=STUDIO_FLOW.name)
    if identities is not None:
        references = {each for identity in identities for each in spellings(identity)}
        numbers &= Q(reference__in=references)
    if studio_flow_sids is not None:
        sids = [sid for sid in studio_flow_sids if sid.isascii() and sid.isalnum()]
        studio_flows &= Q(sid__in=sids)
    return numbers | studio_flows | Q(resource=MESSAGING_SERVICE.name)


class _Rows:
    """The stored rows of one account."""

    def __init__(self, account_sid: str, name_filter: Q) -> None:
        self._account_sid = account_sid
        names = ResourceName.objects.filter(name_filter, account_sid=account_sid, gone_at=None)
        self._names = list(
            names.only("sid", "resource", "reference", "status", "revision", "details")
        )
        readings = ObjectReading.objects.filter(account_sid=account_sid)
        studio_sids = [row.sid for row in self.of(STUDIO_FLOW.name)]
        is_wanted = ~Q(resource=STUDIO_DEFINITION.name) | Q(sid__in=studio_sids)
        self.objects = {(row.sid, row.resource): row for row in readings.filter(is_wanted)}
        self._read_at: dict[str, datetime | None] = dict(
            NameReading.objects.filter(account_sid=account_sid).values_list("resource", "read_at")
        )
        self._services = self._load_services()

    def of(self, resource: str) -> list[ResourceName]:
        return [row for row in self._names if row.resource == resource]

    def number(self, row: ResourceName) -> NumberHandling:
        details = _mapping(row.details)
        return NumberHandling(
            phone_number=row.reference,
            owned_sid=row.sid,
            can_receive_sms=_boolean(details.get("can_receive_sms")),
            sms_url_host=_text(details.get("host")),
            is_proxy=details.get("is_proxy") is True,
            application_sid=_text(details.get("application_sid")),
            **self._service_of(row),
        )

    def sender(self, row: ResourceName) -> SenderHandling:
        details = _mapping(row.details)
        return SenderHandling(
            sender_id=row.reference,
            owned_sid=row.sid,
            status=row.status,
            offline_reasons=_texts(details.get("offline_reasons")),
            webhook_host=_text(details.get("host")),
            is_proxy=details.get("is_proxy") is True,
            **self._service_of(row),
        )

    def _service_of(self, row: ResourceName) -> dict[str, Any]:
        """Return the values of `Handling` for a number or a sender."""
        return {**self._services.get(row.sid, {}), "read_at": self._time_of(row)}

    def has_definition(self, row: ResourceName) -> bool:
        """Return True if the definition of a Studio Flow was read, and understood."""
        reading = self.objects.get((row.sid, STUDIO_DEFINITION.name))
        return reading is not None and "trigger_events" in _mapping(reading.facts)

    def studio_flow(self, row: ResourceName) -> StudioFacts:
        reading = self.objects[row.sid, STUDIO_DEFINITION.name]
        facts = _mapping(reading.facts)
        widgets = facts.get("send_to_flex")
        return StudioFacts(
            sid=row.sid,
            status=row.status,
            revision=reading.revision,
            latest_revision=row.revision,
            trigger_events=frozenset(_texts(facts.get("trigger_events"))),
            send_to_flex=tuple(
                _send_to_flex(each)
                for each in (widgets if isinstance(widgets, list) else ())
                if isinstance(each, dict)
            ),
            old_variables=frozenset(_texts(facts.get("old_variables"))),
            widget_count=_number(facts.get("widget_count")),
            read_at=reading.read_at,
            listed_at=self._read_at.get(row.resource),
        )

    def chat_services(self) -> ChatServices:
        flex = self.objects.get((self._account_sid, CONFIGURATION.name))
        default = self.objects.get((self._account_sid, CONVERSATION_CONFIGURATION.name))
        times = [row.read_at for row in (flex, default) if row]
        return ChatServices(
            flex_sid=_text(_mapping(flex.facts).get("chat_service_sid")) if flex else "",
            default_sid=_text(_mapping(default.facts).get("chat_service_sid")) if default else "",
            read_at=min(times, default=None),
        )

    def _load_services(self) -> dict[str, dict[str, Any]]:
        """Return what Messaging Services do, by the SID of each number and sender that is in them."""
        services: dict[str, dict[str, Any]] = {}
        for row in self.of(MESSAGING_SERVICE.name):
            details = _mapping(row.details)
            for resource in (SERVICE_NUMBER, SERVICE_SENDER):
                members = self.objects.get((row.sid, resource.name))
                if members is None or not details:
                    continue
                times = [each for each in (self._time_of(row), members.read_at) if each]
                service = {
                    "messaging_service_sid": row.sid,
                    "service_inbound_host": _text(details.get("host")),
                    "service_is_proxy": details.get("is_proxy") is True,
                    "service_uses_number_webhook": _boolean(details.get("uses_number_webhook")),
                    "service_read_at": min(times),
                }
                for sid in _texts(_mapping(members.facts).get("sids")):
                    services[sid] = service
        return services

    def _time_of(self, row: ResourceName) -> datetime | None:
        """Return when an object's list was last read, or None if its details weren't read yet."""
        return self._read_at.get(row.resource) if row.details else None


def _send_to_flex(facts: Mapping[str, Any]) -> SendToFlex:
    widget, workflow, channel = (
        _text(facts.get(name)) for name in ("widget", "workflow", "channel")
    )
    return SendToFlex(widget, workflow, channel, frozenset(_texts(facts.get("events"))))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _number(value: Any) -> int:
    return value if type(value) is int else 0
