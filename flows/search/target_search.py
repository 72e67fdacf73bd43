"""The targets that a search means: by their names, SIDs and hosts, with one query.

The same query gives the owners and tags that it means (details_search.py).

The query gives candidates; `Search.find` compares the words itself. There are a few hundred targets
for thousands of flows, so no index is needed. Names of handlers and numbers are found by any word.
Most flows share their services, so a service is only found if its name starts with the search.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import connection
from django.db.models import BooleanField, F, Func, Q, Value

from flows.accounts import twilio_accounts
from flows.core import matching
from flows.core.normalization import normalize_text
from flows.mirror.targets import TargetKind
from flows.search import details_search, trigrams
from flows.search.details_search import DetailsGroup
from flows.search.models import Target
from flows.search.target_names import SENDERS

MIN_LENGTH: Final = 2  # letters of a search for targets
HANDLER_KINDS: Final = (TargetKind.STUDIO_FLOW, TargetKind.WORKFLOW)
_TARGETS_QUERY: Final = f"""
    WITH RECURSIVE {details_search.VALUES}
    SELECT target.account_sid, target.kind, target.value, target.value_folded, target.id,
        target.flows_on + target.flows_off + target.flows_gone,
        COALESCE(named.name, ''), COALESCE(named.name_folded, '')
    FROM flows_target AS target
    LEFT JOIN flows_resourcename AS named
        ON named.account_sid = target.account_sid AND named.sid = target.value
    WHERE ({{conditions}}) {{target_scope}}
    UNION ALL
    SELECT named.account_sid, %s, named.reference, named.reference, 0, 0,
        named.name, named.name_folded
    FROM flows_resourcename AS named
    WHERE named.resource IN (%s, %s) AND named.reference <> '' AND ({{name_conditions}}) {{name_scope}}
    UNION ALL {details_search.QUERY}
