"""Reads of flows from Twilio. What Twilio refuses is recorded in the account's availability.

Nothing in this module stores a flow, or changes one at Twilio.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from django.utils import timezone

from flows.accounts.clients import READ_DEADLINE, resource_client
from flows.mirror import first_contact, missing_flows
from flows.mirror.models import Flow
from flows.mirror.stale_reads import StaleRead
from flows.redaction.redacted import Redacted, redact_fields
from flows.twilio.errors import FlexError, OutcomeUnknown
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.resource import Snapshot

LIST_DEADLINE = 30.0  # seconds for a page of 1,000 flows
# Twilio's own codes. A 404 without one may come from a proxy or a wrong address.
NOT_FOUND_CODES = frozenset({20404, 45205})
INCOMPLETE_LIST = "Twilio's list of flows leaves out flows that it still has"
UNCHECKED_LIST = "Twilio's list lacks flows that could not be checked"


def fetch_flow(account_sid: str, sid: str, *, deadline: float = READ_DEADLINE) -> Snapshot:
    """Return one flow, unmasked."""
    client = resource_client(FLEX_FLOW, account_sid, deadline=deadline)
    try:
        return client.fetch(sid)
    except FlexError as error:
        first_contact.record_response(account_sid, "fetch", error)
        raise


def fetch_existing(account_sid: str, sid: str) -> Redacted | None:
    """Return one flow, masked, or None if Twilio says that it has no such flow."""
    try:
        snapshot = fetch_flow(account_sid, sid)
    except FlexError as error:
        if is_not_found(error):
            return None
        raise
    return redact_fields(snapshot)


def list_flows(account_sid: str) -> Iterator[Snapshot]:
    """Request all flows at once and return them one by one, unmasked.

    A `FlexError` may come after some of them.
    """
    pages = resource_client(FLEX_FLOW, account_sid, deadline=LIST_DEADLINE).list()

    def record_while_reading() -> Iterator[Snapshot]:
        try:
            yield from pages
        except FlexError as error:
            first_contact.record_response(account_sid, "list", error)
            raise
        first_contact.record_response(account_sid, "list", None)

    return record_while_reading()


def fetch_all(account_sid: str) -> list[Redacted]:
    """Return all flows of an account as Twilio has them now, masked, without storing them.

    Raise `OutcomeUnknown` if the list lacks a flow that exists: nothing can be concluded from it.
    """
    started_at = timezone.now()
    flows = {flow["sid"]: redact_fields(flow) for flow in list_flows(account_sid)}
    mirrored = Flow.objects.filter(account_sid=account_sid, gone_at=None)
    missing = set(mirrored.values_list("sid", flat=True)) - flows.keys()
    if not missing:
        return list(flows.values())

    missing -= missing_flows.find_recently_changed(missing, at=started_at)
    checks = missing_flows.check_by_sid(sorted(missing), partial(fetch_existing, account_sid))
    if checks.present:
        raise OutcomeUnknown(INCOMPLETE_LIST)
    if len(checks.deleted) < len(missing):
        raise OutcomeUnknown(UNCHECKED_LIST)
    return list(flows.values())


def is_not_found(error: FlexError | None) -> bool:
    """Return True if Twilio has no such flow, or confirmed its deletion a moment ago."""
    if isinstance(error, StaleRead):
        return error.confirmed is None
    return error is not None and error.status == 404 and error.code in NOT_FOUND_CODES
