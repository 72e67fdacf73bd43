"""The terms of a policy: what it asks of changes, when changes are sent, and what is stricter."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, time
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from django.db import models
from django.utils import timezone

from flows.approvals.change_kinds import ChangeKind
from flows.approvals.models import ChangePolicy

DAY_NAMES: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MAX_APPROVALS: Final = 5


class ApproverPermission(models.TextChoices):
    """The permission that approves, with the roles that have it."""

    CHANGE = "flows.change_flow", "Operators and administrators"
    SET_POLICY = "flows.set_policy", "Administrators"


# From the least strict to the strictest.
_STRICTNESS: Final = tuple(ApproverPermission.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The hours in which changes are sent, on some days of the week, in a time zone."""

    days: tuple[int, ...]  # 0 is Monday
    opens_at: time
    closes_at: time
    time_zone: str

    def contain(self, moment: datetime) -> bool:
        local = moment.astimezone(ZoneInfo(self.time_zone))
        return local.weekday() in self.days and self.opens_at <= local.time() < self.closes_at

    def __str__(self) -> str:
        days = ", ".join(DAY_NAMES[day] for day in self.days)
        return f"{days} {self.opens_at:%H:%M} to {self.closes_at:%H:%M} ({self.time_zone})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of a policy. Those of an account without one ask for nothing."""

    requires_reason: bool = False
    kinds: tuple[str, ...] = ()
    bulk_limit: int | None = None  # a bulk change of more flows needs approval
    approvals_required: int = 1
    approver_permission: str = ApproverPermission.CHANGE
    hours: Hours | None = None

    @classmethod
    def of_policy(cls, policy: ChangePolicy | None) -> Self:
        if policy is None:
            return cls()
        hours = None
        if policy.days and policy.opens_at and policy.closes_at:
            hours = Hours(
                days=tuple(policy.days),
                opens_at=policy.opens_at,
                closes_at=policy.closes_at,
                time_zone=policy.time_zone,
            )
        return cls(
            requires_reason=policy.requires_reason,
            kinds=tuple(policy.kinds),
            bulk_limit=policy.bulk_limit,
            approvals_required=policy.approvals_required,
            approver_permission=policy.approver_permission,
            hours=hours,
        )

    @property
    def is_empty(self) -> bool:
        return not (self.requires_reason or self.needs_approvals or self.hours)

    @property
    def needs_approvals(self) -> bool:
        """True if changes of some kinds, or large bulk changes, need approval."""
        return bool(self.kinds) or self.bulk_limit is not None

    def required_for(self, kinds: Collection[str], flows: int = 1) -> int:
        """Return the number of approvals that a change of these kinds, of so many flows, needs."""
        if self.bulk_limit is not None and flows > self.bulk_limit:
            return self.approvals_required
        return self.approvals_required if set(kinds) & set(self.kinds) else 0

    def is_open(self, moment: datetime | None = None) -> bool:
        """Return True if changes are sent at this time, or now."""
        return self.hours is None or self.hours.contain(moment or timezone.now())

    @property
    def for_approvals(self) -> dict[str, Any]:
        """The terms that an approval was given under, as stored with it."""
        values = asdict(self)
        del values["hours"]
        return {**values, "kinds": list(self.kinds)}

    def is_stricter_than(self, earlier: Mapping[str, Any]) -> bool:
        """Return True if approvals that were given under `earlier` terms no longer count."""
        is_covered = ChangeKind.ANY in earlier["kinds"] or set(self.kinds) <= set(earlier["kinds"])
        if not is_covered:
            return True
        if _is_lower(self.bulk_limit, earlier.get("bulk_limit")):
            return True
        if not self.needs_approvals:
            return False
        return (
            self.approvals_required > earlier["approvals_required"]
            or _rank(self.approver_permission) > _rank(earlier["approver_permission"])
            or (self.requires_reason and not earlier["requires_reason"])
        )

    @property
    def sentences(self) -> list[str]:
        """The terms as sentences for pages and messages."""
        sentences = []
        if self.requires_reason:
            sentences.append("Each change needs a reason.")
        if self.needs_approvals:
            sentences.append(f"{self.approval_phrase}: {self.kinds_phrase}.")
        if self.hours:
            sentences.append(f"Changes are sent {self.hours} only.")
        return sentences

    @property
    def kinds_phrase(self) -> str:
        """The changes that need approval, in lower case and separated by commas."""
        kinds = [ChangeKind(kind).label.lower() for kind in self.kinds]
        if self.bulk_limit is not None:
            noun = "flow" if self.bulk_limit == 1 else "flows"
            kinds.append(f"bulk changes of more than {self.bulk_limit:,} {noun}")
        return ", ".join(kinds)

    @property
    def approval_phrase(self) -> str:
        """The needed approvals, such as "2 approvals by administrators"."""
        number = self.approvals_required
        noun = "approval" if number == 1 else "approvals"
        approvers = ApproverPermission(self.approver_permission).label.lower()
        return f"{number} {noun} by {approvers}"


def _is_lower(limit: int | None, earlier: int | None) -> bool:
    return limit is not None and (earlier is None or limit < earlier)


def _rank(permission: str) -> int:
    return _STRICTNESS.index(permission) if permission in _STRICTNESS else len(_STRICTNESS)


def load_terms(account_sid: str) -> Terms:
    """Return the terms of an account's policy."""
    return Terms.of_policy(ChangePolicy.objects.filter(pk=account_sid).first())
