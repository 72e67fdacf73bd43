"""Pages by cursor have each item once, whatever comes and goes in between, and cursors have only keys."""

from __future__ import annotations

import base64
import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from flows.api import paging
from flows.api.problems import Problem
from flows.checks import suppressions
from flows.mirror.sync import sync_account
from flows.notifications.models import Subscription
from flows.plans.models import Plan
from tests import ACCOUNT
from tests.flows.checks.test_checking import read_completely
from tests.flows.names.adding import add_name

pytestmark = pytest.mark.django_db(transaction=True)
WEBHOOK = {"integration_type": "external", "integration_url": "http://example.com/in"}
NOTIFICATION = {"channel": "webhook", "url": "https://example.com/in", "reason": "Team"}
LISTS = (
    "plans",
    "requests",
    "schedules",
    "notifications",
    "external-changes",
    "checks",
    "migrations",
    "history",
    "history/comparison",
    "coverage",
)


@pytest.fixture
def sids(sandbox):
    """The SIDs of five flows with a finding, in their order."""
    for number in range(5):
        sandbox.add_flow(friendly_name=f"Café {9 - number}", enabled=True, **WEBHOOK)
    sync_account(ACCOUNT)
    return sorted(sandbox.flows)


@pytest.fixture
def client(api_client):
    return api_client("admin")


def read_pages(client, path, *, between=lambda page: None, members="items", **query):
    """Yield the items of a list in pages of two. `between` runs after each page."""
    cursor = ""
    while cursor is not None:
        page = client.get(path, limit=2, cursor=cursor, **query).json()
        yield from page[members]
        between(page)
        cursor = page["next_cursor"]


def encode(value):
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor):
    return json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))


def draft(client, sid):
    return client.send("POST", "plans", {"kind": "disable", "sids": [sid]}).json()["id"]


def change_outside(sandbox, sids):
    for sid in sids:
        sandbox.edit_flow(sid, friendly_name=f"Theirs {sid[-3:]}")
        sync_account(ACCOUNT)


def test_external_changes_are_all_listed_though_each_page_is_accepted(sandbox, sids, client):
    change_outside(sandbox, sids)

    def accept(page):
        ids = [item["event_id"] for item in page["items"]]
        client.send("POST", "external-changes/accept", {"event_ids": ids, "reason": "Agreed"})

    listed = [item["sid"] for item in read_pages(client, "external-changes", between=accept)]

    assert listed == sids[::-1]
    assert client.get("external-changes").json()["items"] == []


def test_findings_are_all_listed_though_each_page_is_accepted(sids, client):
    until = (suppressions.today() + timedelta(days=7)).isoformat()
    expected = [(item["sid"], item["rule"]) for item in client.get("checks").json()["items"]]

    def accept(page):
        for item in page["items"]:
            body = {"until": until, "digests": [item["digest"]], "reason": "Draft"}
            client.send("PUT", f"checks/{item['rule']}/{item['sid']}/suppression", body)

    pages = list(read_pages(client, "checks", between=accept))

    assert [(item["sid"], item["rule"]) for item in pages] == expected
    assert len(expected) >= 5


@pytest.mark.parametrize("is_same_moment", [True, False])
def test_bulk_changes_are_listed_once_while_some_come_and_go(sids, client, is_same_moment):
    ids = [draft(client, sids[0]) for _ in range(5)]
    if is_same_moment:
        Plan.objects.update(created_at=timezone.now().replace(microsecond=0))
        ids.sort()

    def come_and_go(page):
        for sid in sids[:2]:
            draft(client, sid)
        client.send("DELETE", f"plans/{page['items'][-1]['id']}")

    listed = [item["id"] for item in read_pages(client, "plans", between=come_and_go)]

    assert listed == ids[::-1]


