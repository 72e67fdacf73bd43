"""Events of sign-ins and users concern the whole site.

Users of single accounts can't read them, not even on a site with one account.
"""

import json

import pytest

from flows.audit import audit_log
from flows.audit.audit_log import Actor
from tests import ACCOUNT

pytestmark = pytest.mark.django_db

ACTIONS = ("auth.login", "auth.lockout", "people.create", "people.role")


@pytest.fixture
def log(db):
    """Log site events between two events of the account, and return them by action."""
    ada = Actor(id="2", label="ada", source_ip="192.0.2.9")
    audit_log.append(
        action="flow.export", stage="access", result="succeeded", actor=Actor(id="1", label="omar")
    )
    events = {
        action: audit_log.append(action=action, stage="access", result="denied", actor=ada)
        for action in ACTIONS
    }
    audit_log.append(
        action="flow.export", stage="access", result="succeeded", actor=Actor(id="1", label="omar")
    )
    return events


@pytest.fixture
def account_client(client_of):
    return client_of("auditor", "accv", ACCOUNT)


def test_events_have_the_sites_only_account(log):
    assert {event.account_sid for event in log.values()} == {ACCOUNT}


@pytest.mark.parametrize("action", ACTIONS)
def test_page_of_a_site_event_is_for_users_of_all_accounts(log, account_client, client_of, action):
    address = f"/audit/{log[action].event_id}/"

    assert account_client.get(address).status_code == 403
    assert b"192.0.2.9" not in account_client.get(address).content
    assert account_client.post(f"{address}reconcile/").status_code == 403
    assert client_of("auditor").get(address).status_code == 200


@pytest.mark.parametrize("action", ACTIONS)
def test_list_of_a_single_account_has_no_site_events(log, account_client, client_of, action):
    page = account_client.get("/audit/", {"action": action})

    assert page.context["events"] == []
    assert [
        event.action
        for event in client_of("auditor").get("/audit/", {"action": action}).context["events"]
    ] == [action]


def test_search_and_filters_reveal_no_site_events(log, account_client):
    for parameters in ({"q": "ada"}, {"actor": "ada"}, {"q": str(log["people.create"].event_id)}):
        page = account_client.get("/audit/", parameters)

        assert page.context["events"] == []
        assert "ada" not in dict(page.context["choices"]["actor"]) or parameters == {"actor": "ada"}
        assert "people.create" not in page.content.decode().split('id="results"')[1]
    assert [name for name, _ in account_client.get("/audit/").context["choices"]["actor"]] == [
        "omar"
    ]


def test_neighbours_skip_site_events(log, account_client, client_of):
    first, last = sorted(
        account_client.get("/audit/").context["events"], key=lambda event: event.seq
    )

    assert account_client.get(f"/audit/{first.event_id}/").context["next"] == last
    assert account_client.get(f"/audit/{last.event_id}/").context["previous"] == first
    assert (
        client_of("auditor").get(f"/audit/{first.event_id}/").context["next"].action == ACTIONS[0]
    )


@pytest.mark.parametrize("content", ["shown", "all"])
def test_export_of_a_single_account_has_no_site_events(log, account_client, content):
    response = account_client.post("/audit/export/", {"what": content, "format": "ndjson"})

    lines = [json.loads(line) for line in b"".join(response.streaming_content).splitlines()]
    assert {line["action"] for line in lines} == {"flow.export", "audit.export"}


def test_event_without_an_account_is_for_users_of_all_accounts(account_client, client_of, actor):
    event = audit_log.append(
        action="audit.verify", stage="access", result="succeeded", actor=actor, account_sid=""
    )

    assert account_client.get(f"/audit/{event.event_id}/").status_code == 403
    assert client_of("auditor").get(f"/audit/{event.event_id}/").status_code == 200
