"""The log's search finds old and new values in any spelling, and ids anywhere in the log."""

import uuid

import pytest

from flows.audit import audit_log, log_paging
from flows.audit.audit_log import Actor, Payload
from flows.audit.log_list import fetch_page, find_newest, matching_events
from flows.audit.log_query import LogQuery
from flows.audit.models import AuditEntry, AuditEvent
from flows.audit.search_text import url_host
from tests.faults.acting import append_stage
from tests.markup import squeezed

pytestmark = pytest.mark.django_db

SID, STUDIO, CHAT = "FO5a1b" + "0" * 24 + "9c0d", "FW" + "7" * 32, "IS" + "8" * 32
REQUEST, REMOTE = uuid.UUID("884dce99-7b17-45b5-b9b6-c8b3bdafa5fa"), "RQ" + "4" * 32
BEFORE = {
    "friendly_name": "Réclamations Lyon",
    "contact_identity": "whatsapp:+33 1 99 00 01 23",
    "integration_url": "https://masked-1a2b3c@old-hooks.example.com:8443/in?token=masked-4d5e6f",
    "integration_flow_sid": STUDIO,
    "chat_service_sid": CHAT,
}
AFTER = {
    **BEFORE,
    "friendly_name": "Störung Süd",
    "integration_url": "https://new-hooks.example.com/in",
}


@pytest.fixture
def renamed(db):
    """Log a change of name and webhook among other events, and return its outcome."""
    other = Actor(id="9", label="ada")
    audit_log.append(action="flow.export", stage="access", result="succeeded", actor=other)
    actor = Actor(id="1", label="Ömer", role="operator", request_id=str(REQUEST))
    event_values = {
        "action": "flow.update",
        "change_id": uuid.uuid4(),
        "actor": actor,
        "target_sid": SID,
    }
    requested = {name: AFTER[name] for name in ("friendly_name", "integration_url")}
    append_stage(
        **event_values, stage="attempt", result="pending", reason="Ticket-4711: as agreed",
        payload=Payload(friendly_name=BEFORE["friendly_name"], before=BEFORE, requested=requested),
    )  # fmt: skip
    body = Payload(
        friendly_name=AFTER["friendly_name"], before=BEFORE, requested=requested, after=AFTER
    )
    event = append_stage(
        **event_values, stage="outcome", result="succeeded", payload=body, remote_request_id=REMOTE
    )
    audit_log.append(action="flow.export", stage="access", result="succeeded", actor=other)
    return event


def seqs(q, **parameters):
    return [
        event.seq
        for event in fetch_page(LogQuery.from_parameters({"q": q, **parameters}), None).events
    ]


@pytest.mark.parametrize(
    "q",
    [
        "Réclamations Lyon", "reclamations", "RÉCLAM", "lyon storung", "Störung Süd", "STORUNG sud lyon",
        "omer", "ÖMER réclamations ticket", "ticket-4711", "old-hooks.example.com", "old-hooks", "NEW-HOOKS.example",
        "https://old-hooks.example.com/in", "+33199000123", "0199000123", "+33 1 99 00 01 23", "(0)199-00-01-23",
        "0033199000123", "whatsapp:+33199000123", "99000123", "lyon +33 1 99 00 01 23", "0199 00 01 23 omer",
        SID, SID[:9], SID.lower()[:12], "FO5a1b…9c0d", "FO5a1b...9c0d", f"{SID} lyon", STUDIO, STUDIO[:7], CHAT[:5],
        str(REQUEST), str(REQUEST).upper(), REQUEST.hex, f"{REQUEST} lyon", REMOTE, REMOTE[:8],
    ],
)  # fmt: skip
def test_change_is_found_by_old_and_new_values(renamed, q):
    assert seqs(q) == [renamed.seq]


@pytest.mark.parametrize(
    "q",
    ["reclamation paris", "token", "masked-1a2b3c", "8443", "+44199000123", "FO5a1b…9c0e", "0ec18830-a69a-428c-8a28-adab5bb04bed",
     "RQ" + "5" * 32, f"{REQUEST} paris", f"{SID} paris", "FO" + "2" * 32, "%", "_", "in?token", "lyon lyon nord"],
)  # fmt: skip
def test_other_values_are_not_found(renamed, q):
    assert seqs(q) == []


