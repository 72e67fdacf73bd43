"""Twilio's own Python client changes a number and the members of a Messaging Service."""

from email.utils import parsedate_to_datetime

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from flows.twilio.api.incoming_phone_number import INCOMING_PHONE_NUMBER
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.named_bodies import make_sid
from flows.twilio.sandbox.server import Sandbox

SERVICE_SID = make_sid("MG", "Customer notifications")
OTHER_SERVICE_SID = make_sid("MG", "Marketing sender pool")
APPLICATION_SID = make_sid("AP", "Auto reply")
UNKNOWN_SID = "PN" + "9" * 32


@pytest.fixture
def sandbox():
    with Sandbox(flows=120) as started_sandbox:
        yield started_sandbox


@pytest.fixture
def twilio(sandbox):
    http = TwilioHttpClient(max_retries=0)
    client = Client(sandbox.api_key, sandbox.api_secret, sandbox.account_sid, http_client=http)
    for product in ("api", "messaging"):
        getattr(client, product).base_url = sandbox.api_url.replace("{product}", product)
    yield client
    http.session.close()


def members(twilio, service_sid=SERVICE_SID):
    return twilio.messaging.v1.services(service_sid).phone_numbers


def error_of(call):
    with pytest.raises(TwilioRestException) as excinfo:
        call()
    return excinfo.value.status, excinfo.value.code


def test_updated_number_is_listed_with_its_new_settings(sandbox, twilio):
    number = twilio.incoming_phone_numbers.list()[0]
    untouched = sandbox.store_of(INCOMING_PHONE_NUMBER).get(number.sid)["capabilities"]

    changed = twilio.incoming_phone_numbers(number.sid).update(
        sms_url="https://hooks.example.com/new",
        sms_method="GET",
        sms_application_sid=APPLICATION_SID,
    )

    listed = next(one for one in twilio.incoming_phone_numbers.list() if one.sid == number.sid)
    for one in (changed, listed, twilio.incoming_phone_numbers(number.sid).fetch()):
        assert (one.sms_url, one.sms_method) == ("https://hooks.example.com/new", "GET")
        assert one.sms_application_sid == APPLICATION_SID
        assert (one.phone_number, one.capabilities) == (number.phone_number, untouched)
    assert changed.date_updated > number.date_updated
    request = sandbox.requests[1]
    assert (request.method, request.status, request.sid) == ("POST", 200, number.sid)
    assert request.path.endswith(f"/IncomingPhoneNumbers/{number.sid}.json")


def test_empty_parameters_unset_the_settings_of_a_number(sandbox, twilio):
    number = twilio.incoming_phone_numbers.list()[0]

    cleared = twilio.incoming_phone_numbers(number.sid).update(
        sms_url="", sms_method="", sms_application_sid=""
    )

    assert (cleared.sms_url, cleared.sms_method, cleared.sms_application_sid) == ("", "POST", None)
    stored = sandbox.store_of(INCOMING_PHONE_NUMBER).get(number.sid)
    assert parsedate_to_datetime(stored["date_updated"])


def test_number_leaves_a_service_and_joins_another(sandbox, twilio):
    number, *rest = members(twilio).list()

    assert members(twilio)(number.sid).delete()
    joined = members(twilio, OTHER_SERVICE_SID).create(phone_number_sid=number.sid)

    assert [one.sid for one in members(twilio).list()] == [one.sid for one in rest]
    assert number.sid in [one.sid for one in members(twilio, OTHER_SERVICE_SID).list()]
    fetched = members(twilio, OTHER_SERVICE_SID)(number.sid).fetch()
    for one in (joined, fetched):
        assert (one.sid, one.service_sid) == (number.sid, OTHER_SERVICE_SID)
        assert one.phone_number == number.phone_number
        assert one.date_created > number.date_created
    writes = [one for one in sandbox.requests if one.method != "GET"]
    assert [(one.method, one.status, one.sid, one.applied) for one in writes] == [
        ("DELETE", 204, number.sid, True),
        ("POST", 201, number.sid, True),
    ]


def test_what_twilio_does_not_take_is_refused(twilio):
    number = members(twilio).list()[0]
    numbers = twilio.incoming_phone_numbers

    errors = [
        error_of(lambda: numbers(UNKNOWN_SID).update(sms_url="")),
        error_of(lambda: numbers(number.sid).update(sms_url="ftp://example.com")),
        error_of(lambda: numbers(number.sid).update(sms_application_sid="AP1")),
        error_of(lambda: members(twilio).create(phone_number_sid=UNKNOWN_SID)),
        error_of(lambda: members(twilio).create(phone_number_sid="")),
        error_of(lambda: members(twilio).create(phone_number_sid=number.sid)),
        error_of(lambda: members(twilio, OTHER_SERVICE_SID).create(phone_number_sid=number.sid)),
        error_of(lambda: members(twilio)(UNKNOWN_SID).delete()),
        error_of(lambda: members(twilio, OTHER_SERVICE_SID)(number.sid).fetch()),
    ]

    assert errors == [
        (404, 20404),
        (400, 20001),
        (400, 20001),
        (404, 20404),
        (400, 20001),
        (409, 21710),
        (400, 21712),
        (404, 20404),
        (404, 20404),
    ]


def test_fault_refuses_a_change_of_a_number_and_of_a_member(sandbox, twilio):
    number = members(twilio).list()[0]
    sandbox.inject(Fault(FaultKind.REFUSE, path="*/IncomingPhoneNumbers/*", status=403))
    sandbox.inject(Fault(FaultKind.REFUSE, path="*/PhoneNumbers/*", method="DELETE", status=403))

    update = error_of(lambda: twilio.incoming_phone_numbers(number.sid).update(sms_url=""))
    removal = error_of(lambda: members(twilio)(number.sid).delete())

    assert (update[0], removal[0]) == (403, 403)
    assert [one.applied for one in sandbox.requests[1:]] == [False, False]
    assert members(twilio)(number.sid).fetch().sid == number.sid
