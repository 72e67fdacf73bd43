"""How far the migration of a flow is, in the groups of the board."""

from __future__ import annotations

from enum import Enum
from typing import Final

from flows.migration.models import FlowMigration
from flows.migration.status import MigrationStatus


class Progress(Enum):
    """A group of the board. Its value is the word in URLs."""

    NOT_STARTED = "not-started"
    READY = "ready"
    IN_PROGRESS = "in-progress"
    SWITCHED = "switched"
    VERIFIED = "verified"
    DONE = "done"

    @property
    def label(self) -> str:
        return PROGRESS_LABELS[self][0]

    @property
    def shape(self) -> str:
        """The shape of its mark in the stylesheet."""
        return PROGRESS_LABELS[self][1]


PROGRESS_LABELS: Final = {
    Progress.NOT_STARTED: ("Not started", "none"),
    Progress.READY: ("Ready to switch over", "none"),
    Progress.IN_PROGRESS: ("In progress", "busy"),
    Progress.SWITCHED: ("Switched over", "doubt"),
    Progress.VERIFIED: ("Verified", "good"),
    Progress.DONE: ("Done", "good"),
}
_OF_STATUS: Final = {
    MigrationStatus.READY: Progress.READY,
    MigrationStatus.SWITCHED: Progress.SWITCHED,
    MigrationStatus.VERIFIED: Progress.VERIFIED,
    MigrationStatus.DONE: Progress.DONE,
    MigrationStatus.ROLLED_BACK: Progress.NOT_STARTED,
}


_MOVED: Final = (
    MigrationStatus.SWITCHED,
    MigrationStatus.VERIFIED,
    MigrationStatus.DELETING,
    MigrationStatus.DONE,
)


def progress_of(migration: FlowMigration | None, *, is_flow_gone: bool = False) -> Progress:
    """Return the group of a flow by its latest migration, or None for a flow without one.

    A migration ends with its flow, also if that was deleted outside this dashboard.
    """
    if migration is None:
        return Progress.NOT_STARTED
    if is_flow_gone and migration.status != MigrationStatus.ROLLED_BACK:
        return Progress.DONE if migration.status in _MOVED else Progress.IN_PROGRESS
    return _OF_STATUS.get(MigrationStatus(migration.status), Progress.IN_PROGRESS)
