"""The four states of freshness: never, failed, partial and checked."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from flows.mirror import freshness
from flows.mirror.freshness import Freshness
from flows.mirror.models import SyncState

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.mark.parametrize(("sync", "state"), [
    ({}, "never"),
    ({"synced_at": NOW}, "checked"),
    ({"synced_at": NOW, "failed_at": NOW}, "failed"),
    ({"failed_at": NOW}, "failed"),
    ({"synced_at": NOW, "missing": 3}, "partial"),
    ({"synced_at": NOW, "left_out": 1}, "partial"),
])  # fmt: skip
def test_state(sync, state):
    freshness_of_sync = Freshness(SyncState(**sync))

    assert (freshness_of_sync.state, freshness_of_sync.is_up_to_date) == (state, state == "checked")


def test_worst_account_comes_first():
    account = settings.FLEX_ACCOUNTS[0]
    accounts = [replace(account, sid=f"AC{number}" + "0" * 31) for number in range(5)]
    hour = timedelta(hours=1)
    for one, sync in zip(accounts, [
        {"synced_at": NOW}, {"synced_at": NOW - hour}, {"synced_at": NOW, "missing": 1}, {},
        {"synced_at": NOW, "failed_at": NOW},
    ], strict=True):  # fmt: skip
        SyncState.objects.create(account_sid=one.sid, **sync)

    results = freshness.load_freshness(accounts)

    assert [accounts.index(one.account) for one in results] == [4, 3, 2, 1, 0]
    assert freshness.select_worst(results).account == accounts[4]
    assert freshness.select_worst(results[:1]).account is None
    assert freshness.select_worst([]).state == "never"


@pytest.mark.parametrize(("sync", "sentence"), [
    ({}, ""),
    ({"missing": 480, "missing_checked": 20},
     "Checking 480 flows that are missing from Twilio's list: 20 checked."),
    ({"missing": 1, "check_error": "Twilio did not answer in time"},
     ("Checking 1 flow that is missing from Twilio's list: 0 checked. "
      "Checking stopped: Twilio did not answer in time.")),
    ({"left_out": 1}, "1 flow is missing from Twilio's list, but still exists there."),
])  # fmt: skip
def test_description_of_missing_flows(sync, sentence):
    assert freshness.describe_missing(SyncState(**sync)) == sentence
