"""The table of transitions: what each event allows, and what it sets."""

import itertools

import pytest
from django.utils import timezone

from flows.migration.models import FlowMigration
from flows.migration.status import (
    RUNNING_STATUSES,
    TRANSITIONS,
    MigrationEvent,
    MigrationStatus,
    TransitionNotAllowed,
    change_status,
)

pytestmark = pytest.mark.django_db


def make_migration(status):
    return FlowMigration.objects.create(
        account_sid="AC" + "0" * 32,
        flow_sid="FO" + "0" * 32,
        channel_type="sms",
        status=status,
        created_at=timezone.now(),
        problem="Something is wrong.",
        begun_at=timezone.now(),
    )


@pytest.mark.parametrize(
    ("event", "status"), list(itertools.product(MigrationEvent, MigrationStatus)), ids=str
)
def test_event_is_allowed_in_its_statuses_only(event, status):
    migration = make_migration(status)
    rows = FlowMigration.objects.filter(pk=migration.pk)

    if status not in TRANSITIONS[event].sources:
        with pytest.raises(TransitionNotAllowed):
            change_status(rows, event)
        assert rows.get().problem == "Something is wrong."
        return
    change_status(rows, event)
    assert rows.get().status == TRANSITIONS[event].targets[0]
    assert rows.get().problem == ""
    goes_on = event == MigrationEvent.UNDO_SWITCH  # the same worker, in the same run
    assert (rows.get().begun_at is not None) is goes_on


def test_every_status_can_be_reached_and_left():
    targets = {target for transition in TRANSITIONS.values() for target in transition.targets}
    sources = {source for transition in TRANSITIONS.values() for source in transition.sources}

    assert targets == set(MigrationStatus)
    assert set(MigrationStatus) - sources == {MigrationStatus.DONE, MigrationStatus.ROLLED_BACK}


@pytest.mark.parametrize("target", RUNNING_STATUSES)
def test_resumption_goes_back_to_what_was_interrupted(target):
    migration = make_migration(MigrationStatus.STUCK)
    rows = FlowMigration.objects.filter(pk=migration.pk)

    assert change_status(rows, MigrationEvent.RESUME, target=target) == target
    assert rows.get().status == target


def test_other_target_is_refused():
    migration = make_migration(MigrationStatus.STUCK)

    with pytest.raises(TransitionNotAllowed):
        change_status(
            FlowMigration.objects.filter(pk=migration.pk),
            MigrationEvent.RESUME,
            target=MigrationStatus.DONE,
        )