"""  # noqa: S608 - constants only
_NAME_CONDITION: Final = r"named.name_folded LIKE %s ESCAPE '\'"
_WORD_CONDITION: Final = (
    rf"{_NAME_CONDITION} OR target.value_folded LIKE %s ESCAPE '\' AND (target.kind = %s OR %s)"
)
_Templates = Mapping[str, tuple[str, str]]  # by database: the SQL around the SID and the ids
# Conditions for entries of flows that use one of some targets.
# Few flows are read through the index of targets, many are tested one by one.
_FEW: Final[_Templates] = {
    "sqlite": (
        "%(expressions)s)))",
        " IN (SELECT flow_sid FROM flows_targetuse WHERE target_id IN (SELECT value FROM json_each(",
    ),
    # An array, because PostgreSQL reads all flows for IN next to another condition.
    "postgresql": (
        "%(expressions)s::jsonb))))",
        (
            " = ANY(ARRAY(SELECT flow_sid FROM flows_targetuse "
            "WHERE target_id IN (SELECT value::bigint FROM jsonb_array_elements_text("
        ),
    ),
}
_MANY: Final[_Templates] = {
    "sqlite": (
        "EXISTS (SELECT 1 FROM flows_targetuse AS used WHERE used.flow_sid = %(expressions)s)))",
        " AND used.target_id IN (SELECT value FROM json_each(",
    ),
    "postgresql": (
        (
            "EXISTS (SELECT 1 FROM flows_targetuse AS used "
            "WHERE used.flow_sid = %(expressions)s::jsonb)))"
        ),
        " AND used.target_id IN (SELECT value::bigint FROM jsonb_array_elements_text(",
    ),
}


@dataclass(frozen=True, slots=True)
class FoundTarget:
    """A target, an owner or a tag that a search may mean.

    A contact identity has no id and no flows here. An owner or a tag has neither account nor id.
    """

    account_sid: str
    kind: str
    value: str
    value_folded: str
    id: int
    flows: int
    name: str
    name_folded: str

    @property
    def is_detail(self) -> bool:
        return self.kind in details_search.KINDS

    def matches_word(self, word: str) -> bool:
        """Return True if a word of a search means this target."""
        if self.is_detail:
            return details_search.clean_word(self.kind, word) in self.value_folded
        if self.kind == TargetKind.IDENTITY:  # its number is searched by another index
            return any(map(str.isalpha, word)) and word in self.name_folded
        if self.kind == TargetKind.WEBHOOK:
            return word in self.value_folded
        is_named = self.kind in HANDLER_KINDS and word in self.name_folded
        return is_named or matching.is_part_of_sid(self.value_folded, word)

    def matches_text(self, text: str) -> bool:
        """Return True if a whole search means this target, which many flows may share."""
        kinds = (*HANDLER_KINDS, TargetKind.WEBHOOK, TargetKind.IDENTITY, *details_search.KINDS)
        has_any_word = self.kind in kinds
        return not has_any_word and self.name_folded.startswith(text)


@dataclass(slots=True)
class TargetGroup:
    """Some targets, and the condition for the flows that use one of them."""

    ids: list[int] = field(default_factory=list)
    flows: int = 0
    identities: set[str] = field(default_factory=set)  # normalized

    def add(self, target: FoundTarget) -> None:
        if target.kind == TargetKind.IDENTITY:
            self.identities.add(normalize_text(target.value))
        else:
            self.ids.append(target.id)
            self.flows += target.flows

    @property
    def is_empty(self) -> bool:
        return not self.ids and not self.identities

    @property
    def is_common(self) -> bool:
        """True if reading the flows in any order soon finds a page of those that use a target."""
        return self.flows >= trigrams.COMMON_THRESHOLD

    @property
    def uses(self) -> Q:
        """The condition for entries that use a target by its id, indexed unless `is_common`."""
        return self._uses_condition(_MANY if self.is_common else _FEW)

    @property
    def condition(self) -> Q:
        """The condition for entries that use a target or have one of the identities.

        It tests entries one by one, because PostgreSQL would compare each with the whole array.
        """
        uses = self._uses_condition(_MANY)
        if not self.identities:
            return uses
        return uses | Q(identity_folded__in=sorted(self.identities))

    def _uses_condition(self, templates: _Templates) -> Q:
        """Return the condition for entries that use a target by its id."""
        if not self.ids:
            return Q(pk__in=[])
        template, joiner = templates[connection.vendor]
        uses: Func = Func(
            F("sid"),
            Value(json.dumps(self.ids)),
            template=template,
            arg_joiner=joiner,
            output_field=BooleanField(),
        )
        return Q(uses)


@dataclass(slots=True)
class TargetMatches:
    """The targets, owners and tags that a search means: by word, and targets as a whole."""

    targets: list[FoundTarget] = field(default_factory=list)
    by_word: dict[str, TargetGroup] = field(default_factory=dict)
    by_text: TargetGroup = field(default_factory=TargetGroup)
    details_by_word: dict[str, DetailsGroup] = field(default_factory=dict)

    def add(self, target: FoundTarget, words: Iterable[str], text: str) -> None:
        """Add a target to the groups of the words that mean it, if any."""
        groups: list[TargetGroup | DetailsGroup] = [
            self._group_for(target, word) for word in words if target.matches_word(word)
        ]
        if target.matches_text(text):
            groups.append(self.by_text)
        for group in groups:
            group.add(target)
        if groups:
            self.targets.append(target)

    def groups_of(self, word: str) -> list[TargetGroup | DetailsGroup]:
        """Return the targets that a word means, and the owners and tags, if there are any."""
        groups = (self.by_word.get(word), self.details_by_word.get(word))
        return [group for group in groups if group is not None]

    def _group_for(self, target: FoundTarget, word: str) -> TargetGroup | DetailsGroup:
        if target.is_detail:
            return self.details_by_word.setdefault(word, DetailsGroup(word))
        return self.by_word.setdefault(word, TargetGroup())


def find_targets(text: str, scope: twilio_accounts.Scope) -> TargetMatches:
    """Return the targets that a search means to a user who may see the accounts of `scope`."""
    matches = TargetMatches()
    normalized = normalize_text(text)
    if len(normalized) < MIN_LENGTH:
        return matches
    words = matching.split_words(text)
    for target in _find_candidates(words, scope):
        matches.add(target, words, normalized)
    return matches


def select_target(kind: str, value: str, scope: twilio_accounts.Scope) -> TargetGroup:
    """Return one target in all accounts of the scope."""
    group = TargetGroup()
    if kind == TargetKind.IDENTITY:
        group.identities.add(normalize_text(value))
        return group
    targets = twilio_accounts.filter_scope(Target.objects.filter(kind=kind, value=value), scope)
    for pk, *counts in targets.values_list("pk", "flows_on", "flows_off", "flows_gone"):
        group.ids.append(pk)
        group.flows += sum(counts)
    return group


def _find_candidates(words: Sequence[str], scope: twilio_accounts.Scope) -> list[FoundTarget]:
    """Return at least the targets that match one of the words."""
    name_parameters = [_like_pattern(word) for word in words]
    parameters: list[str | bool] = []
    for word, pattern in zip(words, name_parameters, strict=True):
        is_long = len(word) >= matching.MIN_SID_END
        parameters += [pattern, pattern, TargetKind.WEBHOOK.value, is_long]
    statement = _TARGETS_QUERY.format(
        conditions=" OR ".join([_WORD_CONDITION] * len(words)),
        name_conditions=" OR ".join([_NAME_CONDITION] * len(words)),
        details_conditions=" OR ".join([details_search.CONDITION] * len(words)),
        target_scope=_scope_condition("target", scope),
        name_scope=_scope_condition("named", scope),
    )
    accounts = sorted(scope or ())
    parameters += [
        *accounts,
        TargetKind.IDENTITY.value,
        *SENDERS,
    ]
    parameters += [*name_parameters, *accounts]
    for kind in details_search.KINDS:
        parameters += [_like_pattern(details_search.clean_word(kind, word)) for word in words]
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [FoundTarget(*row) for row in cursor.fetchall()]


def _scope_condition(table: str, scope: twilio_accounts.Scope) -> str:
    if scope is None:
        return ""
    return f"AND {table}.account_sid IN ({', '.join(['%s'] * len(scope)) or 'NULL'})"


def _like_pattern(word: str) -> str:
    """Return the pattern of LIKE for texts that contain a word, or a SID that it shortens."""
    if short_sid := matching.split_short_sid(word):
        return f"{short_sid[0]}%{short_sid[1]}"
    escaped = re.sub(r"[\\%_]", r"\\\g<0>", word.removeprefix("..."))
    return f"%{escaped}%"
