"""The board, loaded from the mirror, the names and the migrations. Nothing is read from Twilio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from flows.accounts.twilio_accounts import Account
from flows.checks.account_rules import channel_of
from flows.core import local_days
from flows.migration.board import Board, BoardRow, sort_rows
from flows.migration.board_chart import BurnDown, Lifetimes, count_remaining
from flows.migration.models import FlowMigration
from flows.migration.status import MigrationStatus
from flows.migration.verdicts import Judge
from flows.mirror.models import Flow
from flows.routing.load_routing import load_all
from flows.twilio.flex.flex_flow import FLEX_FLOW


def load_board(accounts: Sequence[Account]) -> Board:
    """Return every flow of the accounts, and those that were deleted after their migration began."""
    rows: list[BoardRow] = []
    for account in accounts:
        migrations = load_migrations(account.sid)
        judged = {row.sid: row for row in _judge_flows(account, migrations)}
        rows += judged.values()
        rows += (
            _ended_row(each)
            for each in migrations.values()
            if each.status != MigrationStatus.ROLLED_BACK and each.flow_sid not in judged
        )
    return Board(sort_rows(rows))


def load_migrations(account_sid: str) -> dict[str, FlowMigration]:
    """Return the latest migration of each flow of an account, by the flow's SID."""
    rows = FlowMigration.objects.filter(account_sid=account_sid).order_by("created_at")
    return {row.flow_sid: row for row in rows}


def load_burn_down(accounts: Sequence[Account]) -> BurnDown | None:
    """Return the flows that remained after each day or week, or None before the first migration."""
    sids = [account.sid for account in accounts]
    migrations = list(FlowMigration.objects.filter(account_sid__in=sids))
    if not migrations:
        return None
    flows = Flow.objects.filter(account_sid__in=sids)
    times = flows.values_list("date_created", "gone_at")
    deleted_flows = flows.exclude(gone_at=None).values_list("sid", "gone_at")
    gone_times = {sid: gone_at for sid, gone_at in deleted_flows if gone_at}
    return count_remaining(Lifetimes(times.iterator()), migrations, local_days.today(), gone_times)


def _judge_flows(account: Account, migrations: Mapping[str, FlowMigration]) -> Iterator[BoardRow]:
    state = load_all(account)
    judge = Judge(state)
    for sid, flow in state.account.flows.items():
        migration = migrations.get(sid)
        is_done = migration is not None and migration.status == MigrationStatus.DONE
        own_address_sid = migration.address_sid if migration else ""
        yield BoardRow(
            sid=sid,
            account_sid=account.sid,
            name=FLEX_FLOW.name_of(flow),
            channel=channel_of(flow),
            identity=FLEX_FLOW.identity_of(flow),
            judgement=None if is_done else judge.judge(sid, own_address_sid=own_address_sid),
            migration=migration,
        )


def _ended_row(migration: FlowMigration) -> BoardRow:
    return BoardRow(
        sid=migration.flow_sid,
        account_sid=migration.account_sid,
        name=migration.friendly_name,
        channel=migration.channel_type,
        identity=migration.contact_identity,
        migration=migration,
        is_gone=True,
    )
