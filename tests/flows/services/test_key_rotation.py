"""The log's key is changed: what the one before sealed still verifies, and who has that one can do nothing with it."""

import json

import pytest
from django.db import connection

from flows import append_only
from flows.masking import masked
from flows.models import AuditEvent, ChainHead
from flows.services import audit, erasure, evidence, seal
from tests.faults.acting import OMAR, SECRET_URL

pytestmark = pytest.mark.django_db(transaction=True)
FIRST, SECOND, THIRD = ("first-" * 6, "second-" * 6, "third-" * 6)


@pytest.fixture
def use(settings):
    """From here on the site has this key, and those of before."""

    def use(key, *fallbacks):
        settings.AUDIT_KEY, settings.AUDIT_KEY_FALLBACKS = key, list(fallbacks)

    return use


def append(count=2):
    for _ in range(count):
        audit.append(action="test.it", stage="access", result="denied", actor=OMAR)


@pytest.fixture
def log(use):
    """Two events of each key; the last is in use."""
    use(FIRST)
    append()
    use(SECOND, FIRST)
    append()
    use(THIRD, SECOND, FIRST)
    append()


def seal_again(seq, key, **said):
    """Changes an event as somebody does who has a key and the database."""
    append_only.lift(connection)
    try:
        AuditEvent.objects.filter(seq=seq).update(**said)
        event = AuditEvent.objects.select_related("payload").get(seq=seq)
        event.payload_hash = seal.payload_hash(event.payload, key)
        hashed = seal.event_hash(event, key)
        AuditEvent.objects.filter(seq=seq).update(payload_hash=event.payload_hash, hash=hashed)
        AuditEvent.objects.filter(seq=seq + 1).update(previous_hash=hashed)
        ChainHead.objects.filter(seq=seq).update(hash=hashed)
    finally:
        append_only.install(connection)


def test_chain_of_all_keys_verifies(log):
    verdict = evidence.verify()

    assert (verdict.bad_seq, verdict.events) == (None, 6)


@pytest.mark.parametrize(("fallbacks", "bad_seq"), [((), 1), ((SECOND,), 1), ((FIRST,), 3)])
def test_without_a_key_of_before_what_it_sealed_does_not_verify(log, use, fallbacks, bad_seq):
    use(THIRD, *fallbacks)

    assert evidence.verify().bad_seq == bad_seq


def test_replaced_key_seals_nothing_new(log):
    seal_again(6, FIRST, reason="forged")

    verdict = evidence.verify()

    assert (verdict.bad_seq, verdict.fault) == (6, "is hashed with a key that was replaced earlier")


def test_replaced_key_changes_nothing_of_before(log):
    """From the event that it changed on, the chain would have to be sealed anew, with the key in use."""
    seal_again(2, FIRST, reason="forged")

    assert evidence.verify().bad_seq == 3


def test_head_signed_before_the_change_is_still_ours(use):
    use(FIRST)
    append()
    head = evidence.signed_head()
    use(SECOND, FIRST)
    append()

    assert evidence.read_head(json.dumps(head)) == head
    assert evidence.verify(head=head).bad_seq is None
    use(SECOND)
    assert evidence.read_head(json.dumps(head)) is None


def test_verification_and_erasure_of_before_still_count(use):
    flow_sid = "FO" + "1" * 32
    use(FIRST)
    audit.append(
        action="test.it",
        stage="access",
        result="denied",
        actor=OMAR,
        target_sid=flow_sid,
        payload=audit.Payload(friendly_name="Somebody"),
    )
    erasure.erase(sid=flow_sid, actor=OMAR, reason="asked for")
    evidence.verify_on_record(actor=OMAR)
    use(SECOND, FIRST)
    append()

    assert evidence.last_verification().is_intact
    assert evidence.verify().bad_seq is None


def test_masks_stay_what_they_were(use):
    """Else every flow with a secret in its address would look as if somebody had changed it."""
    use(FIRST)
    before = masked(SECRET_URL)
    use(THIRD, SECOND, FIRST)

    assert masked(SECRET_URL) == before
