"""The conditions of a query's search text and rarer filters for the flow list's entries.

Those are the filters by owner, tag, target, warnings and check, which the tally doesn't count by.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Self

from django.db.models import Q

from flows.core import matching
from flows.core.normalization import normalize_text
from flows.local_details.reading import owner_filter, tag_filter
from flows.search import target_search, trigrams
from flows.search.details_search import DetailsGroup
from flows.search.finding_filter import finding_filter
from flows.search.query import Query
from flows.search.target_search import TargetGroup, TargetMatches
from flows.search.warned_flows import warned_filter


@dataclass(frozen=True, slots=True)
class SearchConditions:
    """The search text of a query with the targets that it means, and what else it selects."""

    text: str  # "" if the query has none
    matches: TargetMatches
    selected: TargetGroup | None = None
    other: Q = field(default_factory=Q)  # of the owner, the tag, the warnings and the check

    @classmethod
    def of(cls, query: Query) -> Self | None:
        """Return the conditions of a query, with a database query for its text and its target.

        None if the query has only filters that the tally counts flows by.
        """
        text = query.q if normalize_text(query.q) else ""
        other = (query.owner, query.tag, query.warnings, query.check)
        if not any((text, query.target, *other)):
            return None
        selected = None
        if query.target:
            selected = target_search.select_target(*query.target_key, query.scope)
        matches = target_search.find_targets(text, query.scope)
        return cls(text, matches, selected, _other_condition(query))

    def candidates(self, *, in_order: bool = False, is_small: bool = False) -> Q:
        """Return a condition with an index that every match passes. It is empty without an index.

        `in_order` is for a second attempt, as in `trigrams.candidate_filter`. `is_small` means that
        the mirror has few flows, so reading all of them takes little time.
        """
        if self.selected and not self.selected.is_common and self.selected.ids:
            return self.selected.uses
        terms, groups = self._index_terms()
        if not terms or any(group.is_common for group in groups):
            return Q()
        candidates = trigrams.candidate_filter(terms, in_order=in_order, is_small=is_small)
        if not candidates:
            return Q()
        for group in groups:
            candidates |= group.uses
        return candidates

    def condition(self, candidates: Q) -> Q:
        """Return the condition for the matches. `candidates` are from the method of that name."""
        condition = candidates
        if self.text:
            condition &= self._text_condition()
            condition |= matching.sid_filter(self.text)
        if self.selected:
            condition &= self.selected.condition
        return condition & self.other

    def _index_terms(self) -> tuple[set[str], list[TargetGroup | DetailsGroup]]:
        """Return what to look up for the text.

        Each match has one of the texts in its name or identity, or uses one of the targets, or has
        one of the owners or tags. Only one word is looked up: the first that few flows have.
        """
        if not self.text:
            return (set(self.selected.identities) if self.selected else set()), []
        terms = matching.index_terms(self.text)
        words = sorted(terms, key=self._is_common)  # stable, so the order of the terms stays
        groups = [*self.matches.groups_of(words[0]), self.matches.by_text]
        target_groups = [self.matches.by_word.get(words[0], TargetGroup()), self.matches.by_text]
        return terms[words[0]].union(*(group.identities for group in target_groups)), groups

    def _is_common(self, word: str) -> bool:
        return any(group.is_common for group in self.matches.groups_of(word))

    def _text_condition(self) -> Q:
        by_word = {
            word: reduce(or_, (group.condition for group in self.matches.groups_of(word)))
            for word in {*self.matches.by_word, *self.matches.details_by_word}
        }
        has_words = matching.text_filter(self.text, word_filters=by_word)
        return has_words | self.matches.by_text.condition


def _other_condition(query: Query) -> Q:
    condition = Q()
    if query.owner:
        condition &= owner_filter(query.owner)
    if query.tag:
        condition &= tag_filter(query.tag)
    if query.warnings:
        condition &= warned_filter()
    if query.check:
        condition &= finding_filter(query.check)
    return condition
