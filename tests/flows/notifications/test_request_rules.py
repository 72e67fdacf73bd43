"""Who is told about change requests, without a subscription of their own."""

import re

import pytest
from django.contrib.auth.models import Group
from django.core import mail

from flexadmin.models import AccountRole
from flows.accounts.twilio_accounts import account_label
from flows.approvals import requests, validity
from flows.approvals.models import ChangeRequest
from flows.approvals.terms import ApproverPermission, Terms
from flows.audit import action_registry, audit_log
from flows.audit.models import Result, Stage
from flows.migration import services as migrations
from flows.notifications import outbox, services
from flows.notifications.models import Message, MessageStatus, Subscription
from flows.notifications.request_rules import ACCOUNT_RULES, RULES
from tests import ACCOUNT
from tests.flows.approvals.acting import (
    ANY,
    actor_of,
    apply,
    approve,
    current,
    request_rename,
    set_policy,
)
from tests.flows.migration.acting import switched

POLICY_SET = "Set the policy"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def mail_server(settings):
    settings.EMAIL_IS_CONFIGURED = True
    outbox.start_position(0)


@pytest.fixture
def user_of(person):
    """Function that creates a user with an e-mail address."""

    def create(role, name, email=None):
        user = person(role, name)
        user.email = f"{name}@example.com" if email is None else email
        user.save()
        return user

    return create


@pytest.fixture
def omar(user_of):
    return user_of("operator", "omar")


@pytest.fixture
def ana(user_of):
    return user_of("operator", "ana")


@pytest.fixture
def adam(user_of):
    return user_of("admin", "adam")


@pytest.fixture
def elsewhere(user_of, staging):
    """An operator of another account."""
    user = user_of("operator", "eve")
    user.groups.clear()
    AccountRole.objects.create(
        person=user, account_sid=staging.account_sid, role=Group.objects.get(name="operator")
    )
    return user


@pytest.fixture
def request_(flow_sid, omar, ana, adam, user_of):
    user_of("viewer", "vera")
    set_policy(ANY)
    return request_rename(omar, flow_sid)


def told(run, *, of_policies=False):
    """Run the worker and return the new e-mails: their recipients and subjects.

    Those about policies are left out, unless they are what is asked for.
    """
    mail.outbox.clear()
    while run():
        pass
    mail.outbox[:] = [each for each in mail.outbox if (POLICY_SET in each.subject) == of_policies]
    return sorted((each.to[0].partition("@")[0], each.subject) for each in mail.outbox)


def test_submission_is_told_to_all_who_can_approve_but_the_requester(request_, run):
    emails = told(run)
    assert [name for name, _ in emails] == ["adam", "ana"]
    assert emails[0][1] == "[Flex Flows] Requested a change: Réclamations Lyon"
    assert told(run) == []


def test_email_links_to_the_request_and_has_no_values(request_, run, settings):
    settings.SITE_URL = "https://flows.example.com"
    told(run)
    body = mail.outbox[0].body
    assert f"https://flows.example.com/requests/{request_.pk}/" in body
    assert "By: omar" in body
    assert "New name" not in body


def test_only_those_with_the_role_of_the_policy_are_told(flow_sid, omar, ana, adam, run):
    set_policy(Terms(kinds=("any",), approver_permission=ApproverPermission.SET_POLICY))
    request_rename(omar, flow_sid)
    assert [name for name, _ in told(run)] == ["adam"]


def test_break_glass_is_told_to_every_approver_but_its_user(request_, adam, run, sandbox):
    told(run)
    apply(request_, adam, bypass_reason="Outage")
    subject = "[Flex Flows] Started a requested change without approval: Réclamations Lyon"
    assert told(run) == [("ana", subject), ("omar", subject)]


def test_requester_is_told_of_decisions_and_comments(request_, ana, adam, run):
    told(run)
    requests.comment_on(request_.pk, actor=actor_of(adam), comment="Why?")
    approve(request_, ana)
    set_policy(Terms(kinds=("any",), approvals_required=2))
    validity.review_requests(ChangeRequest.objects.all())
    requests.reject(
        request_.pk,
        content_hash=current(request_).content_hash,
        actor=actor_of(ana),
        comment="Not now",
    )
    emails = told(run)
    assert {name for name, _ in emails} == {"omar"}
    assert [re.sub(r"\[Flex Flows\] |: .*", "", subject) for _, subject in emails] == [
        "Approval voided",
        "Approved a change request",
        "Commented on a change request",
        "Rejected a change request",
    ]


def test_own_steps_are_not_told(request_, omar, run):
    told(run)
    requests.comment_on(request_.pk, actor=actor_of(omar), comment="Please look")
    requests.cancel(request_.pk, actor=actor_of(omar))
    assert told(run) == []


def test_request_that_waits_for_no_one_any_longer_is_not_told(request_, omar, run):
    requests.cancel(request_.pk, actor=actor_of(omar))
    assert told(run) == []


