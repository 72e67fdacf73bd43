"""What the page of one flow's migration shows, loaded from the mirror, the names and the migrations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Account
from flows.checks.account_rules import channel_of
from flows.migration.board_progress import Progress, progress_of
from flows.migration.models import FlowMigration
from flows.migration.payloads import PAYLOAD_CHANGES, PayloadChange
from flows.migration.places import Place, find_places
from flows.migration.requests import CreationRequest, build_request
from flows.migration.status import ENDED_STATUSES
from flows.migration.verdicts import Judge, Judgement
from flows.mirror.freshness import load_freshness
from flows.mirror.models import Flow
from flows.routing.load_routing import load_all, load_for_question
from flows.routing.questions import Question
from flows.routing.routing_state import RoutingState
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.flex.flex_flow import FLEX_FLOW


@dataclass(frozen=True, slots=True)
class FlowMove:
    """A flow's way to an address. A flow that Twilio no longer has has only its migration."""

    flow: Flow
    migration: FlowMigration | None
    judgement: Judgement | None = None
    request: CreationRequest | None = None
    places: Sequence[Place] = ()
    payload_changes: Sequence[PayloadChange] = field(default_factory=tuple)

    @property
    def progress(self) -> Progress:
        return progress_of(self.migration, is_flow_gone=self.flow.gone_at is not None)


def load_flow_move(account: Account, flow: Flow) -> FlowMove:
    """Return the verdict on a flow, the request, the payload's changes and the places that answer."""
    migration = FlowMigration.objects.filter(flow_sid=flow.sid).first()
    if flow.gone_at:
        return FlowMove(flow, migration)
    state = _load_state(account, flow)
    judge = Judge(state)
    own_address_sid = migration.address_sid if migration else ""
    case = judge.build_case(flow.sid, own_address_sid=own_address_sid)
    request = build_request(flow.resource, api_url=account.root_of(ADDRESS_CONFIGURATION))
    is_external = case.variant == "external"
    [freshness] = load_freshness([account])
    return FlowMove(
        flow=flow,
        migration=migration,
        judgement=judge.judge(flow.sid, own_address_sid=own_address_sid),
        request=request,
        places=find_places(case, synced_at=freshness.sync.synced_at),
        payload_changes=PAYLOAD_CHANGES if request and is_external else (),
    )


def judge_flows(flows: Sequence[Flow]) -> dict[str, Judgement]:
    """Return the verdict on each of these flows, by SID. Each flow's account is loaded once."""
    judgements: dict[str, Judgement] = {}
    own_addresses = dict(
        FlowMigration.objects.filter(flow_sid__in=[flow.sid for flow in flows])
        .exclude(status__in=ENDED_STATUSES)
        .values_list("flow_sid", "address_sid")
    )
    for account_sid in {flow.account_sid for flow in flows}:
        judge = Judge(load_all(twilio_accounts.account_or_removed(account_sid)))
        for flow in flows:
            if flow.account_sid == account_sid:
                own_address_sid = own_addresses.get(flow.sid, "")
                judgements[flow.sid] = judge.judge(flow.sid, own_address_sid=own_address_sid)
    return judgements


def _load_state(account: Account, flow: Flow) -> RoutingState:
    """Return the part of the account that the flow's identity is in, or all of it without one."""
    channel, identity = channel_of(flow.resource), FLEX_FLOW.identity_of(flow.resource)
    state = load_for_question(account, Question(channel, identity))
    return state if flow.sid in state.account.flows else load_all(account)
