"""Hosts of webhooks that flows have left, as the log tells, and what it costs to find them."""

import pytest

from flows.checks import left_hosts
from flows.checks.left_hosts import find_left_hosts, predict_left_hosts
from flows.checks.planned_flows import load_changing_flows
from flows.mirror import flow_rows
from tests import ACCOUNT
from tests.flows.checks.complete_flows import flow
from tests.flows.checks.test_checking import append_move
from tests.flows.search.mirrored_flows import DAY

pytestmark = pytest.mark.django_db
OLD, NEW = "https://old.example/in", "https://new.example/in"
SIDS = [f"FO{number:032}" for number in range(6)]


def store(urls):
    """Store flows with these webhooks, or without one."""
    flow_rows.save_snapshots(
        {
            sid: flow("external" if url else "studio", "web", integration_url=url) | {"sid": sid}
            for sid, url in zip(SIDS, urls, strict=False)
        },
        ACCOUNT,
    )


def move(count, **values):
    for sid in SIDS[:count]:
        append_move(sid, OLD, NEW, **values)


@pytest.mark.parametrize(
    ("urls", "left"),
    [
        ([NEW, NEW, OLD], {"old.example"}),
        ([NEW, NEW, OLD, OLD], {"old.example"}),
        ([None, NEW], {"old.example"}),
        ([NEW, NEW, OLD, OLD, OLD], set()),
        ([NEW, OLD, OLD], set()),
        ([NEW], set()),
    ],
    ids=["one stayed", "as many stayed", "none stayed", "most stayed", "came back", "deleted"],
)
def test_host_is_left_if_two_moved_and_no_more_stayed(urls, left):
    store(urls)
    move(2)

    assert find_left_hosts(ACCOUNT) == left


def test_moves_found_at_twilio_count():
    store([NEW, NEW])
    for sid in SIDS[:2]:
        append_move(sid, OLD, NEW, action="flow.drift", stage="observed", result="succeeded")

    assert find_left_hosts(ACCOUNT) == {"old.example"}


@pytest.mark.parametrize(
    "values",
    [
        {"result": "failed"},
        {"result": "unknown"},
        {"account_sid": "AC" + "7" * 32},
        {"action": "flow.create"},
    ],
)
def test_other_events_are_no_moves(values):
    store([NEW, NEW])
    move(2, **values)

    assert find_left_hosts(ACCOUNT) == set()


def test_another_path_of_a_host_is_no_move():
    store([NEW, NEW])
    for sid in SIDS[:2]:
        append_move(sid, OLD, "https://old.example/v2")

    assert find_left_hosts(ACCOUNT) == set()


def test_deleted_flows_have_not_moved():
    store([NEW, NEW])
    move(2)
    flow_rows.Flow.objects.filter(sid=SIDS[0]).update(gone_at=DAY)

    assert find_left_hosts(ACCOUNT) == set()


def test_only_the_last_changes_are_searched(monkeypatch):
    monkeypatch.setattr(left_hosts, "MAX_EVENTS", 3)
    store([NEW, NEW])
    move(2)
    assert find_left_hosts(ACCOUNT) == {"old.example"}

    append_move(SIDS[5], NEW, OLD)
    append_move(SIDS[5], NEW, OLD)

    assert find_left_hosts(ACCOUNT) == set()


@pytest.mark.parametrize(("planned_count", "left"), [(1, {"old.example"}), (2, set())])
def test_planned_changes_push_the_oldest_out_of_the_search(monkeypatch, planned_count, left):
    monkeypatch.setattr(left_hosts, "MAX_EVENTS", 4)
    store([NEW, NEW, NEW, NEW])
    move(2)
    planned = {sid: {"friendly_name": "Other"} for sid in SIDS[2 : 2 + planned_count]}

    predicted = predict_left_hosts(ACCOUNT, planned, load_changing_flows(ACCOUNT, planned))

    assert predicted == ({"old.example"}, left)


def test_search_takes_few_queries(django_assert_num_queries):
    with django_assert_num_queries(2):
        find_left_hosts(ACCOUNT)
    store([NEW, NEW])
    move(2)

    with django_assert_num_queries(4):
        find_left_hosts(ACCOUNT)