def test_changes_of_a_bulk_change_are_listed_by_position_while_their_status_changes(sids, client):
    path = f"plans/{client.send('POST', 'plans', {'kind': 'disable', 'sids': sids}).json()['id']}"

    def skip(page):
        listed_sids = [item["sid"] for item in page["items"]]
        Plan.objects.get().changes.filter(target_sid__in=listed_sids).update(skip_reason="Not now")

    expected = [item["sid"] for item in client.get(path).json()["items"]]
    planned = read_pages(client, path, between=skip, status="planned")

    assert [item["sid"] for item in planned] == expected


def test_notifications_and_messages_are_listed_once_while_some_come_and_go(client):
    names = [f"N{number}" for number in range(5)]
    for name in names:
        client.send("POST", "notifications", NOTIFICATION | {"name": name})

    def delete(page):
        for item in page["items"]:
            client.send("DELETE", f"notifications/{item['id']}", {"reason": "Gone"})

    listed = read_pages(client, "notifications", between=delete)
    assert [item["name"] for item in listed] == names

    created = client.send("POST", "notifications", NOTIFICATION | {"name": "Tested"})
    path = created["Location"].removeprefix("/api/v1/")
    for _ in range(5):
        client.send("POST", f"{path}/test", {"reason": "Once more"})

    def send_test(page):
        if page["messages"]:
            client.send("POST", f"{path}/test", {"reason": "Once more"})

    messages = list(read_pages(client, path, between=send_test, members="messages"))
    assert len(messages) == len({message["id"] for message in messages}) == 5


@pytest.mark.parametrize(
    ("path", "query"), [("migrations", {}), ("history", {}), ("history", {"at": ""})]
)
def test_flows_are_listed_by_sid(sids, client, path, query):
    assert [item["sid"] for item in read_pages(client, path, **query)] == sids


def test_further_pages_of_the_history_are_of_the_moment_of_the_first(sandbox, sids, client):
    moments = []

    def change(page):
        moments.append(page["at"])
        change_outside(sandbox, sids[-1:])
        sandbox.add_flow(friendly_name="New", enabled=True, **WEBHOOK)
        sync_account(ACCOUNT)

    listed = list(read_pages(client, "history", between=change))

    assert [flow["sid"] for flow in listed] == sids
    assert len(set(moments)) == 1
    assert not any(flow["friendly_name"].startswith("Theirs") for flow in listed)


def test_further_pages_of_a_comparison_are_of_the_moments_of_the_first(sandbox, sids, client):
    start = datetime.now(UTC).isoformat()
    names = {sid: flow["friendly_name"] for sid, flow in sandbox.flows.items()}
    change_outside(sandbox, sids)

    def change(page):
        for sid, name in names.items():
            sandbox.edit_flow(sid, friendly_name=name)
        sync_account(ACCOUNT)

    pairs = list(read_pages(client, "history/comparison", between=change, **{"from": start}))

    assert [pair["left"]["sid"] for pair in pairs] == sids


def test_cursor_of_the_history_goes_with_its_own_moment_only(sids, client):
    page = client.get("history", limit=2).json()
    cursor = page["next_cursor"]

    assert client.get("history", limit=2, cursor=cursor, at=page["at"]).status_code == 200
    assert client.get("history", limit=2, cursor=cursor, at="2020-01-01").status_code == 422
    for moment in ("2999-01-01T00:00:00.000000+00:00", "2020-01-01", 5, None):
        foreign = encode(["history", moment, sids[0]])
        assert client.get("history", cursor=foreign).status_code == 422, moment


def test_coverage_is_listed_once_and_its_cursors_have_no_numbers(sids, client):
    read_completely("phone_number", "messaging_service", "address_configuration", "whatsapp_sender")
    numbers = [f"+1415555012{number}" for number in range(5)]
    for position, number in enumerate(numbers):
        details = {"host": "example.com", "can_receive_sms": True}
        sid = f"PN{position:032x}"
        add_name(sid, "Main", resource="phone_number", reference=number, details=details)
    cursors = []

    def note(page):
        cursors.append(page["next_cursor"])

    listed = read_pages(client, "coverage", between=note)

    assert sorted(item["address"] for item in listed) == numbers
    texts = [json.dumps(decode(cursor)) for cursor in cursors if cursor]
    assert len(texts) == 2
    assert not any("415555" in text for text in texts)


