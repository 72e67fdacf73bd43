"""A second, made-up resource: declared here, and carried by all the code that a flow is carried by.

No other file knows of it. It is listed, fetched, created, updated, deleted and reconciled through
client, sandbox, changes and log.
"""

import uuid

import pytest
from django.test import override_settings

from flows.accounts.clients import resource_client
from flows.audit import action_registry
from flows.audit.action_registry import Action
from flows.audit.models import AuditEntry, AuditEvent, OpenChange
from flows.changes import operations, reconcile
from flows.changes.cleaning import clean
from flows.flex_flows import snippets
from flows.twilio import registry
from flows.twilio.errors import RequestRefused
from flows.twilio.fields import Field
from flows.twilio.resource import Resource
from flows.twilio.sandbox import Sandbox
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import clock_ahead

pytestmark = pytest.mark.django_db(transaction=True)

KIOSK = Resource(
    name="kiosk",
    title="Kiosk",
    plural="Kiosks",
    path="Kiosks",
    list_key="kiosks",
    sid_prefix="KI",
    name_field="unique_name",
    fields=(
        Field(name="sid", label="Kiosk SID", kind="sid", sid_prefix="KI", help=""),
        Field(name="account_sid", label="Account SID", kind="sid", sid_prefix="AC", help=""),
        Field(
            name="unique_name", label="Unique name", kind="text", wire="UniqueName",
            max_length=20, required_on_create=True, help="",
        ),
        Field(name="screens", label="Screens", kind="integer", wire="Screens", minimum=1, default=1, help=""),
        Field(name="callback_url", label="Callback", kind="url", wire="CallbackUrl", help=""),
        Field(name="date_created", label="Created", kind="datetime", help=""),
        Field(name="date_updated", label="Last updated", kind="datetime", help=""),
    ),
)  # fmt: skip
SECRET_URL = "https://hooks.example.com/in?token=t0k3n-t0k3n"


class KioskAction(Action):
    CREATE = "kiosk.create", "Created a kiosk", "Create a kiosk"
    UPDATE = "kiosk.update", "Changed a kiosk", "Change a kiosk"
    DELETE = "kiosk.delete", "Deleted a kiosk", "Delete a kiosk"


@pytest.fixture(autouse=True)
def declared():
    """The declaration of the resource, which a real one makes when it is imported."""
    registry.register(KIOSK)
    action_registry.register(KioskAction)
    yield
    registry.unregister(KIOSK)
    for action in KioskAction:
        del action_registry.REGISTRY[action.value]


@pytest.fixture
def twilio():
    """Twilio with the second resource."""
    with Sandbox(other_resources=[KIOSK]) as sandbox, override_settings(FLEX_API_URL=sandbox.url):
        yield sandbox


def common(actor, reason="for the lobby"):
    return {
        "reason": reason,
        "actor": actor,
        "change_id": uuid.uuid4(),
        "account_sid": ACCOUNT,
    }


def create(actor, **values):
    given = {"unique_name": "Lobby", "callback_url": SECRET_URL, **values}
    return operations.create(KIOSK, values=given, **common(actor))


def test_client_and_sandbox_carry_it(twilio):
    client = resource_client(KIOSK, ACCOUNT)

    made = client.create({"unique_name": "Lobby"}).snapshot
    client.update(made["sid"], {"screens": 3})

    assert made["screens"] == 1
    assert [kiosk["screens"] for kiosk in client.list()] == [3]
    assert client.fetch(made["sid"])["unique_name"] == "Lobby"
    client.delete(made["sid"])
    with pytest.raises(RequestRefused):
        client.fetch(made["sid"])
    assert twilio.flows == {}


def test_sandbox_applies_its_rules(twilio):
    client = resource_client(KIOSK, ACCOUNT)

    with pytest.raises(RequestRefused) as nameless:
        client.create({"screens": 2})
    with pytest.raises(RequestRefused) as screenless:
        client.create({"unique_name": "Lobby", "screens": 0})

    assert "UniqueName" in nameless.value.message
    assert "0 is less than 1" in screenless.value.message