def test_schedule_that_is_suspended_is_told_to_the_requester(request_, run):
    told(run)
    audit_log.append(
        action="schedule.suspend",
        stage=Stage.ACCESS,
        result=Result.SUCCEEDED,
        actor=audit_log.Actor(id="", label="", request_id=str(request_.pk)),
        account_sid=ACCOUNT,
    )
    assert [name for name, _ in told(run)] == ["omar"]


def test_users_without_an_address_or_a_role_are_skipped(flow_sid, omar, user_of, run, clock):
    user_of("operator", "noah", email="")
    ana = user_of("operator", "ana")
    set_policy(ANY)
    request_rename(omar, flow_sid)
    outbox.collect(clock())
    ana.groups.clear()  # after the message was written
    assert told(run) == []
    statuses = Message.objects.filter(subscription__owner=ana).values_list("status", flat=True)
    assert set(statuses) == {MessageStatus.FAILED}


def test_without_a_mail_server_nothing_is_queued(request_, run, settings):
    settings.EMAIL_IS_CONFIGURED = False
    assert told(run) == []
    assert not Message.objects.exists()


def test_mail_server_that_fails_gets_it_again_with_the_same_id(request_, run, clock, monkeypatch):
    def fail(_mail, *_arguments, **_options):
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.EmailMessage.send", fail)
        assert told(run) == []
    ids = set(Message.objects.values_list("message_id", flat=True))
    clock.advance(minutes=20)
    assert [name for name, _ in told(run)] == ["adam", "ana"]
    sent = {each.extra_headers["Message-ID"].partition("@")[0] for each in mail.outbox}
    assert len(sent) == 2
    assert sent <= {f"<{each}" for each in ids}


def test_user_can_turn_it_off_and_not_delete_it(request_, ana, run, client_of, omar, flow_sid):
    told(run)
    automatic = Subscription.objects.get(owner=ana)
    client = client_of("operator", "ana")
    page = client.get(f"/notifications/{automatic.pk}/").content.decode()
    assert "Change requests that you can approve and your own" in page
    assert "Delete notification" not in page
    assert client.get(f"/notifications/{automatic.pk}/edit/").status_code == 404
    assert (
        client.post(f"/notifications/{automatic.pk}/act/", {"action": "delete"}).status_code == 404
    )
    services.set_enabled(automatic, is_enabled=False, actor=actor_of(ana), reason="")
    request_rename(omar, flow_sid, name="Another")
    assert [name for name, _ in told(run)] == ["adam"]


def test_page_says_if_break_glass_is_told_to_no_one(request_, adam, ana, omar, client_of, settings):
    client, url = client_of("admin", "adam"), f"/requests/{request_.pk}/"
    assert "All other approvers get an e-mail" in client.get(url).content.decode()
    for user in (ana, omar):
        user.email = ""
        user.save()
    assert "No one will be told by e-mail" in client.get(url).content.decode()


def test_policy_is_told_to_all_who_can_change_flows_of_the_account(
    omar, ana, adam, elsewhere, user_of, run
):
    """Also if they can no longer approve, or there is no policy any longer."""
    user_of("auditor", "olga")
    only_administrators = Terms(kinds=("any",), approver_permission=ApproverPermission.SET_POLICY)
    for terms in (only_administrators, Terms()):
        set_policy(terms, actor=actor_of(adam))
        subject = f"[Flex Flows] Set the policy: {account_label(ACCOUNT)}"
        assert told(run, of_policies=True) == [("ana", subject), ("omar", subject)]
    assert "/audit/" in mail.outbox[0].body


@pytest.mark.parametrize(
    ("terms", "names"),
    [(ANY, ["adam", "ana"]), (Terms(bulk_limit=1), []), (Terms(requires_reason=True), [])],
)
def test_rollback_that_no_one_approved_is_told_to_the_approvers(
    omar, ana, adam, elsewhere, sandbox, run, terms, names
):
    """A migration is refused under such a policy, but not the way back."""
    _, migration = switched(sandbox, actor_of(omar))
    set_policy(terms)
    migrations.roll_back(migration=migration, reason="", actor=actor_of(omar))
    set_policy(Terms())  # too late to keep it quiet
    subject = f"[Flex Flows] Started to roll back a migration: {migration.friendly_name}"
    assert told(run) == [(name, subject) for name in names]


def test_rollback_is_not_told_because_of_a_later_policy(omar, ana, sandbox, run):
    _, migration = switched(sandbox, actor_of(omar))
    migrations.roll_back(migration=migration, reason="", actor=actor_of(omar))
    set_policy(ANY)
    assert told(run) == []


def test_every_rule_is_about_a_registered_action():
    actions = {*RULES, *ACCOUNT_RULES}
    known = [action for action in actions if action_registry.find(action) is not None]
    assert actions - set(known) <= {"schedule.suspend"}
