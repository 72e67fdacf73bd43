"""A policy keeps a migration from beginning, and never stops one where customers are unserved."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from flows.approvals.terms import Terms
from flows.changes.change_guard import ProposedChange
from flows.migration import begun_steps, progress, services
from flows.migration.status import MigrationStatus
from flows.mirror.models import Flow
from flows.twilio.flex.flex_flow import FLEX_FLOW, is_on
from tests.flows.approvals.acting import ANY, set_policy, writes
from tests.flows.migration.acting import prepared, reload, run_worker, switched

pytestmark = pytest.mark.django_db(transaction=True)


def test_rollback_goes_on_under_a_policy_that_was_set_since(sandbox, operator_actor):
    _, migration = switched(sandbox, operator_actor)
    set_policy(ANY)

    services.roll_back(migration=migration, reason="", actor=operator_actor)
    run_worker()

    assert reload(migration).status == MigrationStatus.ROLLED_BACK
    assert is_on(sandbox.flows[migration.flow_sid])


def test_rollback_without_approval_stands_on_the_overview_for_a_week(
    sandbox, operator_actor, client_of
):
    _, migration = switched(sandbox, operator_actor)
    set_policy(ANY)
    viewer = client_of("viewer")
    sentence, mark = "1 migration rollback started without approval", "Rollback without approval"
    assert sentence not in overview(viewer)
    assert mark not in steps_page(viewer, migration)

    services.roll_back(migration=migration, reason="", actor=operator_actor)

    assert sentence in overview(viewer)
    assert "/audit/?action=migration.roll_back" in overview(viewer)
    assert mark in steps_page(viewer, migration)

    week_ago = timezone.now() - timedelta(days=7, seconds=1)
    type(migration).objects.update(unapproved_rollback_at=week_ago)
    assert sentence not in overview(viewer)
    assert mark in steps_page(viewer, migration)


def test_mark_of_a_rollback_without_approval_outlasts_the_policy(sandbox, operator_actor):
    _, migration = switched(sandbox, operator_actor)
    set_policy(ANY)
    services.roll_back(migration=migration, reason="", actor=operator_actor)
    type(migration).objects.update(status=MigrationStatus.STUCK)
    set_policy(Terms())

    services.roll_back(migration=reload(migration), reason="", actor=operator_actor)

    assert reload(migration).unapproved_rollback_at is not None


def test_rollback_of_another_account_is_not_on_the_overview(
    sandbox, operator_actor, client_of, staging
):
    _, migration = switched(sandbox, operator_actor)
    set_policy(ANY)
    services.roll_back(migration=migration, reason="", actor=operator_actor)

    viewer = client_of("viewer", account_sid="AC" + "0e" * 16)

    assert "started without approval" not in overview(viewer)


@pytest.mark.parametrize("terms", [Terms(), Terms(requires_reason=True)])
def test_rollback_that_needs_no_approval_is_not_marked(sandbox, operator_actor, client_of, terms):
    _, migration = switched(sandbox, operator_actor)
    set_policy(terms)

    services.roll_back(migration=migration, reason="because", actor=operator_actor)

    viewer = client_of("viewer")
    assert "started without approval" not in overview(viewer)
    assert "without approval" not in steps_page(viewer, migration)


def overview(client):
    return client.get("/").content.decode()


def steps_page(client, migration):
    return client.get(f"/migration/{migration.flow_sid}/steps/").content.decode()


@pytest.mark.parametrize(
    ("terms", "has_mail", "words"),
    [
        (ANY, True, "All other approvers get an e-mail."),
        (ANY, False, "No one will be told by e-mail"),
        (Terms(requires_reason=True), True, ""),
    ],
)
def test_page_says_who_is_told_of_a_rollback(
    sandbox, operator_actor, client_of, person, settings, terms, has_mail, words
):
    settings.EMAIL_IS_CONFIGURED = has_mail
    User.objects.filter(pk=person("operator", "ana").pk).update(email="ana@example.com")
    _, migration = switched(sandbox, operator_actor)
    set_policy(terms)
    page = client_of("operator").get(f"/migration/{migration.flow_sid}/steps/").content.decode()
    assert "Roll back" in page
    assert words in page
    assert ("The policy of this account requires approval" in page) == bool(words)


def test_switch_over_does_not_begin_under_a_policy(sandbox, operator_actor):
    _, migration = prepared(sandbox, operator_actor)
    set_policy(ANY)
    before = writes(sandbox)

    services.switch(migration=migration, reason="tonight", actor=operator_actor)
    run_worker()

    assert writes(sandbox) == before
    assert is_on(Flow.objects.get(sid=migration.flow_sid).resource)


def proposed(migration, change_id):
    """Return a change as the worker makes it for a migration."""
    return ProposedChange(
        resource=FLEX_FLOW,
        operation="update",
        account_sid=migration.account_sid,
        sid=migration.flow_sid,
        parent_sid="",
        before={},
        requested={},
        reason="",
        actor=progress.stored_actor(migration),
        change_id=change_id,
    )


def test_switch_over_that_has_begun_goes_on(sandbox, operator_actor):
    _, migration = switched(sandbox, operator_actor)
    *_, last = migration.steps.all()
    cases = {
        (MigrationStatus.SWITCHING, True): True,
        (MigrationStatus.SWITCHING, False): False,
        (MigrationStatus.DELETING, True): False,
        (MigrationStatus.PREPARING, False): False,
        (MigrationStatus.ROLLING_BACK, False): True,
    }

    for (status, has_begun), goes_on in cases.items():
        type(migration).objects.filter(pk=migration.pk).update(status=status)
        done_at = migration.created_at if has_begun else None
        migration.steps.exclude(kind="create_address").update(done_at=done_at)
        change = proposed(migration, last.change_id)
        assert begun_steps.must_go_on(change) == goes_on, (status, has_begun)
        assert not begun_steps.must_go_on(replace(change, actor=operator_actor))
