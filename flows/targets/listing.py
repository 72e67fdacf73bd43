"""The list of targets: those that flows use, and those that no flow uses, with their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import Expression, OrderBy
from django.db.models.functions import Coalesce, Lower, NullIf

from flows.accounts import twilio_accounts
from flows.core import matching
from flows.mirror.models import Flow
from flows.mirror.targets import TargetKind
from flows.names.models import ResourceName
from flows.search.models import FlowEntry, Target
from flows.search.number_spellings import count_odd_spellings, find_odd_spellings
from flows.search.target_names import SENDERS
from flows.twilio.chat.chat_service import CHAT_SERVICE
from flows.twilio.conversations.conversation_service import CONVERSATION_SERVICE
from flows.twilio.studio.studio_flow import STUDIO_FLOW
from flows.twilio.taskrouter.task_channel import TASK_CHANNEL
from flows.twilio.taskrouter.workflow import WORKFLOW
from flows.twilio.taskrouter.workspace import WORKSPACE

PAGE_SIZE: Final = 50
SORTS: Final = ("name", "kind", "account", "on", "off")  # a minus before one reverses the order
# The resources whose objects are targets, by the targets' kind.
RESOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    TargetKind.STUDIO_FLOW: (STUDIO_FLOW.name,),
    TargetKind.WEBHOOK: (),
    TargetKind.WORKFLOW: (WORKFLOW.name,),
    TargetKind.WORKSPACE: (WORKSPACE.name,),
    TargetKind.TASK_CHANNEL: (TASK_CHANNEL.name,),
    TargetKind.CHAT_SERVICE: (CONVERSATION_SERVICE.name, CHAT_SERVICE.name),
    TargetKind.IDENTITY: SENDERS,
}
_KINDS: Final = {name: kind for kind, names in RESOURCES.items() for name in names}
_KIND_OF_RESOURCE: Final = Case(
    *(When(resource__in=names, then=Value(str(kind))) for kind, names in RESOURCES.items() if names)
)


@dataclass(frozen=True, slots=True)
class ListedTarget:
    """A target of an account, and the numbers of flows that use it."""

    account_sid: str
    kind: str
    value: str
    flows_on: int = 0
    flows_off: int = 0


@dataclass(frozen=True, slots=True)
class TargetQuery:
    """The filters, order and page of the list of targets.

    Empty values stand for all targets that a flow uses.
    """

    q: str = ""
    kind: str = ""
    account: str = ""
    is_unused: bool = False
    sort: str = ""
    page: int = 1
    scope: twilio_accounts.Scope = None

    def run(self) -> tuple[list[ListedTarget], int]:
        """Return a page of targets and the number of all.

        Without a sort order, the most used ones come first.
        """
        if self.is_unused:
            return self._find_unused()
        if self.kind == TargetKind.IDENTITY:
            return self._find_identities()
        return self._find_used()

    def _find_used(self) -> tuple[list[ListedTarget], int]:
        targets = self._filter_account(Target.objects.exclude(flows_on=0, flows_off=0))
        if self.kind:
            targets = targets.filter(kind=self.kind)
        named = ResourceName.objects.filter(
            account_sid=OuterRef("account_sid"), sid=OuterRef("value")
        )
        name = Subquery(named.values("name_folded")[:1])
        targets = targets.annotate(name=name).filter(self._has_words("value_folded", "name"))
        order = self._order(
            ((F("flows_on") + F("flows_off")).desc(), "kind", "value", "account_sid"),
            name=_name_or("value_folded"),
            kind=F("kind"),
            on=F("flows_on"),
            off=F("flows_off"),
        )
        columns = ("account_sid", "kind", "value", "flows_on", "flows_off")
        rows = self._slice(targets.order_by(*order).values_list(*columns))
        return [ListedTarget(*row) for row in rows], targets.count()

    def _find_identities(self) -> tuple[list[ListedTarget], int]:
        """Find contact identities. They are in the list's own table, normalized."""
        entries = self._filter_account(FlowEntry.objects.filter(gone_at=None))
        entries = entries.exclude(identity_folded="").filter(self._has_identity())
        groups = entries.values("account_sid", "identity_folded").annotate(
            flows=Count("sid"), flows_on=Count("sid", Q(enabled=True)), sid=Min("sid")
        )
        names = ResourceName.objects.filter(
            resource__in=SENDERS,
            account_sid=OuterRef("account_sid"),
            reference=OuterRef("identity_folded"),
        )
        names = names.order_by(F("gone_at").desc(nulls_first=True), "sid")
        groups = groups.annotate(name=Subquery(names.values("name_folded")[:1]))
        order = self._order(
            ("-flows", "identity_folded", "account_sid"),
            name=_name_or("identity_folded"),
            on=F("flows_on"),
            off=F("flows") - F("flows_on"),
        )
        rows = list(self._slice(groups.order_by(*order)))
        flows = Flow.objects.filter(sid__in=[row["sid"] for row in rows])
        identities = dict(flows.values_list("sid", "contact_identity"))
        targets = [
            ListedTarget(
                row["account_sid"],
                TargetKind.IDENTITY,
                identities.get(row["sid"], row["identity_folded"]),
                row["flows_on"],
                row["flows"] - row["flows_on"],
            )
            for row in rows
        ]
        return targets, groups.count()

    def _find_unused(self) -> tuple[list[ListedTarget], int]:
        """Find what has a name at Twilio, but no flow."""
        resources = RESOURCES[self.kind] if self.kind else [*_KINDS]
        named = self._filter_account(ResourceName.objects.filter(gone_at=None))
        named = named.filter(resource__in=resources).exclude(name="")
        named = named.annotate(sid_folded=Lower("sid"))
        used = Target.objects.filter(account_sid=OuterRef("account_sid"))
        used = used.exclude(flows_on=0, flows_off=0)
        entries = FlowEntry.objects.filter(gone_at=None, account_sid=OuterRef("account_sid"))
        identity = OuterRef("reference")  # a number or an address, which is normalized
        is_used = (
            Q(Exists(used.filter(value=OuterRef("sid"))))
            | Q(resource=TASK_CHANNEL.name) & Q(Exists(used.filter(value=OuterRef("reference"))))
            | Q(resource__in=SENDERS) & Q(Exists(entries.filter(identity_folded=identity)))
        )
        unused = named.exclude(is_used).exclude(pk__in=self._used_in_other_spellings(named))
        unused = unused.filter(self._has_words("sid_folded", "name_folded"))
        order = self._order(
            ("resource", "name_folded", "sid"), name=F("name_folded"), kind=_KIND_OF_RESOURCE
        )
        rows = self._slice(unused.order_by(*order))
        return [_listed_name(row) for row in rows], unused.count()

    def _used_in_other_spellings(self, named: QuerySet[ResourceName]) -> list[int]:
        """Return the keys of the numbers that flows have in another spelling than Twilio's."""
        spellings = find_odd_spellings(self._filter_account(FlowEntry.objects.filter(gone_at=None)))
        if not spellings:
            return []
        senders = named.filter(resource__in=SENDERS).values_list("pk", "account_sid", "reference")
        return [
            key
            for key, account_sid, number in senders
            if count_odd_spellings(spellings, account_sid, number)
        ]

    def _filter_account(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        rows = twilio_accounts.filter_scope(rows, self.scope)
        return rows.filter(account_sid=self.account) if self.account else rows

    def _has_words(self, value: str, name: str) -> Q:
        """Return the condition for targets with all words in their name or their value."""
        condition = Q()
        for word in matching.split_words(self.q) if self.q else []:
            has_word = Q((f"{value}__contains", word)) | Q((f"{name}__contains", word))
            if short_sid := matching.split_short_sid(word):
                start, end = short_sid
                has_word = Q((f"{value}__startswith", start), (f"{value}__endswith", end))
            condition &= has_word
        return condition

    def _has_identity(self) -> Q:
        """Return the condition for entries with all words in their identity or its name."""
        if not self.q:
            return Q()
        named = self._filter_account(ResourceName.objects.filter(resource__in=SENDERS))
        named = named.filter(self._has_words("reference", "name_folded"))
        has_name = Q(identity_folded__in=named.values("reference"))
        return has_name | matching.text_filter(self.q, name="identity_folded")

    def _order(
        self, default: Sequence[str | OrderBy], **columns: Expression | F
    ) -> list[str | OrderBy]:
        """Return the order of the rows. Those that the sort order leaves equal are in the default.

        `columns` are what the rows can be sorted by apart from their account.
        """
        key = self.sort.removeprefix("-")
        column = {"account": _account_name(), **columns}.get(key)
        if column is None:
            return [*default]
        return [OrderBy(column, descending=self.sort.startswith("-")), *default]

    def _slice(self, rows: QuerySet[Any, Any]) -> Iterable[Any]:
        start = (self.page - 1) * PAGE_SIZE
        return rows[start : start + PAGE_SIZE]


def find_by_name(
    words: Iterable[str], scope: twilio_accounts.Scope, limit: int
) -> list[tuple[ListedTarget, str]]:
    """Return the first targets with all these normalized words in their name, and their names.

    Whether a flow uses them makes no difference.
    """
    named = twilio_accounts.filter_scope(ResourceName.objects.filter(gone_at=None), scope)
    named = named.filter(resource__in=_KINDS)
    for word in words:
        named = named.filter(name_folded__contains=word)
    return [(_listed_name(row), row.name) for row in named.order_by("name_folded", "sid")[:limit]]


def _account_name() -> Expression:
    """Return the name of a row's account, in the order of names, or its SID if it has none."""
    names = (
        When(account_sid=account.sid, then=Value(str(account).casefold()))
        for account in twilio_accounts.all_accounts()
    )
    return Case(*names, default=F("account_sid"), output_field=TextField())


def _name_or(column: str) -> Expression:
    """Return what a target is sorted by: its annotated name, or a column if it has none."""
    name = NullIf("name", Value(""), output_field=TextField())
    return Coalesce(name, column, output_field=TextField())


def _listed_name(row: ResourceName) -> ListedTarget:
    value = row.reference if row.resource in SENDERS else row.sid
    return ListedTarget(row.account_sid, _KINDS[row.resource], value)
