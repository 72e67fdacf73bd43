"""Copies of a flow's data outside the audit log and the mirror.

Bulk changes, saved views, reasons, readings of unresolved changes, error texts, tasks and sessions
can hold such copies. An erasure searches each of these tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl
from uuid import UUID

from django.contrib.messages.storage.session import SessionStorage
from django.contrib.sessions.models import Session
from django.db.models import Model
from django_tasks_db.models import DBTaskResult

from flows.audit.models import OpenChange
from flows.availability.models import Closure
from flows.erasure.mentions import MentionMatcher
from flows.mirror.models import SyncState
from flows.plans.models import Plan, PlannedChange
from flows.plans.skip_rules import DATA_ERASED
from flows.search.models import SavedView

# A flow's name as earlier versions quoted it in the reason for skipping a change.
_QUOTED_NAME: Final = re.compile("“(.*)”", re.DOTALL)

RowUpdate = tuple[Model, dict[str, Any]]  # a row, and the values that replace the data in it
# A model's text field, the search for the data in it, and the text that replaces it.
TextRule = tuple[type[Model], str, Callable[[str], bool], str]


@dataclass(slots=True)
class Remnants:
    """The rows outside the log and the mirror that contain data of some flows.

    `mentions` matches the names and identities of the flows, `identities` the identities alone. A
    name can be an ordinary word. So in texts that this site composes, it counts only in quotation
    marks.
    """

    mentions: MentionMatcher
    identities: MentionMatcher
    is_by_identity: bool
    planned_changes: list[PlannedChange] = field(default_factory=list)
    # Changes of other flows, skipped for a reason that names one of these flows.
    quoting_changes: list[PlannedChange] = field(default_factory=list)
    row_updates: list[RowUpdate] = field(default_factory=list)
    view_ids: list[int] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        remnants = [self.planned_changes, self.quoting_changes, self.row_updates, self.view_ids]
        return not any(remnants)

    def find(self, sids: Collection[str], change_ids: Collection[UUID]) -> None:
        """Search the tables for these flows and changes, and for mentions of the data."""
        self._find_planned_changes(sids, change_ids)
        self.row_updates = [
            *self._update_texts(),
            *self._update_readings(sids),
            *self._update_tasks(sids),
        ]
        views = SavedView.objects.all()
        self.view_ids = [view.pk for view in views if self._is_in_view(view)]

    def erase(self) -> None:
        """Erase the data from the rows that `find` collected."""
        for change in self.planned_changes:
            rows = PlannedChange.objects.filter(pk=change.pk)
            rows.filter(done_at=None).update(skip_reason=DATA_ERASED)
            rows.update(friendly_name="", before={}, requested={})
        quoting_ids = [change.pk for change in self.quoting_changes]
        PlannedChange.objects.filter(pk__in=quoting_ids).update(skip_reason=DATA_ERASED)
        SavedView.objects.filter(pk__in=self.view_ids).delete()
        for row, values in self.row_updates:
            type(row)._default_manager.filter(pk=row.pk).update(**values)

    def _find_planned_changes(self, sids: Collection[str], change_ids: Collection[UUID]) -> None:
        for change in PlannedChange.objects.iterator():
            contents = [change.friendly_name, change.before, change.requested]
            if change.target_sid in sids or change.change_id in change_ids:
                is_affected = any(contents)  # False if they were erased before
            else:
                is_affected = self._has_identity(contents)
            if is_affected:
                self.planned_changes.append(change)
            if self._is_quoted_in(change.skip_reason):
                self.quoting_changes.append(change)

    def _has_identity(self, contents: Any) -> bool:
        """Return True if the search is by identity, and these contents of a flow mention it."""
        return self.is_by_identity and self.mentions.has_word(contents)

    def _is_quoted_in(self, text: str) -> bool:
        """Return True if a reason for skipping a change names one of the flows."""
        if self.identities.has_word(text):
            return True
        quoted_name = _QUOTED_NAME.search(text)
        if quoted_name is None:
            return False
        return self.mentions.has_word(quoted_name[1])

    def _is_in_view(self, view: SavedView) -> bool:
        """Return True if the view's name or one of its filters contains the data."""
        query_values = [value for _, value in parse_qsl(view.query)]
        return self.mentions.has_substring(view.name, query_values)

    def _update_texts(self) -> Iterator[RowUpdate]:
        """Empty texts that users wrote, and replace those that this site composed."""
        is_in_note = self.mentions.has_word
        if self.is_by_identity:
            is_in_note = self.mentions.has_substring
        rules: list[TextRule] = [
            (Plan, "reason", self.mentions.has_substring, ""),
            (Plan, "title", self.identities.has_substring, DATA_ERASED),
            (Plan, "stop_reason", self.identities.has_substring, DATA_ERASED),
            (Closure, "reason", is_in_note, ""),
            (SyncState, "error", self.identities.has_substring, DATA_ERASED),
        ]
        for model, field_name, is_mentioned, replacement in rules:
            for row in model._default_manager.iterator():
                if is_mentioned(getattr(row, field_name)):
                    yield row, {field_name: replacement}

    def _update_readings(self, sids: Collection[str]) -> Iterator[RowUpdate]:
        """Remove the flows from the readings of changes with an unknown outcome."""
        for change in OpenChange.objects.iterator():
            reading = change.last_reading
            remaining_flows = {
                sid: flow
                for sid, flow in reading.items()
                if sid not in sids and not self._has_identity(flow)
            }
            if remaining_flows != reading:
                yield change, {"last_reading": remaining_flows}

    def _update_tasks(self, sids: Collection[str]) -> Iterator[RowUpdate]:
        """Empty failed tasks whose traceback quotes the data, such as a row of the database."""
        for task in DBTaskResult.objects.exclude(traceback="", return_value=None).iterator():
            contents = [task.return_value, task.traceback]
            text = str(contents)
            has_sid = any(sid in text for sid in sids)
            if has_sid or self.identities.has_substring(contents):
                yield task, {"traceback": DATA_ERASED, "return_value": None}


def erase_from_sessions(identities: MentionMatcher) -> None:
    """Remove pending messages, and values with one of the identities, from all sessions.

    Pending messages may name a flow. Keys that start with "_" stay, so users stay signed in.
    """
    for session in Session.objects.iterator():
        data = session.get_decoded()
        remaining_data = {
            name: value for name, value in data.items() if not _is_erasable(name, value, identities)
        }
        if remaining_data == data:
            continue
        session.session_data = Session.objects.encode(remaining_data)
        session.save(update_fields=["session_data"])


def _is_erasable(name: str, value: Any, identities: MentionMatcher) -> bool:
    """Return True for pending messages, and for a value that contains one of the identities."""
    if name == SessionStorage.session_key:
        return True
    if name.startswith("_"):
        return False
    return identities.has_substring(value)
