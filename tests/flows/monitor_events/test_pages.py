"""Twilio's statements on the pages: as Twilio's word, only to those who may see the account."""

import pytest
from django.core.management import call_command

from flows.audit.models import AuditEvent, AuditPayload
from flows.erasure import erasure
from flows.mirror.name_sync import sync_with_names
from flows.monitor_events.models import MonitorLookup
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.monitor_log import CONSOLE_ADDRESS, CONSOLE_USER_SID
from tests import ACCOUNT
from tests.flows.monitor_events.asking import EVENTS_PATH, forget_events
from tests.markup import squeezed

pytestmark = pytest.mark.django_db(transaction=True)

INBOX = "/flows/drift/"
WORD = "Twilio says:"
NOT_OURS = "Not checked by this site. It may be about another change."


def text_of(client, path):
    page = client.get(path)
    assert page.status_code == 200
    return squeezed(page.content.decode())


def find_answer():
    return AuditEvent.objects.get(action="external_change.attributed")


def test_statement_stands_at_the_external_change(client_of, drift, renamed_sid):
    client = client_of("viewer")

    for path in (INBOX, f"/flows/{renamed_sid}/", f"/audit/{drift.event_id}/"):
        page = text_of(client, path)
        assert page.count(WORD) == 1, path
        assert CONSOLE_USER_SID in page
        assert CONSOLE_ADDRESS in page
        assert "from the Console" in page
        assert NOT_OURS in page


def test_event_with_the_answer_leads_to_the_external_change(client_of, drift):
    page = text_of(client_of("viewer"), f"/audit/{find_answer().event_id}/")

    assert WORD in page
    assert f"/audit/{drift.event_id}/" in page
    assert "The system" in page


def test_answer_stands_in_the_log_but_not_twice_in_the_history(client_of, drift, renamed_sid):
    client = client_of("viewer")

    assert "Events at Twilio Monitor about an external change" in text_of(client, "/audit/")
    history = client.get(f"/flows/{renamed_sid}/").context["history"]
    assert [event.action for event in history] == ["flow.drift", "flow.baseline"]


def test_time_is_in_the_zone_of_the_user(client_of, sandbox, renamed_sid, settings):
    (event,) = forget_events(sandbox)
    sandbox.monitor.store.add(event)
    sync_with_names(ACCOUNT)
    settings.TIME_ZONE = "Asia/Kolkata"

    assert "IST" in text_of(client_of("viewer"), INBOX)


def test_several_events_are_all_shown_the_newest_first(client_of, sandbox, renamed_sid):
    sandbox.monitor.add(renamed_sid, "updated", source="api", actor_type="account")
    sandbox.monitor.add(renamed_sid, "updated", actor_sid=None, actor_type="twilio-admin")
    sync_with_names(ACCOUNT)

    page = text_of(client_of("viewer"), INBOX)

    assert "3 events of this flow" in page
    assert "through the API" in page
    assert "Twilio staff" in page


def test_page_tells_that_twilio_has_more(client_of, sandbox, renamed_sid):
    for _ in range(12):
        sandbox.monitor.add(renamed_sid, "updated")
    sync_with_names(ACCOUNT)

    assert "10 events of this flow, and there are more" in text_of(client_of("viewer"), INBOX)


def test_no_event_is_told_with_the_period(client_of, sandbox, renamed_sid):
    forget_events(sandbox)
    sync_with_names(ACCOUNT)
    drift = AuditEvent.objects.get(action="flow.drift")

    for path in (INBOX, f"/flows/{renamed_sid}/", f"/audit/{drift.event_id}/"):
        page = text_of(client_of("viewer"), path)
        assert "Twilio Monitor has no event for this flow between" in page
        assert "A later sync asks again." in page
        assert WORD not in page


def test_members_of_a_group_have_their_own_statements(client_of, sandbox):
    sids = [sandbox.add_flow() for _ in range(3)]
    sync_with_names(ACCOUNT)
    forget_events(sandbox)
    for sid in sids:
        sandbox.edit_flow(sid, enabled=False)
    sync_with_names(ACCOUNT)

    assert text_of(client_of("viewer"), INBOX).count(WORD) == 3