@pytest.mark.parametrize("path", ["plans", "checks", "external-changes", "migrations", "history"])
def test_cursor_has_keys_only(sandbox, sids, client, path):
    for sid in sids[:3]:
        draft(client, sid)
    change_outside(sandbox, sids)

    text = json.dumps(decode(client.get(path, limit=1).json()["next_cursor"]), ensure_ascii=False)

    assert not any(word in text for word in ("Café", "Theirs", "admin", "example"))


@pytest.mark.parametrize("path", LISTS)
def test_old_and_foreign_cursors_are_invalid(sids, client, path):
    foreign = "plans" if path != "plans" else "requests"
    cursors = [
        "2",
        "null",
        "[",
        "[" * 3000,
        "1" * 5000,
        [],
        [path],
        [foreign, "2026-11-27T13:00:00.000000+00:00", str(uuid.UUID(int=5))],
    ]
    if path in {"plans", "requests", "schedules", "notifications"}:
        cursors += [[path, *values] for values in BAD_VALUES]

    answers = {str(each): client.get(path, cursor=encode(each)) for each in cursors}

    # A list without items has no shape to compare a cursor with.
    accepted = [text for text, answer in answers.items() if answer.status_code != 422]
    assert accepted in ([], [str([path])])
    assert all(
        "cursor" in each.json()["errors"] for each in answers.values() if each.status_code == 422
    )


BAD_VALUES = (
    (True,),
    (2**63,),
    ("1",),
    (1.5,),
    ("2026-11-27T13:00:00", 1),
    ("2026-11-27T13:00:00+00:00", 1),
    ("0001-01-01T00:00:00.000000+14:00", str(uuid.UUID(int=5))),
    ("2026-11-27T13:00:00.000000+00:00", "\x00"),
    ("2026-11-27T13:00:00.000000+00:00", str(uuid.UUID(int=0xABC)).upper()),
    ("2026-11-27T13:00:00.000000+00:00", None),
    ({}, []),
)


def test_query_in_mixed_directions_continues_after_the_last_row():
    moment = timezone.now().replace(microsecond=0)
    for number in range(12):
        Plan.objects.create(
            title="Turn off", created_at=moment + timedelta(microseconds=number % 3)
        )
    rows = Plan.objects.order_by("-created_at", "pk")
    listed, cursor = [], ""
    while cursor is not None:
        page, cursor = paging.query_page(rows, cursor, 5, name="plans")
        listed += page

    assert listed == list(rows)


def test_order_of_the_model_is_completed_by_the_key():
    moment = timezone.now()
    plans = [Plan.objects.create(title="Turn off", created_at=moment) for _ in range(5)]
    listed, cursor = [], ""
    while cursor is not None:
        page, cursor = paging.query_page(Plan.objects.all(), cursor, 2, name="plans")
        listed += page

    assert listed == sorted(plans, key=lambda plan: plan.pk, reverse=True)


@pytest.mark.parametrize("order", ["name", "paused_until", "owner"])
def test_query_is_not_ordered_by_names_or_nullable_fields(order):
    with pytest.raises(TypeError, match=order):
        paging.query_page(Subscription.objects.order_by(order), "", 5, name="notifications")


def test_item_after_a_missing_one_is_next():
    _, cursor = paging.sorted_page([3, 1, 2], "", 2, name="numbers", key=lambda item: (item,))

    assert paging.sorted_page([1, 3, 4], cursor, 2, name="numbers", key=lambda item: (item,)) == (
        [3, 4],
        None,
    )
    with pytest.raises(Problem):
        paging.sorted_page(["a"], cursor, 2, name="numbers", key=lambda item: (item,))
