"""The flows that use one target, counted by account."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

from flows.accounts import twilio_accounts
from flows.core.normalization import normalize_text
from flows.mirror.targets import TargetKind
from flows.search.models import FlowEntry, Target


@dataclass(frozen=True, slots=True)
class AccountUse:
    """The numbers of an account's flows that use a target: on, off and deleted at Twilio."""

    account_sid: str
    flows_on: int
    flows_off: int
    flows_gone: int


def count_uses(kind: str, value: str, scope: twilio_accounts.Scope) -> list[AccountUse]:
    """Return the use of a target in each account of the scope that has any."""
    if kind == TargetKind.IDENTITY:
        return _count_identity(value, scope)
    targets = twilio_accounts.filter_scope(Target.objects.filter(kind=kind, value=value), scope)
    columns = ("account_sid", "flows_on", "flows_off", "flows_gone")
    return [AccountUse(*row) for row in targets.order_by("account_sid").values_list(*columns)]


def _count_identity(identity: str, scope: twilio_accounts.Scope) -> list[AccountUse]:
    entries = FlowEntry.objects.filter(identity_folded=normalize_text(identity))
    entries = twilio_accounts.filter_scope(entries, scope)
    counts = entries.values("account_sid").annotate(
        flows_on=Count("sid", Q(gone_at=None, enabled=True)),
        flows_live=Count("sid", Q(gone_at=None)),
        flows=Count("sid"),
    )
    return [
        AccountUse(
            row["account_sid"],
            row["flows_on"],
            row["flows_live"] - row["flows_on"],
            row["flows"] - row["flows_live"],
        )
        for row in counts.order_by("account_sid")
    ]