def test_changes_are_sent_logged_and_masked(twilio, actor):
    sid = create(actor).event.target_sid
    changed = operations.update(KIOSK, sid=sid, base=None, values={"screens": "4"}, **common(actor))
    live = resource_client(KIOSK, ACCOUNT).fetch(sid)
    operations.delete(KIOSK, sid=sid, base=live, **common(actor))

    assert changed.event.payload.after["screens"] == 4
    assert live["callback_url"] == SECRET_URL
    outcomes = AuditEvent.objects.filter(stage="outcome").order_by("seq")
    assert [(event.action, event.result) for event in outcomes] == [
        ("kiosk.create", "succeeded"),
        ("kiosk.update", "succeeded"),
        ("kiosk.delete", "succeeded"),
    ]
    assert {event.payload.friendly_name for event in outcomes} == {"Lobby"}
    assert "t0k3n" not in str([event.payload.before for event in outcomes])
    assert not twilio.store_of(KIOSK).snapshot()


def test_edit_of_the_same_field_is_a_conflict(twilio, actor):
    sid = create(actor).event.target_sid
    base = resource_client(KIOSK, ACCOUNT).fetch(sid)
    twilio.store_of(KIOSK).edit(sid, {"screens": 2, "unique_name": "Lobby 2"})

    with pytest.raises(operations.Conflict) as conflict:
        operations.update(KIOSK, sid=sid, base=base, values={"screens": 3}, **common(actor))

    assert [field.name for field in conflict.value.merged.conflicts] == ["screens"]
    assert AuditEvent.objects.latest("seq").payload.message.startswith(
        "Someone else changed Screens"
    )


def test_lost_update_is_reconciled(twilio, actor):
    sid = create(actor).event.target_sid
    twilio.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))

    operations.update(KIOSK, sid=sid, base=None, values={"screens": 2}, **common(actor))
    (event,) = reconcile.reconcile()

    assert (event.action, event.result) == ("kiosk.update", "applied")


def test_lost_creation_is_found_again(twilio, actor):
    twilio.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))

    lost = create(actor)
    (event,) = reconcile.reconcile()

    (sid,) = twilio.store_of(KIOSK).snapshot()
    assert lost.event.result == "unknown"
    assert (event.result, event.target_sid) == ("applied", sid)
    assert not OpenChange.objects.exists()


def test_creation_that_never_arrived_is_not_applied_after_two_reads(twilio, actor):
    twilio.inject(Fault(FaultKind.DROP, method="POST"))
    create(actor)

    first = reconcile.reconcile()
    with clock_ahead(minutes=2):
        (event,) = reconcile.reconcile()

    assert first == []
    assert (event.action, event.result) == ("kiosk.create", "not_applied")


def test_log_names_it_shows_it_and_finds_it(twilio, actor, client_of):
    event = create(actor).event

    page = client_of("auditor").get(f"/audit/{event.event_id}/").content.decode()
    found = client_of("auditor").get("/audit/", {"q": "lobby"}).content.decode()

    assert "Created a kiosk" in page
    assert all(label in page for label in ("Unique name", "Screens", "Callback"))
    assert "t0k3n" not in page
    assert "Created a kiosk" in found
    assert AuditEntry.objects.get(change_id=event.change_id).target_sid == event.target_sid


def test_values_are_validated_by_its_fields():
    good = clean(KIOSK, {"unique_name": " Lobby ", "screens": "3"})
    bad = clean(KIOSK, {"screens": "many", "callback_url": "ftp://x"})

    assert good.values == {"unique_name": "Lobby", "screens": 3, "callback_url": ""}
    assert not good.errors
    assert list(bad.errors) == ["unique_name", "screens", "callback_url"]
    assert bad.errors["screens"] == "Screens must be a whole number, such as 1."


def test_snippet_creates_one_like_it():
    curl = snippets.build_snippets(KIOSK, {"unique_name": "Lobby"}, api_url="https://t.example/v1")

    assert "https://t.example/v1/Kiosks" in curl[1].text
    assert "twilio api:flex:v1:kiosks:create" in curl[2].text