def test_failure_is_told_once_and_claims_nothing(client_of, sandbox, renamed_sid, settings):
    sandbox.inject(Fault(FaultKind.REFUSE, path=EVENTS_PATH, status=403, code=20403))
    sync_with_names(ACCOUNT)
    client = client_of("viewer")

    page = text_of(client, INBOX)

    sentence = "The API key may not read Monitor events (status 403, code 20403)."
    assert page.count(sentence) == 1
    assert "has no event" not in page
    settings.TWILIO_MONITOR_EVENTS = False
    assert "Monitor" not in text_of(client, INBOX)


def test_statements_are_seen_by_those_who_see_the_account(client_of, staging, drift, renamed_sid):
    stranger = client_of("admin", "nina", staging.account_sid)

    assert CONSOLE_ADDRESS not in text_of(stranger, INBOX)
    for event in (drift, find_answer()):
        assert stranger.get(f"/audit/{event.event_id}/").status_code in (403, 404)
    assert stranger.get(f"/flows/{renamed_sid}/").status_code in (403, 404)
    assert str(find_answer().event_id) not in text_of(stranger, "/audit/")


def test_failure_without_a_response_is_told(client_of, sandbox, renamed_sid):
    sandbox.inject(Fault(FaultKind.DROP, path=EVENTS_PATH, times=None))
    sync_with_names(ACCOUNT)

    assert "ask Twilio Monitor: " in text_of(client_of("viewer"), INBOX)


def test_failure_of_twilio_is_told_with_its_code(client_of, sandbox, renamed_sid):
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, path=EVENTS_PATH, times=None))
    sync_with_names(ACCOUNT)

    assert "Twilio answered with status 500, code 20500." in text_of(client_of("viewer"), INBOX)


def test_failures_of_other_accounts_are_not_told(client_of, staging, sandbox, renamed_sid):
    sandbox.inject(Fault(FaultKind.REFUSE, path=EVENTS_PATH, status=403, code=20403))
    sync_with_names(ACCOUNT)

    assert "The API key of production may not read" in text_of(client_of("viewer"), INBOX)
    of_staging = client_of("viewer", "nina", staging.account_sid)
    assert "may not read" not in text_of(of_staging, INBOX)


@pytest.mark.parametrize("by", ["sid", "identity"])
def test_erasure_takes_the_statement_along(client_of, drift, renamed_sid, actor, by):
    what = {"sid": renamed_sid} if by == "sid" else {"identity": CONSOLE_ADDRESS}
    erasure.erase(actor=actor, **what)

    answer = find_answer()
    assert answer.payload.erased_at is not None
    assert CONSOLE_ADDRESS not in str(list(AuditPayload.objects.values()))
    client = client_of("viewer")
    for event in (drift, answer):
        page = text_of(client, f"/audit/{event.event_id}/")
        assert "events were erased as personal data" in page
        assert CONSOLE_ADDRESS not in page
    assert CONSOLE_ADDRESS not in text_of(client, f"/flows/{renamed_sid}/")


@pytest.mark.parametrize(
    "after",
    [
        None,
        {},
        {"events": "none"},
        {"events": [None, 5, "x", ["y"], {}]},
        {"events": [{"event_date": 5, "source": {"a": 1}, "actor_sid": ["US"]}], "has_more": "?"},
    ],
)
def test_odd_answers_never_break_a_page(client_of, drift, renamed_sid, after):
    AuditPayload.objects.filter(event=find_answer()).update(after=after)
    client = client_of("viewer")

    for path in (INBOX, f"/flows/{renamed_sid}/", f"/audit/{drift.event_id}/"):
        text_of(client, path)
    text_of(client, f"/audit/{find_answer().event_id}/")


def test_answer_is_exported_and_the_log_verifies(drift, capsys):
    call_command("export_audit", "--format", "ndjson")
    exported = capsys.readouterr().out
    call_command("verify_audit")

    assert CONSOLE_ADDRESS in exported
    assert "verified" in capsys.readouterr().out


def test_pages_never_ask_twilio(client_of, sandbox, renamed_sid, drift):
    MonitorLookup.objects.all().delete()
    count = len([request for request in sandbox.requests if request.path == EVENTS_PATH])
    client = client_of("viewer")

    for path in (INBOX, f"/flows/{renamed_sid}/", "/flows/", f"/audit/{drift.event_id}/"):
        client.get(path)

    assert len([request for request in sandbox.requests if request.path == EVENTS_PATH]) == count
