"""The table of findings: a check of an account brings it up to date and records the differences.

Only this module writes the table. `evaluation` says when an account is checked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final

from django.utils import timezone

from flows.audit import audit_log
from flows.audit.actions import AuditAction
from flows.audit.audit_log import LogTransaction
from flows.audit.models import AuditEvent
from flows.checks.account_state import AccountState
from flows.checks.checking import RULES
from flows.checks.finding_events import build_events, build_summary
from flows.checks.finding_rows import (
    COLUMNS,
    Differences,
    Evaluation,
    FindingRow,
    compare,
    count_rows,
    evaluate_state,
)
from flows.checks.models import CheckedAccount, StoredFinding
from flows.checks.stored_state import load_state
from flows.core.database import BATCH_SIZE, split_batches

ERASED: Final = "The sentence was erased. The next check writes it again."


class EvaluationOutdated(Exception):
    """The input of a check was erased meanwhile, or another check has taken over."""


def update(account: CheckedAccount) -> None:
    """Check an account, and bring its stored findings and the log up to date, in one transaction.

    `account` is the row of the running check. Raises `EvaluationOutdated` or `NotRecorded`; nothing
    is stored then.
    """
    read_seq = audit_log.last_seq()
    state = load_state(account.account_sid)
    evaluation = evaluate_state(account.account_sid, state)
    stored = load_rows(account.account_sid)
    differences = compare(stored, evaluation)
    judged_rules = set(account.judged_rules)
    new_rules = _find_judged_rules(state, evaluation) - judged_rules
    rows = [*evaluation.findings, *differences.unjudged]
    events = [
        *build_events(account.account_sid, differences, state.flows, judged_rules),
        *build_summary(account.account_sid, rows, new_rules),
    ]
    results = {
        "counts": count_rows(rows),
        "judged_rules": sorted(judged_rules | new_rules),
        "unmet_rules": sorted(evaluation.unmet),
        "outdated_flows": _count_outdated(evaluation),
    }
    if differences.is_empty and not events:
        _finish(account, results)
        return
    with audit_log.transaction() as log:
        _reject_erased(log, read_seq)
        _write(account.account_sid, differences, account.started_at or timezone.now())
        log.append_observations(events)
        _finish(account, results)


def _find_judged_rules(state: AccountState, evaluation: Evaluation) -> set[str]:
    """Return the ids of the rules that judged the account, also of those that judged a part of it."""
    return {
        rule.rule_id
        for rule in RULES
        if rule.rule_id not in evaluation.unmet
        or any(resource in state.complete for resource in rule.judged_with)
    }


def load_rows(account_sid: str) -> list[FindingRow]:
    """Return the stored findings of an account."""
    rows = StoredFinding.objects.filter(account_sid=account_sid)
    return [FindingRow(*values) for values in rows.order_by("pk").values_list(*COLUMNS)]


def delete_findings(sids: Collection[str]) -> None:
    """Delete the findings of flows whose data is erased."""
    for batch in split_batches(list(sids)):
        StoredFinding.objects.filter(sid__in=batch).delete()


def erase_messages(pks: Iterable[int]) -> None:
    """Empty the sentences of other flows' findings that quote erased data."""
    for pk in pks:
        StoredFinding.objects.filter(pk=pk).update(message=ERASED, digest=f"erased-{pk}")


def _write(account_sid: str, differences: Differences, at: datetime) -> None:
    deleted_ids = [row.pk for row in (*differences.removed, *differences.cleared) if row.pk]
    for batch in split_batches(deleted_ids):
        StoredFinding.objects.filter(pk__in=batch).delete()
    StoredFinding.objects.bulk_update(
        [
            StoredFinding(pk=before.pk, digest=after.digest, message=after.message)
            for before, after in differences.reworded
        ],
        ["digest", "message"],
        batch_size=BATCH_SIZE // 5,
    )
    StoredFinding.objects.bulk_create(
        (_build_row(account_sid, row, at) for row in differences.appeared), batch_size=BATCH_SIZE
    )


def _build_row(account_sid: str, row: FindingRow, at: datetime) -> StoredFinding:
    return StoredFinding(
        account_sid=account_sid,
        sid=row.sid,
        rule_id=row.rule_id,
        severity=row.severity,
        digest=row.digest,
        message=row.message,
        first_seen_at=at,
    )


def _reject_erased(log: LogTransaction, read_seq: int) -> None:
    """Raise `EvaluationOutdated` if personal data was erased since the flows were read."""
    if log.last_seq == read_seq:
        return
    erasures = AuditEvent.objects.filter(action=AuditAction.ERASE, seq__gt=read_seq)
    if erasures.exists():
        raise EvaluationOutdated


def _finish(account: CheckedAccount, results: dict[str, Any]) -> None:
    """Store the results of a check and end it. Raise `EvaluationOutdated` if another one runs."""
    own = CheckedAccount.objects.filter(pk=account.pk, started_at=account.started_at)
    end_values = {"started_at": None, "checked_at": account.started_at, "failed_at": None}
    if not own.update(**end_values, checked_changes=account.changes, **results):
        raise EvaluationOutdated


def _count_outdated(evaluation: Evaluation) -> dict[str, int]:
    """Return the number of flows that couldn't be judged, by the rule's id."""
    sids: dict[str, set[str]] = {}
    for sid, rule_id in evaluation.outdated:
        sids.setdefault(rule_id, set()).add(sid)
    return {rule_id: len(members) for rule_id, members in sorted(sids.items())}
