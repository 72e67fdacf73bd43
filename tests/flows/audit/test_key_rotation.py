"""Rotation of the log's key: older events still verify, and the old key can't forge new ones."""

import json

import pytest
from django.db import connection

from flows.audit import append_only, audit_log, chain, checkpoints, verification
from flows.audit.models import AuditEvent, ChainHead
from flows.erasure import erasure
from flows.redaction.masking import redact
from tests.faults.acting import OMAR, SECRET_URL

pytestmark = pytest.mark.django_db(transaction=True)
FIRST, SECOND, THIRD = ("first-" * 6, "second-" * 6, "third-" * 6)


@pytest.fixture
def use_keys(settings):
    """Set the key in use and the previous keys."""

    def use_keys(key, *fallbacks):
        settings.AUDIT_KEY, settings.AUDIT_KEY_FALLBACKS = key, list(fallbacks)

    return use_keys


def append(count=2):
    for _ in range(count):
        audit_log.append(action="test.it", stage="access", result="denied", actor=OMAR)


@pytest.fixture
def log(use_keys):
    """Log two events with each key. The last key is in use."""
    use_keys(FIRST)
    append()
    use_keys(SECOND, FIRST)
    append()
    use_keys(THIRD, SECOND, FIRST)
    append()


def forge_event(seq, key, **values):
    """Change an event as an attacker with a key and the database can."""
    append_only.remove(connection)
    try:
        AuditEvent.objects.filter(seq=seq).update(**values)
        event = AuditEvent.objects.select_related("payload").get(seq=seq)
        event.payload_hash = chain.payload_hash(event.payload, key)
        new_hash = chain.event_hash(event, key)
        AuditEvent.objects.filter(seq=seq).update(payload_hash=event.payload_hash, hash=new_hash)
        AuditEvent.objects.filter(seq=seq + 1).update(previous_hash=new_hash)
        ChainHead.objects.filter(seq=seq).update(hash=new_hash)
    finally:
        append_only.install(connection)


def test_chain_of_all_keys_verifies(log):
    verdict = verification.verify()

    assert (verdict.bad_seq, verdict.events) == (None, 6)


@pytest.mark.parametrize(("fallbacks", "bad_seq"), [((), 1), ((SECOND,), 1), ((FIRST,), 3)])
def test_events_of_a_missing_previous_key_do_not_verify(log, use_keys, fallbacks, bad_seq):
    use_keys(THIRD, *fallbacks)

    assert verification.verify().bad_seq == bad_seq


def test_replaced_key_cannot_hash_a_later_event(log):
    forge_event(6, FIRST, reason="forged")

    verdict = verification.verify()

    assert (verdict.bad_seq, verdict.fault) == (
        6,
        "is hashed with a key that was replaced earlier",
    )


def test_replaced_key_cannot_change_an_earlier_event(log):
    """The rest of the chain would have to be hashed again, with the key in use."""
    forge_event(2, FIRST, reason="forged")

    assert verification.verify().bad_seq == 3


def test_checkpoint_signed_with_a_previous_key_is_valid(use_keys):
    use_keys(FIRST)
    append()
    head = checkpoints.signed_checkpoint()
    use_keys(SECOND, FIRST)
    append()

    assert checkpoints.parse_checkpoint(json.dumps(head)) == head
    assert verification.verify(head=head).bad_seq is None
    use_keys(SECOND)
    assert checkpoints.parse_checkpoint(json.dumps(head)) is None


def test_verification_and_erasure_with_a_previous_key_are_valid(use_keys):
    flow_sid = "FO" + "1" * 32
    use_keys(FIRST)
    audit_log.append(
        action="test.it",
        stage="access",
        result="denied",
        actor=OMAR,
        target_sid=flow_sid,
        payload=audit_log.Payload(friendly_name="Somebody"),
    )
    erasure.erase(sid=flow_sid, actor=OMAR, reason="asked for")
    verification.verify_and_record(actor=OMAR)
    use_keys(SECOND, FIRST)
    append()

    assert verification.last_verification().is_intact
    assert verification.verify().bad_seq is None


def test_masks_do_not_depend_on_the_new_key(use_keys):
    """A new mask would look like a change of each flow with a secret in its URL."""
    use_keys(FIRST)
    before = redact(SECRET_URL)
    use_keys(THIRD, SECOND, FIRST)

    assert redact(SECRET_URL) == before