def test_event_and_change_are_found_by_their_own_ids(renamed):
    attempt = AuditEvent.objects.get(stage="attempt")
    for one in (renamed.event_id, attempt.event_id, renamed.change_id):
        assert seqs(str(one)) == [renamed.seq]


def test_ids_and_complete_sids_are_found_beyond_the_scan_window(renamed, monkeypatch):
    monkeypatch.setattr(log_paging, "SCAN_WINDOW", 1)
    for q in (str(REQUEST), REMOTE, SID, str(renamed.event_id), f"{REQUEST} lyon"):
        page = fetch_page(LogQuery.from_parameters({"q": q}), None)

        assert ([event.seq for event in page.events], page.scanned_to) == ([renamed.seq], None)
    assert fetch_page(LogQuery.from_parameters({"q": "lyon"}), None).scanned_to is not None


def test_sid_in_the_search_and_another_as_a_filter_find_nothing(renamed):
    assert seqs(SID, sid=SID) == [renamed.seq]
    assert seqs(SID, sid="FO" + "2" * 32) == []


def test_page_says_that_a_url_is_searched_by_its_host(renamed, client_of):
    page = client_of("viewer").get("/audit/", {"q": "https://old-hooks.example.com/other"})

    assert "searched by its host:<bdi>old-hooks.example.com</bdi>" in squeezed(
        page.content.decode()
    )


def test_no_secret_and_no_path_of_a_webhook_is_in_the_text(renamed):
    text = AuditEntry.objects.get(outcome=renamed).text

    assert "old-hooks.example.com" in text
    assert "masked-" not in text
    assert "/in" not in text


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://crm.example/hook?label=Sales desk&token=x", "crm.example"),
        ("https://user:p@ss@CRM.example:8443/in", "crm.example"),
        ("crm.example/in", "crm.example"),
        ("http://localhost:8000/in", "localhost"),
        ("https://[2001:db8::1]:8443/in", "[2001:db8::1]"),
        ("https://flex bot:secret@crm.example/in", "crm.example"),
        ("secret", ""),
        ("not a host.example", ""),
        ("", ""),
        ("https://", ""),
    ],
)
def test_host_of_an_address(address, host):
    assert url_host(address) == host


@pytest.mark.parametrize(
    "parameters", [{"from": "yesterday"}, {"before": "²"}, {"result": "fine"}, {"actr": "omar"}]
)
def test_query_with_a_fault_matches_nothing_on_pages_and_in_exports(renamed, parameters):
    query = LogQuery.from_parameters(parameters)

    assert fetch_page(query, None).events == []
    assert list(matching_events(query, None)) == []


@pytest.mark.parametrize("text", ["lyon", "Ömer", SID, "FO5a1b…9c0d", f"{SID} sud", str(REQUEST)])
def test_newest_entries_are_those_of_the_list(renamed, text):
    query = LogQuery.from_parameters({"q": text})

    entries = find_newest(query, None, 5)

    assert entries == fetch_page(query, None).entries
    assert [entry.outcome for entry in entries] == [renamed]


def test_newest_entries_are_limited_to_accounts_and_to_a_number(renamed):
    query = LogQuery.from_parameters({"q": "ada"})

    seqs = [entry.pk for entry in find_newest(query, None, 5)]

    assert seqs == sorted(seqs, reverse=True)
    assert len(seqs) == 2
    assert [entry.pk for entry in find_newest(query, None, 1)] == seqs[:1]
    assert find_newest(query, frozenset({"AC" + "0" * 32}), 5) == []
    assert find_newest(LogQuery.from_parameters({"q": "\x00"}), None, 5) == []


def test_newest_entries_are_searched_in_a_window(renamed, monkeypatch):
    query = LogQuery.from_parameters({"q": "lyon"})
    monkeypatch.setattr(log_paging, "SCAN_WINDOW", 1)

    assert find_newest(query, None, 5) == []
