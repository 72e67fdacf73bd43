"""Bulk changes that are not finished: which of them, for whom, and how many flows are left."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from flows.overview.unfinished_plans import MAX_PLANS, load_unfinished_plans
from flows.plans.models import Plan, PlannedChange
from tests import ACCOUNT

pytestmark = pytest.mark.django_db
OTHER = "AC" + "0e" * 16


@pytest.fixture
def omar(person):
    return person("operator", "omar")


def make_plan(title, status="running", left=2, account_sid=ACCOUNT, age_days=0, **values):
    """Create a bulk change with a flow that is done, one that is skipped, and others left."""
    then = timezone.now() - timedelta(days=age_days)
    plan = Plan.objects.create(
        title=title,
        status=status,
        created_at=then,
        ended_at=then if status in ("stopped", "done") else None,
        **{"created_by": "omar"} | values,
    )
    reasons_and_times = [("", then), ("It is off already.", None), *[("", None)] * left]
    PlannedChange.objects.bulk_create(
        PlannedChange(
            plan=plan,
            position=position,
            action="flow.update",
            account_sid=account_sid,
            skip_reason=reason,
            done_at=done_at,
        )
        for position, (reason, done_at) in enumerate(reasons_and_times)
    )
    return plan


def titles(user, scope=None):
    return [unfinished.plan.title for unfinished in load_unfinished_plans(user, scope)[0]]


def test_unfinished_ones_have_their_number_of_flows_left(omar, django_assert_num_queries):
    make_plan("Running", left=3)

    with django_assert_num_queries(1):
        plans, has_more = load_unfinished_plans(omar, None)

    assert [(each.plan.title, each.flows_left) for each in plans] == [("Running", 3)]
    assert not has_more


def test_finished_and_old_ones_are_left_out(omar):
    make_plan("Stopped today", "stopped")
    make_plan("Stopped long ago", "stopped", age_days=8)
    make_plan("Stopped at its end", "stopped", left=0)
    make_plan("Finished", "done", left=0)
    make_plan("Old but running", "running", age_days=9)
    make_plan("Stopping", "stopping")

    assert sorted(titles(omar)) == ["Old but running", "Stopped today", "Stopping"]


def test_drafts_are_listed_for_the_user_who_made_them(omar, person):
    make_plan("Draft", "draft")
    make_plan("Old draft", "draft", age_days=8)

    assert titles(omar) == ["Draft"]
    assert titles(person("admin", "ada")) == []


def test_only_bulk_changes_within_the_users_accounts_are_listed(omar):
    make_plan("Here")
    make_plan("There", account_sid=OTHER)

    assert titles(omar, frozenset([ACCOUNT])) == ["Here"]
    assert sorted(titles(omar)) == ["Here", "There"]


def test_only_the_latest_are_listed(omar):
    for number in range(MAX_PLANS + 1):
        make_plan(f"Plan {number}", age_days=number)

    plans, has_more = load_unfinished_plans(User.objects.get(), None)

    assert [each.plan.title for each in plans] == [f"Plan {number}" for number in range(MAX_PLANS)]
    assert has_more
