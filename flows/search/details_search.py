"""The owners and tags that a word of a search means, and the flows that have them.

Owners and tags are kept here (flows/local_details). They are found together with the targets of
flows, with one query (target_search.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from django.db.models import Exists, OuterRef, Q

from flows.local_details.choices import distinct_values
from flows.local_details.fields import Details, fold
from flows.local_details.models import FlowTag, LocalDetails
from flows.search import trigrams

if TYPE_CHECKING:
    from flows.search.target_search import FoundTarget

OWNER: Final = "owner"
TAG: Final = "tag"
KINDS: Final = (OWNER, TAG)
# Owners, or tags, that a condition lists. Comparing more of them takes less time than listing them.
MAX_VALUES: Final = 500
# The normalized owners and tags of all flows. Each takes one step in an index.
VALUES: Final = (
    f"owners(value) AS ({distinct_values('owners', 'flows_localdetails', 'owner_folded')}), "
    f"tags(value) AS ({distinct_values('tags', 'flows_flowtag', 'name_folded')})"
)
# Rows of the query for targets: kind, value and the number of flows, of any account.
QUERY: Final = f"""
    SELECT '', '{OWNER}', value, value, 0,
        (SELECT count(*) FROM flows_localdetails WHERE owner_folded = value), '', ''
    FROM owners WHERE {{details_conditions}}
    UNION ALL
    SELECT '', '{TAG}', value, value, 0,
        (SELECT count(*) FROM flows_flowtag WHERE name_folded = value), '', ''
    FROM tags WHERE {{details_conditions}}
"""  # noqa: S608 - constants only
CONDITION: Final = r"value LIKE %s ESCAPE '\'"


def clean_word(kind: str, word: str) -> str:
    """Return a word as it is searched for in values of a kind. Pages show tags with a #."""
    return word.removeprefix("#") if kind == TAG else word


def describe_details(details: Details) -> dict[tuple[str, str], str]:
    """Return an owner and tags as pages show them, by kind and normalized value."""
    texts = {(TAG, fold(tag)): f"#{tag}" for tag in details.tags}
    return {(OWNER, fold(details.owner)): details.owner, **texts} if details.owner else texts


@dataclass(slots=True)
class DetailsGroup:
    """The owners and tags that contain a word, and the number of flows that have one."""

    word: str
    values: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    flows: int = 0

    def add(self, target: FoundTarget) -> None:
        self.values[target.kind].append(target.value_folded)
        self.flows += target.flows

    @property
    def is_common(self) -> bool:
        """True if reading the flows in any order soon finds a page of those that have a value."""
        has_many_values = any(len(values) > MAX_VALUES for values in self.values.values())
        return has_many_values or self.flows >= trigrams.COMMON_THRESHOLD

    @property
    def uses(self) -> Q:
        """The indexed condition for entries with one of the values."""
        owners = LocalDetails.objects.filter(owner_folded__in=self.values[OWNER])
        tags = FlowTag.objects.filter(name_folded__in=self.values[TAG])
        return Q(sid__in=owners.values("sid")) | Q(sid__in=tags.values("details"))

    @property
    def condition(self) -> Q:
        """The condition for entries with one of the values. It tests them one by one."""
        owners = LocalDetails.objects.filter(self._matches(OWNER, "owner_folded"))
        tags = FlowTag.objects.filter(self._matches(TAG, "name_folded"))
        has_owner = Exists(owners.filter(sid=OuterRef("sid")))
        has_tag = Exists(tags.filter(details=OuterRef("sid")))
        return Q(has_owner) | Q(has_tag)

    def _matches(self, kind: str, column: str) -> Q:
        """Return the condition for rows with a value of a kind."""
        if len(self.values[kind]) > MAX_VALUES:
            return Q((f"{column}__contains", clean_word(kind, self.word)))
        return Q((f"{column}__in", self.values[kind]))
