"""Copies of a flow's data outside the log and the mirror: plans, saved views, reasons, what was read of a
change with an unknown outcome, error texts, tasks and sessions. Erasing goes through every one of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
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
from flows.plans.execution import DATA_ERASED
from flows.plans.models import Plan, PlannedChange
from flows.search.models import SavedView

_QUOTED_NAME: Final = re.compile(
    "“(.*)”", re.DOTALL
)  # a name in a reason of this site's; no longer written so


@dataclass(slots=True)
class Remnants:
    """The places where data of some flows was found: `mentions` has all that they are called, `identities`
    the identities alone. A name can be an ordinary word, so in texts of this site's own it counts only where
    it is quoted."""

    mentions: MentionMatcher
    identities: MentionMatcher
    is_by_identity: bool
    planned: list[PlannedChange] = field(default_factory=list)  # about the flows themselves
    quoting: list[PlannedChange] = field(
        default_factory=list
    )  # of other flows, with a reason that names them
    rows: list[tuple[Model, dict[str, Any]]] = field(
        default_factory=list
    )  # with the values they get
    views: list[int] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.planned or self.quoting or self.rows or self.views)

    def find(self, sids: Collection[str], changes: Collection[UUID | None]) -> None:
        """Look through the tables for these flows and changes, and for whatever mentions the data."""
        self._find_planned(sids, changes)
        self.rows = [
            *self._in_plans(),
            *self._in_readings(sids),
            *(
                (row, {"reason": ""})
                for row in Closure.objects.all()
                if self._is_in_free_text(row.reason)
            ),
            *(
                (row, {"error": DATA_ERASED})
                for row in SyncState.objects.all()
                if self.identities.within(row.error)
            ),
            *self._in_tasks(sids),
        ]
        self.views = [
            view.pk
            for view in SavedView.objects.all()
            if self.mentions.within(view.name, [value for _, value in parse_qsl(view.query)])
        ]

    def erase(self) -> None:
        """Empty what was found."""
        for change in self.planned:
            rows = PlannedChange.objects.filter(pk=change.pk)
            rows.filter(done_at=None).update(skipped=DATA_ERASED)
            rows.update(friendly_name="", before={}, asked={})
        PlannedChange.objects.filter(pk__in=[change.pk for change in self.quoting]).update(
            skipped=DATA_ERASED
        )
        SavedView.objects.filter(pk__in=self.views).delete()
        for row, values in self.rows:
            type(row)._default_manager.filter(pk=row.pk).update(**values)

    def _find_planned(self, sids: Collection[str], changes: Collection[UUID | None]) -> None:
        for change in PlannedChange.objects.iterator():
            said = [change.friendly_name, change.before, change.asked]
            is_about = change.target_sid in sids or change.change_id in changes
            if any(said) and (is_about or (self.is_by_identity and self.mentions(said))):
                self.planned.append(change)
            if self._is_quoted_in(change.skipped):
                self.quoting.append(change)

    def _is_quoted_in(self, text: str) -> bool:
        quoted = _QUOTED_NAME.search(text)
        return self.identities(text) or (quoted is not None and self.mentions(quoted[1]))

    def _is_in_free_text(self, text: str) -> bool:
        return self.mentions.within(text) if self.is_by_identity else self.mentions(text)

    def _in_plans(self) -> Iterator[tuple[Model, dict[str, Any]]]:
        for plan in Plan.objects.iterator():
            values = {}
            if self.mentions.within(plan.reason):
                values["reason"] = ""
            if self.identities.within(plan.title):
                values["title"] = DATA_ERASED
            if self.identities.within(
                plan.ended_because
            ):  # an empty one would say that the plan was carried out
                values["ended_because"] = DATA_ERASED
            if values:
                yield plan, values

    def _in_readings(self, sids: Collection[str]) -> Iterator[tuple[Model, dict[str, Any]]]:
        """The readings of flows that an unknown outcome may be about."""
        for change in OpenChange.objects.iterator():
            kept = {
                sid: flow
                for sid, flow in change.last_reading.items()
                if sid not in sids and not (self.is_by_identity and self.mentions(flow))
            }
            if kept != change.last_reading:
                yield change, {"last_reading": kept}

    def _in_tasks(self, sids: Collection[str]) -> Iterator[tuple[Model, dict[str, Any]]]:
        """A task that failed keeps its traceback, whose last line can quote a row of the database."""
        for task in DBTaskResult.objects.exclude(traceback="", return_value=None).iterator():
            said = [task.return_value, task.traceback]
            if self.identities.within(said) or any(sid in str(said) for sid in sids):
                yield task, {"traceback": DATA_ERASED, "return_value": None}


def erase_from_sessions(identities: MentionMatcher) -> None:
    """Remove from people's sessions the messages that wait to be shown, which may name a flow, and whatever has one
    of the identities. Who is signed in stays so."""
    for session in Session.objects.iterator():
        data = session.get_decoded()
        kept = {
            name: value
            for name, value in data.items()
            if name != SessionStorage.session_key
            and (name.startswith("_") or not identities.within(value))
        }
        if kept != data:
            session.session_data = Session.objects.encode(kept)
            session.save(update_fields=["session_data"])
