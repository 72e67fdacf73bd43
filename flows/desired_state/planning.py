"""The changes that a file asks for, compared with the flows as they were last synced.

Nothing is stored and nothing is sent. An error in the file refuses all of it. A flow that can't be
changed at the moment is skipped, as in other bulk changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Account
from flows.audit import audit_log
from flows.audit.models import AuditEvent
from flows.availability import restrictions
from flows.changes import in_flight
from flows.desired_state.file_errors import FileError, InvalidFile, Place
from flows.desired_state.flow_file import FileEntry, FlowFile
from flows.desired_state.matching import FlowKey, KnownFlows, build_key, load_known_flows
from flows.desired_state.translation import translate_entries
from flows.mirror.models import Flow
from flows.plans.drafts import build_change, flows_by_sid, prepare_deletion, sort_by_name
from flows.plans.import_draft import ImportEntry, build_changes, skip_colliding
from flows.plans.import_entries import check_items
from flows.plans.import_text import ImportItem
from flows.plans.models import PlannedChange
from flows.plans.skip_rules import (
    ALREADY_SET,
    check_changeable,
    check_permission,
    record_skip,
)
from flows.plans.titles import included_changes
from flows.sid_map.mappings import Direction
from flows.twilio.flex.flex_flow import FLEX_FLOW

_OTHER_ACCOUNT: Final = "To apply the file in another account, add the key source_account."
CREATION_OPEN: Final = "The outcome of its creation is unknown."


@dataclass(frozen=True, slots=True)
class Preparation:
    """The changes that a file asks for: deletions first, then the file's flows in their order.

    `read_seq` is the log's last event before the flows were compared.
    """

    changes: list[PlannedChange]
    account_sids: frozenset[str]
    read_seq: int

    @property
    def included(self) -> list[PlannedChange]:
        return included_changes(self.changes)

    @property
    def skipped(self) -> list[PlannedChange]:
        """The changes that can't be made at the moment."""
        return [each for each in self.changes if each.skip_reason not in ("", ALREADY_SET)]

    @property
    def unchanged(self) -> list[PlannedChange]:
        return [each for each in self.changes if each.skip_reason == ALREADY_SET]

    @property
    def digest(self) -> str:
        """A text that is another one if any change is another one."""
        return digest_changes(self.included)

    @property
    def restriction(self) -> str:
        """The reason why an account takes none of these changes now, or ""."""
        for action, account_sid in {(each.action, each.account_sid) for each in self.included}:
            restriction = restrictions.find_restriction(account_sid, action.removeprefix("flow."))
            if restriction:
                return restriction.sentence
        return ""


