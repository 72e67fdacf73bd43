"""What the list reads of the whole site with one query."""

from datetime import UTC, datetime

import pytest

from flows.audit.models import OpenDrift
from flows.checks import evaluation
from flows.checks.finding_counts import load_check_states
from flows.flex_flows.list_state import load_list_state
from flows.local_details.models import LocalDetails
from flows.mirror.models import SyncState
from flows.mirror.sync import sync_account
from flows.search import facets
from tests import ACCOUNT

pytestmark = pytest.mark.django_db
MOMENT = datetime(2026, 11, 26, 13, 5, 12, 345678, tzinfo=UTC)


def test_new_site_has_nothing():
    assert load_list_state() == (frozenset(), [], {}, {})


def test_one_query_has_the_state_of_each_table(flow_sid, django_assert_num_queries):
    LocalDetails.objects.create(sid=flow_sid, account_sid=ACCOUNT, owner="Support")

    with django_assert_num_queries(1):
        state = load_list_state()

    assert state.occupied == {LocalDetails}
    assert [tuple(row) for row in state.tally] == facets.read_tally()
    assert [flows for *_, flows in state.tally] == [1]
    assert list(state.sync_states) == [ACCOUNT]


def test_syncs_are_those_of_the_table(sandbox):
    sync_account(ACCOUNT)
    SyncState.objects.update(failed_at=MOMENT, error="status 500: “no”", missing=3, left_out=1)
    SyncState.objects.create(account_sid="AC" + "9" * 32, synced_at=MOMENT.replace(microsecond=0))

    syncs = load_list_state().sync_states

    expected = {sync.account_sid: sync for sync in SyncState.objects.all()}
    names = [field.attname for field in SyncState._meta.concrete_fields]
    assert {sid: [getattr(sync, name) for name in names] for sid, sync in syncs.items()} == {
        sid: [getattr(sync, name) for name in names] for sid, sync in expected.items()
    }


def test_external_changes_are_seen(sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, friendly_name="Changed elsewhere")
    sync_account(ACCOUNT)

    assert OpenDrift in load_list_state().occupied


def test_checks_are_those_of_the_table(flow_sid):
    evaluation.request_evaluation(ACCOUNT)
    assert load_list_state().check_states == {}
    evaluation.evaluate(ACCOUNT)

    assert list(load_list_state().check_states.values()) == load_check_states(None)
    assert load_list_state().check_states[ACCOUNT].unmet_rules
