"""Hashes of events and payloads: their form, and that they cover every field and any text."""

import hashlib
import hmac
import json
import uuid
from datetime import UTC, datetime
from unittest import mock

import pytest

from flows.audit import chain
from flows.audit.audit_log import Actor, Payload
from flows.audit.models import AuditEvent, AuditPayload
from tests.faults.acting import assert_chain_intact
from tests.flows.audit.appending import SID, append, reloaded

ODD_TEXTS = {
    "unicode": "Ünïcödé · 東京 · 👩\u200d👩\u200d👧 · e\u0301",
    "nul": "before\x00after",
    "surrogates": "\ud800 alone, \udc00 too, and \ud83d\ude00 a pair",
    "controls": "\x01\x1f\x7f\u2028 line",
    "quotes": "'\"\\ ; DROP TABLE --",
}
ODD_JSON = {
    "floats": {"a": 0.1, "b": 1e3, "c": 1e-7, "d": -0.0, "e": 1.5e300, "f": 5e-324, "g": 2.5},
    "not numbers": {"a": float("nan"), "b": float("inf"), "c": float("-inf")},
    "big integers": {"a": 2**64, "b": -(10**400), "c": 2**53 + 1},
    "nested": {"a": [{"b": [1, [2, {"c": None}]]}, [], {}], "": "empty key", "tuple": (1, 2)},
    "odd keys": {"nul\x00key": 1, "\ud800": 2, "é": 3, "e\u0301": 4, "10": 1, "9": 2},
    "booleans": {"a": True, "b": 1, "c": False, "d": 0, "e": None},
    "dates": {"a": "2026-11-21T08:40:00.123456Z"},
}


@pytest.mark.django_db
@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS)
def test_hash_is_recomputable_with_odd_text(text):
    actor = Actor(id="7", label=text, user_agent=text)

    append(
        actor=actor,
        reason=text,
        remote_request_id=text[:60],
        payload=Payload(
            friendly_name=text, contact_identity=text, message=text, before={"name": [text]}
        ),
    )

    assert_chain_intact(1)
    assert "\x00" not in AuditPayload.objects.get().friendly_name


@pytest.mark.django_db
@pytest.mark.parametrize("value", ODD_JSON.values(), ids=ODD_JSON)
def test_hash_is_recomputable_with_odd_json(value):
    append(payload=Payload(before=value, requested=value, after=value))

    assert_chain_intact(1)


@pytest.mark.django_db
@pytest.mark.parametrize("microsecond", [0, 1, 100_000, 123_456, 999_999])
def test_hash_is_recomputable_at_every_microsecond(microsecond):
    at = datetime(2026, 11, 21, 8, 40, 5, microsecond, tzinfo=UTC)

    with mock.patch("django.utils.timezone.now", return_value=at):
        event = append()

    assert reloaded(event).at == at
    assert_chain_intact(1)


@pytest.mark.django_db
@pytest.mark.parametrize("length", [149, 150, 151, 1000])
def test_long_text_is_truncated_and_still_hashed(length):
    actor = Actor(id="7", label="é" * length, source_ip="1" * length, user_agent="u" * length)

    event = append(actor=actor, reason="r" * length, remote_request_id="q" * length)

    assert len(reloaded(event).reason) == min(200, length)
    assert_chain_intact(1)


@pytest.mark.django_db
@pytest.mark.parametrize("refers_to", [None, uuid.UUID(int=6)], ids=["nothing", "another event"])
@pytest.mark.parametrize("token_key", [None, "flexapi_0a1b2c3d4e5f"], ids=["page", "token"])
@pytest.mark.parametrize("findings", [None, {"puzzle": "é"}], ids=["plain", "with findings"])
def test_hash_is_an_hmac_of_canonical_json_in_the_documented_form(
    settings, refers_to, findings, token_key
):
    append(
        actor=Actor(id="7", label="é", token_key=token_key or ""),
        change_id=uuid.UUID(int=5),
        target_sid=SID,
        refers_to=refers_to,
        payload=Payload(friendly_name="é", before={"b": 1, "a": None}, findings=findings),
    )

    row = AuditEvent.objects.values().get()
    recorded_hash = row.pop("hash")
    row["at"] = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    if refers_to is None:
        del row["refers_to"]  # added later: hashed only where it has a value
    if token_key is None:
        del row["token_key"]
    row = {key: str(value) if isinstance(value, uuid.UUID) else value for key, value in row.items()}
    text = json.dumps(row, sort_keys=True, separators=(",", ":"))
    assert (
        recorded_hash
        == hmac.new(settings.AUDIT_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()
    )
    body = AuditPayload.objects.values().get()
    del body["event_id"], body["erased_at"]
    if findings is None:
        del body["findings"]  # added later: hashed only where it has a value
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    assert (
        row["payload_hash"]
        == hmac.new(settings.AUDIT_KEY.encode(), text.encode(), "sha256").hexdigest()
    )


@pytest.mark.django_db
@pytest.mark.parametrize("name", [
    field.attname for field in AuditEvent._meta.concrete_fields if field.attname != "hash"
])  # fmt: skip
def test_hash_covers_every_field(name):
    event = reloaded(append(change_id=uuid.uuid4(), changed_fields=["enabled"]))

    setattr(event, name, "tampered with")

    assert chain.event_hash(event) != event.hash


@pytest.mark.django_db
@pytest.mark.parametrize("name", [
    "salt", "friendly_name", "contact_identity", "before", "requested", "after", "message"
])  # fmt: skip
def test_payload_hash_covers_every_field(name):
    event = reloaded(append(payload=Payload(before={"a": 1})))

    setattr(event.payload, name, "tampered with")

    assert chain.payload_hash(event.payload) != event.payload_hash


@pytest.mark.django_db
def test_hashes_depend_on_the_key(settings):
    event = reloaded(append())

    settings.AUDIT_KEY = "another-key-0123456789-abcdefghijk"

    assert chain.event_hash(event) != event.hash
    assert chain.payload_hash(event.payload) != event.payload_hash


@pytest.mark.django_db
def test_equal_payloads_have_different_hashes():
    assert append().payload_hash != append().payload_hash


@pytest.mark.django_db
def test_canonical_json_refuses_values_outside_json():
    with pytest.raises(ValueError, match="JSON"):
        chain.canonical_json({"a": float("nan")})


def test_hashed_fields_are_all_columns():
    columns = {field.attname for field in AuditEvent._meta.concrete_fields}

    assert columns == {*chain.HASHED_FIELDS, *chain.OPTIONAL_HASHED_FIELDS, "hash"}
    # Older events were hashed without this column, so it must stay optional.
    assert "refers_to" not in chain.HASHED_FIELDS
