"""Whose flow it is, and the client of that account."""

from dataclasses import replace

import pytest

from flows.accounts import Account
from flows.flexapi.errors import NeverSent, Refused
from flows.models import Flow
from flows.services import audit, mirror, rates, twilio
from flows.services.audit import Actor

OURS, OTHER, FLOW = "AC" + "5a" * 16, "AC" + "0e" * 16, "FO" + "1" * 32


@pytest.fixture
def two_accounts(settings):
    settings.FLEX_ACCOUNTS = (
        replace(settings.FLEX_ACCOUNTS[0], name="production"),
        Account(OTHER, auth=(OTHER, "token"), name="staging", api_url="https://flex.example/v1"),
    )


def test_client_follows_the_settings(settings):
    settings.FLEX_API_URL, settings.FLEX_RATE_LIMITS = "https://flex.example/v1", True

    client = twilio.flex_client(OURS, deadline=3.5)

    assert (client.base_url, client.deadline, client.account_sid) == ("https://flex.example/v1", 3.5, OURS)
    assert client._rate_limits is True


def test_client_has_a_writes_deadline_of_itself():
    assert twilio.flex_client(OURS).deadline == twilio.WRITE_DEADLINE


@pytest.mark.parametrize(
    ("deadline", "patience"),
    [
        (twilio.READ_DEADLINE, twilio.PAGE_PATIENCE),
        (twilio.FORM_DEADLINE, twilio.FORM_DEADLINE),
        (15.0, 15.0),
    ],
)
def test_page_waits_less_for_its_turn_than_a_change(deadline, patience):
    assert twilio.flex_client(OURS, deadline=deadline).patience == patience


def test_reads_of_a_thread_go_over_one_connection(sandbox):
    sid = sandbox.add_flow()

    for deadline in (4.0, 15.0, 30.0):
        twilio.flex_client(OURS, deadline=deadline).fetch(sid)

    assert (sandbox.connections, len(sandbox.requests)) == (1, 3)


def test_turns_are_agreed_on_in_the_database(settings, monkeypatch):
    asked = []
    monkeypatch.setattr(rates.SHARED, "book", lambda *args, patience: asked.append((*args, patience)))
    settings.FLEX_RATE_LIMITS = True

    with pytest.raises(NeverSent, match="rate limit"):
        twilio.flex_client(OURS, deadline=4.0).fetch(FLOW)

    assert asked == [(OURS, "fetch", 1.0)]


def test_each_account_has_its_own_credentials_and_place(two_accounts, settings):
    ours, other = twilio.flex_client(OURS), twilio.flex_client(OTHER)

    assert (ours.base_url, other.base_url) == (settings.FLEX_API_URL, "https://flex.example/v1")
    assert (other._auth.username, other._auth.password) == (OTHER.encode(), b"token")


def test_credentials_sign_in(sandbox):
    sandbox.add_flow()

    assert len(list(twilio.flex_client(OURS).list())) == 1


def test_wrong_credentials_are_refused(sandbox, settings):
    settings.FLEX_ACCOUNTS = (replace(settings.FLEX_ACCOUNTS[0], auth=("SK" + "5b" * 16, "wrong")),)

    with pytest.raises(Refused) as raised:
        list(twilio.flex_client(OURS).list())

    assert raised.value.status == 401


def test_nothing_is_sent_for_an_account_without_credentials():
    with pytest.raises(NeverSent, match=OTHER):
        twilio.flex_client(OTHER)


@pytest.mark.django_db
def test_flow_is_of_the_account_that_the_copy_says(two_accounts):
    mirror._write({FLOW: {"sid": FLOW}}, OTHER)

    assert twilio.account_of(FLOW) == OTHER


@pytest.mark.django_db
def test_flow_that_the_copy_lost_is_of_the_account_that_the_log_says(two_accounts):
    ours, other = (Actor(id="", label=name) for name in "ab")
    for actor, account in ((ours, ""), (other, OTHER)):
        audit.append(
            action="flow.accept",
            stage=audit.Stage.ACCESS,
            result=audit.Result.SUCCEEDED,
            actor=actor,
            account_sid=account,
            target_sid=FLOW,
        )

    assert not Flow.objects.exists()
    assert twilio.account_of(FLOW) == OTHER


@pytest.mark.django_db
def test_flow_that_nobody_knows_is_of_no_account(two_accounts):
    assert twilio.account_of(FLOW) == ""
    with pytest.raises(NeverSent, match="account of this flow is unknown"):
        mirror.fetch(FLOW)


@pytest.mark.django_db
def test_flow_that_nobody_knows_is_of_the_only_account():
    assert twilio.account_of(FLOW) == OURS


@pytest.mark.django_db
def test_flow_of_an_account_that_the_site_had_before_is_not_of_its_only_one():
    mirror._write({FLOW: {"sid": FLOW}}, OTHER)

    assert twilio.account_of(FLOW) == OTHER
