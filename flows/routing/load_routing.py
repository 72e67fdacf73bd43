"""The state of an account for routing, read from the mirror, the names and the open changes.

Nothing is read from Twilio: the answer is as old as the last sync and the last reading of the names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import Q

from flows.accounts.twilio_accounts import Account
from flows.audit.models import OpenChange
from flows.checks.account_rules import NUMBER_CHANNELS, AccountState, comparable_identity
from flows.checks.stored_state import load_names, load_readings
from flows.core.database import split_batches
from flows.core.identities import normalize_identity
from flows.mirror.freshness import load_freshness
from flows.mirror.models import Flow
from flows.mirror.targets import find_target_values
from flows.names.load_handling import NUMBER_RESOURCES, load_surroundings
from flows.names.models import NameReading, ResourceName
from flows.routing.questions import Question
from flows.routing.routing_state import Address, RoutingState
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION


def load_for_question(account: Account, question: Question) -> RoutingState:
    """Return the part of an account that a question is about."""
    flows = _load_flows(account.sid, _find_flows(account.sid, question))
    addresses = load_addresses(account.sid)
    studio_sids = {value for flow in flows.values() for _, value in find_target_values(flow)}
    studio_sids |= {address.studio_flow_sid for address in addresses.values()}
    surroundings = load_surroundings(
        account.sid, identities=[question.identity], studio_flow_sids=studio_sids
    )
    return build_state(account, flows, surroundings=surroundings, addresses=addresses)


def load_coverage(account: Account) -> RoutingState:
    """Return the part of an account that questions about its numbers and senders are about."""
    surroundings = load_surroundings(account.sid)
    numbers = {*surroundings.numbers, *surroundings.senders}
    flows = _load_flows(account.sid, _find_flows_of_numbers(account.sid, numbers))
    return build_state(
        account, flows, surroundings=surroundings, addresses=load_addresses(account.sid)
    )


def load_all(account: Account) -> RoutingState:
    """Return a whole account, for what is asked of every flow."""
    rows = Flow.objects.filter(account_sid=account.sid, gone_at=None).order_by("sid")
    return build_state(
        account,
        dict(rows.values_list("sid", "resource")),
        surroundings=load_surroundings(account.sid),
        addresses=load_addresses(account.sid),
    )


def build_state(account: Account, flows: Mapping[str, Any], **parts: Any) -> RoutingState:
    """Return the state of an account with these flows. `parts` are its surroundings and addresses."""
    names, references = load_names(account.sid, ~Q(resource__in=NUMBER_RESOURCES))
    readings = load_readings(account.sid)
    state = AccountState(
        flows=flows,
        names=names,
        references=references,
        complete=readings.keys(),
        read_at=readings,
        surroundings=parts["surroundings"],
    )
    return RoutingState(
        state,
        # All of them: there are few, and an account's flows can be too many for a condition.
        open_changes=frozenset(OpenChange.objects.values_list("target_sid", flat=True)),
        is_mirror_complete=all(each.is_up_to_date for each in load_freshness([account])),
        **parts,
    )


def _find_flows(account_sid: str, question: Question) -> list[str]:
    """Return the SIDs of the flows that may share the question's identity, on any channel."""
    flows = Flow.objects.filter(account_sid=account_sid, gone_at=None).order_by("sid")
    if question.channel == "web":
        return list(flows.filter(channel_type="web").values_list("sid", flat=True))
    is_number = question.channel in NUMBER_CHANNELS
    channels = NUMBER_CHANNELS if is_number else (question.channel,)
    rows = flows.filter(channel_type__in=channels).values_list("sid", "contact_identity")
    return [
        sid
        for sid, identity in rows.iterator()
        if identity and comparable_identity(question.channel, identity) == question.key
    ]


def _find_flows_of_numbers(account_sid: str, numbers: Collection[str]) -> list[str]:
    """Return the SIDs of the flows with one of these normalized numbers, on any channel of numbers."""
    flows = Flow.objects.filter(
        account_sid=account_sid, gone_at=None, channel_type__in=NUMBER_CHANNELS
    )
    rows = flows.order_by("sid").values_list("sid", "contact_identity")
    return [sid for sid, identity in rows.iterator() if normalize_identity(identity) in numbers]


def _load_flows(account_sid: str, sids: list[str]) -> dict[str, Any]:
    flows = Flow.objects.filter(account_sid=account_sid)
    snapshots: dict[str, Any] = {}
    for batch in split_batches(sids):
        snapshots.update(flows.filter(sid__in=batch).order_by("sid").values_list("sid", "resource"))
    return snapshots


def load_addresses(account_sid: str) -> dict[str, Address]:
    """Return the Address Configurations of an account, by SID."""
    resource = ADDRESS_CONFIGURATION.name
    reading = NameReading.objects.filter(account_sid=account_sid, resource=resource).first()
    rows = ResourceName.objects.filter(account_sid=account_sid, resource=resource, gone_at=None)
    return {
        row.sid: Address(
            sid=row.sid,
            kind=_text(row.details, "kind"),
            address=row.reference,
            name=row.name,
            is_on=row.status == "on",
            integration=_text(row.details, "integration"),
            studio_flow_sid=_text(row.details, "studio_flow_sid"),
            webhook_host=_text(row.details, "host"),
            read_at=reading.read_at if reading else None,
        )
        for row in rows.order_by("sid")
    }


def _text(details: object, name: str) -> str:
    value = details.get(name) if isinstance(details, dict) else None
    return value if isinstance(value, str) else ""
