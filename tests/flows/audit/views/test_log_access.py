"""Sign-ins and users concern the whole site: who may read single accounts reads nothing of them, on a site of one account
too."""

import json

import pytest

from flows.audit import audit_log
from flows.audit.audit_log import Actor
from tests import ACCOUNT

pytestmark = pytest.mark.django_db

ACTIONS = ("auth.login", "auth.lockout", "people.create", "people.role")


@pytest.fixture
def log(db):
    """Events of the site between two of its account; of the site, by action."""
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
def of_account(client_of):
    return client_of("auditor", "accv", ACCOUNT)


def test_events_stand_with_the_sites_one_account(log):
    assert {event.account_sid for event in log.values()} == {ACCOUNT}


@pytest.mark.parametrize("action", ACTIONS)
def test_page_of_an_event_of_the_site_is_for_those_of_every_account(
    log, of_account, client_of, action
):
    address = f"/audit/{log[action].event_id}/"

    assert of_account.get(address).status_code == 403
    assert b"192.0.2.9" not in of_account.get(address).content
    assert of_account.post(f"{address}reconcile/").status_code == 403
    assert client_of("auditor").get(address).status_code == 200


@pytest.mark.parametrize("action", ACTIONS)
def test_list_has_none_of_them(log, of_account, client_of, action):
    page = of_account.get("/audit/", {"action": action})

    assert page.context["events"] == []
    assert [
        event.action
        for event in client_of("auditor").get("/audit/", {"action": action}).context["events"]
    ] == [action]


def test_search_user_filter_and_ids_tell_nothing_of_them(log, of_account):
    for asked in ({"q": "ada"}, {"actor": "ada"}, {"q": str(log["people.create"].event_id)}):
        page = of_account.get("/audit/", asked)

        assert page.context["events"] == []
        assert "ada" not in dict(page.context["choices"]["actor"]) or asked == {"actor": "ada"}
        assert "people.create" not in page.content.decode().split('id="results"')[1]
    assert [name for name, _ in of_account.get("/audit/").context["choices"]["actor"]] == ["omar"]


def test_neighbours_leave_them_out(log, of_account, client_of):
    first, last = sorted(of_account.get("/audit/").context["events"], key=lambda event: event.seq)

    assert of_account.get(f"/audit/{first.event_id}/").context["next"] == last
    assert of_account.get(f"/audit/{last.event_id}/").context["previous"] == first
    assert (
        client_of("auditor").get(f"/audit/{first.event_id}/").context["next"].action == ACTIONS[0]
    )


@pytest.mark.parametrize("what", ["shown", "all"])
def test_export_has_none_of_them(log, of_account, what):
    file = of_account.post("/audit/export/", {"what": what, "format": "ndjson"})

    lines = [json.loads(line) for line in b"".join(file.streaming_content).splitlines()]
    assert {line["action"] for line in lines} == {"flow.export", "audit.export"}


def test_event_of_no_account_at_all_is_for_those_of_every_account(of_account, client_of, actor):
    event = audit_log.append(
        action="audit.verify", stage="access", result="succeeded", actor=actor, account_sid=""
    )

    assert of_account.get(f"/audit/{event.event_id}/").status_code == 403
    assert client_of("auditor").get(f"/audit/{event.event_id}/").status_code == 200
