"""The phone numbers of the sandbox and their memberships in Messaging Services, which can be changed.

A change is in the lists that this site reads as well, because they have the same objects.
"""

from __future__ import annotations

from dataclasses import replace
from email.utils import format_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from flows.twilio.api.incoming_phone_number import INCOMING_PHONE_NUMBER
from flows.twilio.api.phone_number_settings import PHONE_NUMBER_SETTINGS
from flows.twilio.description import READ_OPERATIONS
from flows.twilio.messaging.service_membership import SERVICE_MEMBERSHIP
from flows.twilio.sandbox.responses import ApiError
from flows.twilio.sandbox.store import NOT_FOUND, Store
from flows.twilio.values import parse_datetime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from flows.twilio.sandbox.rules import Body, Values

# The whole object, of which a change keeps what this site doesn't describe.
SERVED_NUMBER = replace(
    PHONE_NUMBER_SETTINGS,
    name=INCOMING_PHONE_NUMBER.name,
    operations=READ_OPERATIONS | {"update"},
    keeps_unknown_fields=True,
)
MAX_SERVICE_NUMBERS = 400  # in one Messaging Service, from Twilio's documentation
ALREADY_IN_SERVICE = 21710
IN_OTHER_SERVICE = 21712


def make_stores(
    numbers: Sequence[Body],
    members: Mapping[str, Sequence[Body]],
    *,
    account_sid: str,
    clock: Callable[[], datetime],
) -> Iterator[Store]:
    """Yield the store of these numbers, and that of the members of each Messaging Service."""
    number_store = Store(
        SERVED_NUMBER,
        account_sid=account_sid,
        clock=clock,
        limit=len(numbers),
        seed=lambda: numbers,
        complete=_complete_number,
    )
    yield number_store
    service_stores: dict[str, Store] = {}
    for service_sid in members:
        service_stores[service_sid] = _make_service_store(
            service_sid, members, number_store, service_stores, account_sid, clock
        )
    yield from service_stores.values()


def _make_service_store(
    service_sid: str,
    members: Mapping[str, Sequence[Body]],
    number_store: Store,
    service_stores: Mapping[str, Store],
    account_sid: str,
    clock: Callable[[], datetime],
) -> Store:
    def complete(body: Body, _values: Values) -> Body:
        number = number_store.peek(body["sid"])
        if number is None:
            message = f"The phone number {body['sid']} was not found"
            raise ApiError(HTTPStatus.NOT_FOUND, NOT_FOUND, message)
        _check_services(body["sid"], service_sid, service_stores)
        return body | {
            "service_sid": service_sid,
            "phone_number": number["phone_number"],
            "country_code": "US",
            "capabilities": ["SMS", "Voice"],
        }

    return Store(
        SERVICE_MEMBERSHIP,
        account_sid=account_sid,
        parent_sid=service_sid,
        clock=clock,
        limit=max(MAX_SERVICE_NUMBERS, len(members[service_sid])),
        seed=lambda: members[service_sid],
        complete=complete,
    )


def _check_services(sid: str, service_sid: str, service_stores: Mapping[str, Store]) -> None:
    """Refuse a number that is in a Messaging Service. Assumption: the statuses are 409 and 400."""
    for other_sid, store in service_stores.items():
        if store.peek(sid) is None:
            continue
        if other_sid == service_sid:
            message = "Phone Number or Short Code is already in the Messaging Service"
            raise ApiError(HTTPStatus.CONFLICT, ALREADY_IN_SERVICE, message)
        message = "Phone Number is associated with another Messaging Service"
        raise ApiError(HTTPStatus.BAD_REQUEST, IN_OTHER_SERVICE, message)


def _complete_number(body: Body, _values: Values) -> Body:
    """Return a number with its unset values and its date as the API of 2010 writes them."""
    changed_at = parse_datetime(body["date_updated"])
    return body | {
        "sms_url": body["sms_url"] or "",
        "sms_method": body["sms_method"] or "POST",
        "date_updated": format_datetime(changed_at) if changed_at else body["date_updated"],
    }
