"""The board of the migration: every flow with its verdict and its progress, counted and filtered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from flows.core.identities import normalize_identity
from flows.migration.board_progress import Progress, progress_of
from flows.migration.models import FlowMigration
from flows.migration.verdicts import Judgement, Verdict


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A flow on the board. One that is deleted, or whose migration is done, has no judgement."""

    sid: str
    account_sid: str
    name: str
    channel: str
    identity: str
    judgement: Judgement | None = None
    migration: FlowMigration | None = None
    is_gone: bool = False

    @property
    def progress(self) -> Progress:
        return progress_of(self.migration, is_flow_gone=self.is_gone)

    @property
    def sort_key(self) -> tuple[bool, str, str, str]:
        """Flows of one number are next to each other, and those without an identity come last."""
        return not self.identity, normalize_identity(self.identity), self.name, self.sid


@dataclass(frozen=True, slots=True)
class Board:
    """The flows of some accounts, by their numbers."""

    rows: Sequence[BoardRow]

    def count_progress(self, account_sid: str) -> list[int]:
        """Return the number of flows of each group, in one account or with "" in all."""
        rows = [row for row in self.rows if account_sid in ("", row.account_sid)]
        counts = Counter(row.progress for row in rows)
        return [counts[progress] for progress in Progress]

    def count_verdicts(self) -> dict[Verdict, int]:
        """Return the number of flows with each verdict, of those that are not started."""
        counts = Counter(
            row.judgement.verdict
            for row in self.rows
            if row.judgement and row.progress == Progress.NOT_STARTED
        )
        return {verdict: counts[verdict] for verdict in Verdict}

    def find(
        self, verdict: Verdict | None, progress: Progress | None, sids: Collection[str] = ()
    ) -> list[BoardRow]:
        """Return the flows with a verdict and in a group and of these SIDs. Each may be any."""
        return [
            row
            for row in self.rows
            if (progress is None or row.progress == progress)
            and (verdict is None or _verdict_of(row) == verdict)
            and (not sids or row.sid in sids)
        ]


def sort_rows(rows: Iterable[BoardRow]) -> list[BoardRow]:
    return sorted(rows, key=lambda row: row.sort_key)


def _verdict_of(row: BoardRow) -> Verdict | None:
    return row.judgement.verdict if row.judgement else None
