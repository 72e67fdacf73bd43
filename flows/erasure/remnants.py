"""Copies of a flow's data outside the audit log and the mirror.

Bulk changes, migrations, change requests, saved views, notifications, names of numbers, reasons,
owners, tags and notes, findings, readings of unresolved changes, error texts, tasks and sessions can hold such copies. An erasure
searches each of these tables.
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

from flows.approvals.models import ChangeRequest
from flows.audit.models import OpenChange
from flows.availability.models import Closure
from flows.checks import evaluation, stored_findings
from flows.checks.models import StoredFinding
from flows.core.database import split_batches
from flows.erasure.mentions import MentionMatcher
from flows.local_details.models import FlowTag, LocalDetails
from flows.migration import erasing
from flows.migration.models import FlowMigration
from flows.mirror.models import SyncState
from flows.names.models import ResourceName
from flows.notifications import erasing as notifications
from flows.notifications.models import Subscription
from flows.plans.models import Plan, PlannedChange
from flows.plans.skip_rules import DATA_ERASED
from flows.schedules.models import Schedule
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
    planned_change_pks: list[int] = field(default_factory=list)
    row_updates: list[RowUpdate] = field(default_factory=list)
    view_pks: list[int] = field(default_factory=list)
    name_pks: list[int] = field(default_factory=list)
    details_pks: list[str] = field(default_factory=list)
    tag_pks: list[int] = field(default_factory=list)
    own_findings: list[StoredFinding] = field(default_factory=list)  # at these flows
    quoting_findings: list[StoredFinding] = field(default_factory=list)  # at others
    migration_pks: list[UUID] = field(default_factory=list)
    request_pks: list[UUID] = field(default_factory=list)
    subscription_pks: list[int] = field(default_factory=list)
    _sids: Collection[str] = field(default=(), init=False)  # of the flows, set by `find`

    @property
    def count(self) -> int:
        """The number of rows that `find` collected."""
        rows = len(self.planned_change_pks) + len(self.row_updates) + len(self.view_pks)
        rows += len(self.name_pks) + len(self.details_pks) + len(self.tag_pks)
        rows += len(self.own_findings) + len(self.quoting_findings)
        rows += len(self.migration_pks) + len(self.request_pks)
        return rows + len(self.subscription_pks)

    @property
    def is_empty(self) -> bool:
        return not self.count

    def find(self, sids: Collection[str], change_ids: Collection[UUID]) -> None:
        """Search the tables for these flows and changes, and for mentions of the data."""
        self._sids = sids
        self._find_planned_changes(change_ids)
        self._find_findings()
        self.row_updates += [
            *self._update_texts(),
            *self._update_readings(),
            *self._update_tasks(),
        ]
        views = SavedView.objects.all()
        self.view_pks = [view.pk for view in views if self._is_in_view(view)]
        names = ResourceName.objects.iterator()
        self.name_pks = [name.pk for name in names if self._is_in_name(name)]
        details = LocalDetails.objects.values_list("sid", flat=True)
        self.details_pks = [sid for sid in details if sid in self._sids]
        tags = FlowTag.objects.iterator()
        self.tag_pks = [tag.pk for tag in tags if self.identities.has_substring(tag.name)]
        migrations = FlowMigration.objects.iterator()
        self.migration_pks = [row.pk for row in migrations if self._is_in_migration(row)]
        requests = ChangeRequest.objects.iterator()
        notes = dict(Schedule.objects.exclude(note="").values_list("request_id", "note"))
        self.request_pks = [
            row.pk for row in requests if self._is_in_request(row, notes.get(row.pk, ""))
        ]
        subscriptions = Subscription.objects.all()
        self.subscription_pks = [row.pk for row in subscriptions if self._is_in_subscription(row)]

    def erase(self) -> None:
        """Erase the data from the rows that `find` collected."""
        for pk in self.planned_change_pks:
            rows = PlannedChange.objects.filter(pk=pk)
            rows.filter(done_at=None).update(skip_reason=DATA_ERASED)
            rows.update(friendly_name="", before={}, requested={})
        SavedView.objects.filter(pk__in=self.view_pks).delete()
        for batch in split_batches(self.name_pks):
            ResourceName.objects.filter(pk__in=batch).delete()
        for sids in split_batches(self.details_pks):
            LocalDetails.objects.filter(sid__in=sids).delete()
        for pks in split_batches(self.tag_pks):
            FlowTag.objects.filter(pk__in=pks).delete()
        self._erase_findings()
        for pks_of_migrations in split_batches(self.migration_pks):
            erasing.erase(pks_of_migrations)
        for pks_of_requests in split_batches(self.request_pks):
            # The contents no longer have the hash that was approved, so nothing can be sent.
            ChangeRequest.objects.filter(pk__in=pks_of_requests).update(
                friendly_name="", before=None, requested=None, reason="", note=""
            )
            Schedule.objects.filter(request__in=pks_of_requests).update(note="")
        notifications.erase(self.subscription_pks)
        for row, values in self.row_updates:
            type(row)._default_manager.filter(pk=row.pk).update(**values)

    def _find_findings(self) -> None:
        """Find what the checks found at these flows, and sentences at others that name one of them."""
        for finding in StoredFinding.objects.iterator():
            if finding.sid in self._sids:
                self.own_findings.append(finding)
            elif self._is_quoted_in(finding.message):
                self.quoting_findings.append(finding)

    def _erase_findings(self) -> None:
        """Delete the findings at these flows, and have the sentences at others written again."""
        stored_findings.delete_findings({finding.sid for finding in self.own_findings})
        stored_findings.erase_messages(finding.pk for finding in self.quoting_findings)
        for account_sid in {finding.account_sid for finding in self.quoting_findings}:
            evaluation.request_evaluation(account_sid)

    def _find_planned_changes(self, change_ids: Collection[UUID]) -> None:
        """Find changes of these flows, and changes skipped for a reason that names one of them."""
        for change in PlannedChange.objects.iterator():
            is_of_flow = change.target_sid in self._sids or change.change_id in change_ids
            if self._is_in_change(change, is_of_flow=is_of_flow):
                self.planned_change_pks.append(change.pk)
            if self._is_quoted_in(change.skip_reason):
                self.row_updates.append((change, {"skip_reason": DATA_ERASED}))

    def _is_in_change(self, change: PlannedChange, *, is_of_flow: bool) -> bool:
        """Return True if a planned change contains the data. One erased before has no contents."""
        contents = [change.friendly_name, change.before, change.requested]
        if is_of_flow:
            return any(contents)
        return self._has_identity(contents)

    def _has_identity(self, contents: Any) -> bool:
        """Return True if the search is by identity, and these contents of a flow mention it."""
        return self.is_by_identity and self.mentions.has_word(contents)

    def _is_in_migration(self, migration: FlowMigration) -> bool:
        """Return True if a migration of one of these flows, or another one, contains the data."""
        contents = erasing.contents_of(migration)
        if migration.flow_sid in self._sids:
            return any(contents)
        return self._has_identity(contents)

    def _is_in_request(self, request: ChangeRequest, schedule_note: str) -> bool:
        """Return True if a change request of one of these flows, or another one, has the data."""
        contents = [request.friendly_name, request.before, request.requested]
        texts = [request.reason, request.note, schedule_note]
        if request.target_sid in self._sids:
            return any([*contents, *texts])
        return self._has_identity(contents) or self.identities.has_substring(*texts)

    def _is_quoted_in(self, text: str) -> bool:
        """Return True if a reason for skipping a change names one of the flows."""
        quoted_names = _QUOTED_NAME.findall(text)
        return self.identities.has_word(text) or self.mentions.has_word(quoted_names)

    def _is_in_view(self, view: SavedView) -> bool:
        """Return True if the view's name or one of its filters contains the data."""
        query_values = [value for _, value in parse_qsl(view.query)]
        return self.mentions.has_substring(view.name, query_values)

    def _is_in_subscription(self, subscription: Subscription) -> bool:
        """Return True if a notification's name, recipients or a value of its filter has the data."""
        name, query, recipients = notifications.contents_of(subscription)
        query_values = [value for _, value in parse_qsl(query)]
        return self.mentions.has_substring(name, query_values, recipients)

    def _is_in_name(self, name: ResourceName) -> bool:
        """Return True if a number, a sender or the name of an object has one of the identities."""
        return self.identities.has_word(name.name, name.reference)

    def _update_texts(self) -> Iterator[RowUpdate]:
        """Empty texts that users wrote, and replace those that this site composed."""
        for model, field_name, is_mentioned, replacement in self._text_rules():
            for row in model._default_manager.iterator():
                if is_mentioned(getattr(row, field_name)):
                    yield row, {field_name: replacement}

    def _text_rules(self) -> list[TextRule]:
        is_in_note = self.mentions.has_word
        if self.is_by_identity:
            is_in_note = self.mentions.has_substring
        return [
            (Plan, "reason", self.mentions.has_substring, ""),
            (Plan, "title", self.identities.has_substring, DATA_ERASED),
            (Plan, "stop_reason", self.identities.has_substring, DATA_ERASED),
            (Closure, "reason", is_in_note, ""),
            (SyncState, "error", self.identities.has_substring, DATA_ERASED),
            (LocalDetails, "note", is_in_note, ""),
            # The owner of other flows can have the same name as an erased flow.
            (LocalDetails, "owner", self.identities.has_substring, ""),
            (LocalDetails, "owner_folded", self.identities.has_substring, ""),
        ]

    def _update_readings(self) -> Iterator[RowUpdate]:
        """Remove the flows from the readings of changes with an unknown outcome."""
        for change in OpenChange.objects.iterator():
            reading = change.last_reading
            remaining_flows = {
                sid: flow for sid, flow in reading.items() if not self._is_affected(sid, flow)
            }
            if remaining_flows != reading:
                yield change, {"last_reading": remaining_flows}

    def _is_affected(self, sid: str, flow: Any) -> bool:
        """Return True if a flow in a reading is one of these flows, or mentions the identity."""
        return sid in self._sids or self._has_identity(flow)

    def _update_tasks(self) -> Iterator[RowUpdate]:
        """Empty failed tasks whose traceback quotes the data, such as a row of the database."""
        for task in DBTaskResult.objects.exclude(traceback="", return_value=None).iterator():
            if self._is_quoted_in_error([task.return_value, task.traceback]):
                yield task, {"traceback": DATA_ERASED, "return_value": None}

    def _is_quoted_in_error(self, contents: list[Any]) -> bool:
        """Return True if the contents of a failed task have a flow's SID or an identity."""
        text = str(contents)
        has_sid = any(sid in text for sid in self._sids)
        return has_sid or self.identities.has_substring(contents)


def erase_from_sessions(identities: MentionMatcher) -> None:
    """Remove pending messages, and values with one of the identities, from all sessions.

    Pending messages may name a flow. Keys that start with "_" stay, so users stay signed in.
    """
    for session in Session.objects.iterator():
        data = session.get_decoded()
        remaining_data = _without_erasable(data, identities)
        if remaining_data != data:
            session.session_data = Session.objects.encode(remaining_data)
            session.save(update_fields=["session_data"])


def _without_erasable(data: dict[str, Any], identities: MentionMatcher) -> dict[str, Any]:
    """Return the data of a session that stays."""
    return {
        name: value for name, value in data.items() if not _is_erasable(name, value, identities)
    }


def _is_erasable(name: str, value: Any, identities: MentionMatcher) -> bool:
    """Return True for pending messages, and for a value that contains one of the identities."""
    if name == SessionStorage.session_key:
        return True
    if name.startswith("_"):
        return False
    return identities.has_substring(value)
