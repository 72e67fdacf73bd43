"""Search for all data of a flow or of a contact identity: events, flows of the mirror, remnants."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.db.models import Q, QuerySet

from flows.audit.actions import AuditAction
from flows.audit.chain import OPTIONAL_PAYLOAD_FIELDS, PAYLOAD_FIELDS
from flows.audit.models import AuditEvent, AuditPayload
from flows.core import database
from flows.erasure.mentions import MentionMatcher
from flows.erasure.remnants import Remnants
from flows.mirror.models import Flow
from flows.twilio.registry import resources_with_sid

ALL_PAYLOAD_FIELDS: Final = (*PAYLOAD_FIELDS, *OPTIONAL_PAYLOAD_FIELDS)
# Hashed columns of an event that can contain personal data.
UNERASABLE_FIELDS: Final = ("reason", "actor_label", "user_agent")
_EVENT_FIELDS: Final = (
    "seq",
    "action",
    "target_sid",
    "change_id",
    *UNERASABLE_FIELDS,
    *(f"payload__{name}" for name in ALL_PAYLOAD_FIELDS),
)
_STATE_FIELDS: Final = ("before", "requested", "after")


class ErasureSearch:
    """The events, flows and remnants that contain the data of a flow or of a contact identity.

    `scan_events` reads the log once and can continue where it stopped. `select` then decides from
    the current tables what is erased. Lists of events hold their seqs.
    """

    def __init__(self, sid: str, identity: str) -> None:
        self._is_by_identity = bool(identity)
        self._scanned_to_seq = 0
        self._sids = {sid} - {""}
        self._change_ids: set[uuid.UUID] = set()
        self._matching_seqs: set[int] = set()
        names, identities = set[str](), {identity}
        if not identity:
            names, identities = _recorded_names(sid)
        self.mentions = MentionMatcher([*names, *identities])
        self.remnants = Remnants(
            self.mentions, MentionMatcher(identities), is_by_identity=self._is_by_identity
        )
        self.erasable_seqs: list[int] = []
        self.unerasable_seqs: list[int] = []  # the data stands in hashed columns
        self.possible_seqs: list[int] = []  # may be about another flow or identity
        self.open_change_seqs: list[int] = []
        self.mirrored_sids: list[str] = []
        self.sids_at_twilio: list[str] = []

    def scan_events(self, through: int) -> None:
        """Read the events of the log up to this seq that were not read before."""
        for row in _iter_event_rows(self._scanned_to_seq, through):
            self._scan_event(row)
        self._scanned_to_seq = max(self._scanned_to_seq, through)

    def select(self) -> None:
        """Decide from the current tables which events, flows and remnants are erased."""
        self._select_flows()
        flow_events = AuditEvent.objects.filter(target_sid__in=self._sids)
        flow_changes = flow_events.filter(change_id__isnull=False).values("change_id")
        is_about_flows = Q(target_sid__in=self._sids) | Q(change_id__in=flow_changes)
        unerased_events = _unerased_events()
        seqs = _seqs_of(unerased_events.filter(is_about_flows))
        for batch in database.split_batches(sorted(self._change_ids, key=str)):
            seqs |= _seqs_of(unerased_events.filter(change_id__in=batch))
        self.erasable_seqs = sorted(seqs | self._matching_seqs)
        self.remnants.find(self._sids, self._erasable_change_ids())

    @property
    def is_empty(self) -> bool:
        """True if `select` found nothing to erase."""
        results = [self.erasable_seqs, self.mirrored_sids]
        return self.remnants.is_empty and not any(results)

    def _select_flows(self) -> None:
        """Select the flows of the mirror that have the data.

        Of a flow that has the identity as its own, all events are erased too.
        """
        for flow in Flow.objects.iterator():
            if self._has_identity(flow.contact_identity, flow.value("contact_identity")):
                self._sids.add(flow.sid)
            if flow.sid in self._sids or self._has_identity(flow.friendly_name, flow.resource):
                self._select_flow(flow)

    def _select_flow(self, flow: Flow) -> None:
        self.mirrored_sids.append(flow.sid)
        if flow.gone_at is None:
            self.sids_at_twilio.append(flow.sid)

    def _has_identity(self, *contents: Any) -> bool:
        """Return True if the search is by identity, and these contents of a flow mention it."""
        return self._is_by_identity and self.mentions.has_word(*contents)

    def _erasable_change_ids(self) -> set[uuid.UUID]:
        change_ids: set[uuid.UUID | None] = set()
        for batch in database.split_batches(self.erasable_seqs):
            events = AuditEvent.objects.filter(seq__in=batch)
            change_ids.update(events.values_list("change_id", flat=True))
        return set(filter(None, change_ids))

    def _is_mentioned(self, contents: list[Any]) -> bool:
        """Return True if contents of an event may have the data.

        A flow's name can be an ordinary word, so within longer words only an identity counts.
        """
        if self._is_by_identity:
            return self.mentions.has_substring(contents)
        return self.mentions.has_word(contents)

    def _scan_event(self, row: dict[str, Any]) -> None:
        """Sort in an event that contains the data, perhaps in a longer word."""
        hashed_texts = [row[name] for name in UNERASABLE_FIELDS]
        if self._is_mentioned(hashed_texts):
            self.unerasable_seqs.append(row["seq"])
        if self._sids.intersection(_sids_of_reading(row)):
            self._matching_seqs.add(row["seq"])
        elif row["action"] != AuditAction.ERASE:
            self._scan_payload(row)

    def _scan_payload(self, row: dict[str, Any]) -> None:
        """Sort in an event whose payload contains the data.

        An event about one of the flows is erased in any case.
        """
        payload = _payload_values(row, ALL_PAYLOAD_FIELDS)
        if not self._is_mentioned(payload):
            return
        if self._is_by_identity:
            self._add_event_with_identity(row, payload)
        elif row["target_sid"] not in self._sids:
            self.possible_seqs.append(row["seq"])

    def _add_event_with_identity(self, row: dict[str, Any], payload: list[Any]) -> None:
        """Sort in an event with the identity, and note its flow and its change if it is theirs."""
        if not self.mentions.has_word(payload):
            self.possible_seqs.append(row["seq"])
            return
        self._matching_seqs.add(row["seq"])
        if self.mentions.has_word(_identities_of_event(row)):
            self._sids.update({row["target_sid"]} - {""})
            self._change_ids.update({row["change_id"]} - {None})


def _recorded_names(sid: str) -> tuple[set[str], set[str]]:
    """Return the names and the identities of an object in the log and in the mirror."""
    records: list[dict[str, Any] | None] = []
    of_object = AuditEvent.objects.filter(target_sid=sid)
    changes = of_object.filter(change_id__isnull=False).values("change_id")
    payloads = AuditPayload.objects.filter(
        Q(event__target_sid=sid) | Q(event__change_id__in=changes)
    )
    for payload in payloads.values(*PAYLOAD_FIELDS):
        records += [payload, *(payload[name] for name in _STATE_FIELDS)]
    records += Flow.objects.filter(sid=sid).values_list("resource", flat=True)
    names = _texts_of_field(records, "friendly_name")
    identities = _texts_of_field(records, "contact_identity")
    for resource in resources_with_sid(sid):
        for field in resource.fields:
            if field.pii and field.kind == "text":
                names |= _texts_of_field(records, field.name) - identities
    return names, identities


def _texts_of_field(records: Iterable[dict[str, Any] | None], name: str) -> set[str]:
    """Return the texts that these records, of which some are None, have in a field."""
    values = [record.get(name) for record in filter(None, records)]
    return set(map(str, filter(None, values)))


def _iter_event_rows(after: int, through: int) -> Iterator[dict[str, Any]]:
    events = AuditEvent.objects.order_by("seq").filter(seq__lte=through).values(*_EVENT_FIELDS)
    while page := list(events.filter(seq__gt=after)[: database.BATCH_SIZE]):
        yield from page
        after = page[-1]["seq"]


def _payload_values(row: dict[str, Any], names: Iterable[str]) -> list[Any]:
    return [row[f"payload__{name}"] for name in names]


def _seqs_of(events: QuerySet[AuditEvent]) -> set[int]:
    return set(events.values_list("seq", flat=True))


def _unerased_events() -> QuerySet[AuditEvent]:
    return AuditEvent.objects.exclude(action=AuditAction.ERASE).filter(payload__erased_at=None)


def _sids_of_reading(row: dict[str, Any]) -> Iterable[str]:
    """Return the flows that were read for a decision. Its payload shows each of them."""
    findings: dict[str, Any] = row["payload__findings"] or {}
    return findings.get("reading") or {}


def _identities_of_event(row: dict[str, Any]) -> list[str]:
    states = _payload_values(row, _STATE_FIELDS)
    identities = _texts_of_field(states, "contact_identity")
    return [row["payload__contact_identity"], *sorted(identities)]