def digest_changes(changes: Iterable[PlannedChange]) -> str:
    """Return a text that is another one if any of the changes is another one."""
    rows = [
        [each.action, each.account_sid, each.target_sid, each.before, each.requested]
        for each in changes
    ]
    text = json.dumps(rows, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def accounts_to_read(flow_file: FlowFile) -> tuple[Account, ...]:
    """Return the accounts to sync before a file is compared. Raises `InvalidFile`.

    A flow whose account is not named can be in any account.
    """
    sids = [_named_account(flow_file, entry) for entry in flow_file.entries]
    if flow_file.account:
        sids.append(_find_account(flow_file, "account").sid)
    accounts = twilio_accounts.all_accounts()
    if "" in sids:
        return accounts
    return tuple(account for account in accounts if account.sid in sids)


def prepare(
    flow_file: FlowFile,
    *,
    prune: bool = False,
    editable_scope: twilio_accounts.Scope = None,
    visible_scope: twilio_accounts.Scope = None,
) -> Preparation:
    """Compare a file with the flows of the mirror. Raises `InvalidFile`.

    With `prune`, flows of the accounts named in the file are deleted if the file doesn't have them.
    The scopes hold the accounts where the user may change flows, and may see them.
    """
    read_seq = audit_log.last_seq()
    planner = _Planner(flow_file, editable_scope, visible_scope)
    entries = planner.resolve_entries()
    deletions = planner.plan_deletions(entries) if prune else []
    updates = build_changes(
        entries=entries, editable_scope=editable_scope, visible_scope=visible_scope
    )
    planner.link_creations(updates)
    origins = [""] * len(deletions) + [entry.origin for entry in entries]
    changes = deletions + updates
    skip_colliding(changes, origins)
    return Preparation(changes, frozenset(planner.account_sids), read_seq)


class _Planner:
    """Compares one file with the flows of its accounts, and collects the errors."""

    def __init__(
        self,
        flow_file: FlowFile,
        editable_scope: twilio_accounts.Scope,
        visible_scope: twilio_accounts.Scope,
    ) -> None:
        self.file = flow_file
        self.editable_scope = editable_scope
        self.entries = _in_target_account(flow_file)
        self.errors: list[FileError] = []
        self.named = _named_accounts(flow_file, self.entries)
        self.flows = flows_by_sid((entry.sid for entry in self.entries), visible_scope)
        self.account_sids = self.named | {flow.account_sid for flow in self.flows.values()}
        self.known: KnownFlows = load_known_flows(self.account_sids)

    def resolve_entries(self) -> list[ImportEntry]:
        """Return the entries with the flows that they mean. Raises `InvalidFile`."""
        self._check_accounts()
        self._check_sids()
        self._raise_errors()
        sids = self._find_flows()
        self._raise_errors()
        items = [
            self._build_item(entry, sid) for entry, sid in zip(self.entries, sids, strict=True)
        ]
        current = {sid: flow.resource for sid, flow in (self.known.flows | self.flows).items()}
        entries = check_items(items, current)
        for entry, checked in zip(self.entries, entries, strict=True):
            if checked.error:
                self.errors.append(FileError(entry.place, checked.error))
        self._raise_errors()
        return entries

    def plan_deletions(self, entries: Sequence[ImportEntry]) -> list[PlannedChange]:
        """Return the deletions of the flows that the file doesn't have. Raises `InvalidFile`."""
        place = self.file.place_of("flows")
        if not self.named:
            raise InvalidFile(
                [FileError(place, "To delete flows, name the account with the key account.")]
            )
        if not entries:
            message = "The list is empty, so every flow of the account would be deleted."
            raise InvalidFile([FileError(place, message)])
        kept_sids = {entry.sid for entry in entries}
        flows = {
            sid: flow
            for sid, flow in self.known.flows.items()
            if sid not in kept_sids and flow.account_sid in self.named
        }
        open_changes = in_flight.open_changes_by_flow(list(flows))
        return [self._plan_deletion(flow, open_changes) for flow in sort_by_name(flows)]

    def _plan_deletion(self, flow: Flow, open_changes: Mapping[str, AuditEvent]) -> PlannedChange:
        change = build_change(flow, "flow.delete")
        with record_skip(change):
            check_permission(flow.account_sid, self.editable_scope, "delete")
            check_changeable(flow, open_changes)
            prepare_deletion(change, flow.resource)
        return change

    def link_creations(self, changes: Sequence[PlannedChange]) -> None:
        """Relate creations to those of earlier applies, so that no flow is created twice."""
        for change in changes:
            if change.action != "flow.create" or change.skip_reason:
                continue
            key = build_key(change.account_sid, change.requested)
            change.retry_of = self.known.failed_creations.get(key)
            if key in self.known.open_creations:
                change.skip_reason = CREATION_OPEN

    def _check_accounts(self) -> None:
        """Add an error for each entry that is in no account of the site, or that names none."""
        sids = {account.sid for account in twilio_accounts.all_accounts()}
        for entry in self.entries:
            account_sid = self._account_of(entry)
            if account_sid == "" and not entry.sid:
                self._add(entry.place, "The account is missing. Add the key account to the file.")
            elif account_sid not in ("", *sids):
                place = entry.place_of("account_sid")
                self._add(place, f"“{account_sid[:40]}” is no account of this site.")

    def _check_sids(self) -> None:
        """Add an error for each entry whose SID is repeated, or is that of no flow."""
        first_places: dict[str, Place] = {}
        for entry in self.entries:
            if not entry.sid:
                continue
            place = entry.place_of("sid")
            first = first_places.setdefault(entry.sid, place)
            if first is not place:
                self._add(place, f"{entry.sid} is in the file twice, first in line {first.line}.")
            else:
                self._check_sid(entry, place)

    def _check_sid(self, entry: FileEntry, place: Place) -> None:
        flow = self.flows.get(entry.sid)
        if not FLEX_FLOW.is_sid(entry.sid):
            self._add(place, f"“{entry.sid[:40]}” is not a Flex Flow SID (FO…).")
        elif flow is None:
            self._add(place, f"No flow has the SID {entry.sid}. Without a SID, a flow is created.")
        elif _named_account(self.file, entry) not in ("", flow.account_sid):
            name = twilio_accounts.account_or_removed(flow.account_sid)
            self._add(place, f"The flow is in {name}, and a flow can't be moved. {_OTHER_ACCOUNT}")

    def _find_flows(self) -> list[str]:
        """Return the SID of the flow that each entry means, or "" for a new flow."""
        self._check_keys()
        sids = [entry.sid for entry in self.entries]
        claimed = set(sids)
        for position, entry in enumerate(self.entries):
            if not sids[position]:
                sids[position] = self._find_by_key(entry, claimed)
        claimed.update(sids)
        for position, entry in enumerate(self.entries):
            if not sids[position]:
                sids[position] = self.known.find_created_sid(self._key_of(entry), claimed)
        return sids

    def _check_keys(self) -> None:
        """Add an error for each entry without a SID that means the same flow as another one."""
        first_entries: dict[FlowKey, FileEntry] = {}
        for entry in self.entries:
            if entry.sid:
                continue
            first = first_entries.setdefault(self._key_of(entry), entry)
            if first is not entry:
                message = "Same channel, contact identity and name as the flow in line"
                self._add(entry.place, f"{message} {first.place.line}. Add the SIDs.")

    def _find_by_key(self, entry: FileEntry, claimed: Collection[str]) -> str:
        """Return the SID of the only flow that has an entry's key, or ""."""
        sids = self.known.find_sids(self._key_of(entry), claimed)
        if len(sids) > 1:
            message = "Several flows have this channel, contact identity and name:"
            self._add(entry.place, f"{message} {', '.join(sids[:5])}. Add the sid of one.")
        return sids[0] if sids else ""

    def _key_of(self, entry: FileEntry) -> FlowKey:
        return build_key(self._account_of(entry), entry.fields)

    def _account_of(self, entry: FileEntry) -> str:
        """Return the account that an entry names, or the site's only one, or ""."""
        only_account = twilio_accounts.only_account()
        named = _named_account(self.file, entry)
        return named or (only_account.sid if only_account else "")

    def _build_item(self, entry: FileEntry, sid: str) -> ImportItem:
        """Return an entry with the SID of the flow that it means, and with its account."""
        fields = {**entry.fields, "account_sid": self._account_of(entry)}
        if sid:
            fields["sid"] = sid
        return ImportItem(str(entry.place).capitalize(), fields)

    def _add(self, place: Place, message: str) -> None:
        self.errors.append(FileError(place, message))

    def _raise_errors(self) -> None:
        if self.errors:
            raise InvalidFile(self.errors)


def _in_target_account(flow_file: FlowFile) -> tuple[FileEntry, ...]:
    """Return the entries as the account has them that the file is applied to."""
    if not flow_file.source_account:
        return flow_file.entries
    source = _find_account(flow_file, "source_account")
    if not flow_file.account:
        message = "needs the key account: the account to apply the file to."
        raise InvalidFile([FileError(flow_file.place_of("source_account"), message)])
    target = _find_account(flow_file, "account")
    if source == target:
        return flow_file.entries
    return translate_entries(flow_file.entries, Direction(source.sid, target.sid), str(target))


def _named_account(flow_file: FlowFile, entry: FileEntry) -> str:
    """Return the SID of the account that an entry or else the file names, or ""."""
    own = str(entry.fields.get("account_sid") or "").strip()
    if own:
        return own
    return _find_account(flow_file, "account").sid if flow_file.account else ""


def _named_accounts(flow_file: FlowFile, entries: Sequence[FileEntry]) -> set[str]:
    """Return the SIDs of the accounts that a file names, or the site's only one."""
    named = {_named_account(flow_file, entry) for entry in entries} - {""}
    if flow_file.account:
        named.add(_find_account(flow_file, "account").sid)
    only_account = twilio_accounts.only_account()
    return named or ({only_account.sid} if only_account else set())


def _find_account(flow_file: FlowFile, key: str) -> Account:
    """Return the account that a key of the file names. Raises `InvalidFile`."""
    text = flow_file.account if key == "account" else flow_file.source_account
    accounts = twilio_accounts.all_accounts()
    for account in accounts:
        if text in (account.sid, account.name):
            return account
    names = ", ".join(map(str, accounts))
    message = f"“{text[:40]}” is no account of this site. Its accounts: {names}."
    raise InvalidFile([FileError(flow_file.place_of(key), message)])
