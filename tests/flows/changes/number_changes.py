"""The changes of a number's SMS settings and of its membership in a Messaging Service, for tests."""

import uuid

from flows.accounts.clients import resource_client
from flows.changes import operations
from flows.twilio.api.phone_number_settings import PHONE_NUMBER_SETTINGS
from flows.twilio.messaging.service_membership import SERVICE_MEMBERSHIP
from flows.twilio.sandbox.named_bodies import make_sid
from tests import ACCOUNT

SERVICE_SID = make_sid("MG", "Customer notifications")
OTHER_SERVICE_SID = make_sid("MG", "Marketing sender pool")
APPLICATION_SID = make_sid("AP", "Auto reply")
SECRET_URL = "https://ana:hidden-word@hooks.example.com/sms?token=t0k3n-t0k3n"


def read_number(sid):
    return resource_client(PHONE_NUMBER_SETTINGS, ACCOUNT).fetch(sid)


def read_membership(sid, service_sid=SERVICE_SID):
    return resource_client(SERVICE_MEMBERSHIP, ACCOUNT).fetch(sid, parent_sid=service_sid)


def number_of_service(sandbox, service_sid=SERVICE_SID):
    """Return the SID of a number in a Messaging Service."""
    return next(iter(sandbox.store_of(SERVICE_MEMBERSHIP, service_sid).snapshot()))


def free_number(sandbox):
    """Return the SID of a number in no Messaging Service, which Flex Proxy answers."""
    stores = [sandbox.store_of(SERVICE_MEMBERSHIP, one) for one in _service_sids()]
    taken = {sid for store in stores for sid in store.snapshot()}
    return next(
        sid
        for sid, body in sandbox.store_of(PHONE_NUMBER_SETTINGS).snapshot().items()
        if sid not in taken and "/Proxy/" in body["sms_url"] and not body["sms_application_sid"]
    )


def change_number(sid, actor, **values):
    return operations.update(
        PHONE_NUMBER_SETTINGS, sid=sid, base=None, values=values, **common(actor)
    )


def add_to_service(sid, actor, service_sid=SERVICE_SID):
    return operations.create(
        SERVICE_MEMBERSHIP, values={"sid": sid}, parent_sid=service_sid, **common(actor)
    )


def remove_from_service(sid, actor, service_sid=SERVICE_SID):
    return operations.delete(
        SERVICE_MEMBERSHIP,
        sid=sid,
        base=read_membership(sid, service_sid),
        parent_sid=service_sid,
        **common(actor),
    )


def common(actor):
    return {
        "reason": "moves to Conversations",
        "actor": actor,
        "change_id": uuid.uuid4(),
        "account_sid": ACCOUNT,
    }


def _service_sids():
    return (SERVICE_SID, OTHER_SERVICE_SID, make_sid("MG", "Low-volume mixed"))
