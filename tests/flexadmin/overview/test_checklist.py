"""The checklist of a new site: which steps are done, and how to do the others."""

import pytest
from django.utils import timezone

from flexadmin.overview.checklist import build_checklist
from flows.mirror.freshness import Freshness
from flows.mirror.models import SyncState

pytestmark = pytest.mark.django_db


def build(*syncs, has_checkpoint=False, worker_heartbeat=None):
    return build_checklist(
        [Freshness(sync) for sync in syncs or (SyncState(),)],
        has_checkpoint=has_checkpoint,
        worker_heartbeat=worker_heartbeat,
    )


def done(checklist):
    return [step.title for step in checklist.steps if step.is_done]


def test_nothing_is_done_on_a_new_site(person):
    person("admin")

    checklist = build()

    assert done(checklist) == []
    assert checklist.is_open
    assert not checklist.is_complete


def test_each_step_says_how_to_do_it():
    for step in build().steps:
        assert step.advice
        assert bool(step.command) != bool(step.url)
        assert bool(step.url) == bool(step.link_label)


@pytest.mark.parametrize("has_failed_since", [False, True])
def test_sync_that_worked_once_is_done(has_failed_since):
    now = timezone.now()
    sync = SyncState(synced_at=now, failed_at=now if has_failed_since else None)

    assert done(build(sync)) == ["Reach Twilio", "Sync the flows of every account"]
    assert done(build(sync, SyncState())) == ["Reach Twilio"]


def test_failed_sync_says_why(client_of):
    failed = SyncState(failed_at=timezone.now(), error="Twilio refused the API key (status 401).")

    step = build(failed).steps[0]

    assert not step.is_done
    assert step.advice == (
        "Twilio refused the API key (status 401). Check the account's API key and FLEX_API_URL."
    )


def test_users_second_factor_worker_and_checkpoint_are_steps(person, settings):
    person("admin")
    person("viewer")
    settings.SECOND_FACTOR_REQUIRED = True

    checklist = build(
        SyncState(synced_at=timezone.now()),
        has_checkpoint=True,
        worker_heartbeat=timezone.now(),
    )

    assert checklist.done_count == len(checklist.steps) == 6
    assert checklist.is_complete


def test_checklist_is_folded_up_when_one_step_is_left(person):
    person("admin")
    person("viewer")

    checklist = build(
        SyncState(synced_at=timezone.now()), has_checkpoint=True, worker_heartbeat=timezone.now()
    )

    assert checklist.done_count == 5
    assert not checklist.is_open
