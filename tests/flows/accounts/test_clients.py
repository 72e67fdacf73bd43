"""The account of a flow, and the client of that account."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from flows.accounts import clients, shared_rates
from flows.accounts.twilio_accounts import Account
from flows.audit import audit_log
from flows.audit.audit_log import Actor
from flows.mirror import flow_rows, mirror, ownership
from flows.mirror.models import Flow
from flows.twilio.errors import NotSent, RequestRefused
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.flex.plugin import PLUGIN
from flows.twilio.resource import Resource

OURS, OTHER, FLOW = "AC" + "5a" * 16, "AC" + "0e" * 16, "FO" + "1" * 32

LIFT = Resource(
    name="lift", title="Lift", plural="Lifts", product="building", version="v2", path="Lifts",
    list_key="lifts", sid_prefix="LF", fields=(),
)  # fmt: skip


@pytest.fixture
def two_accounts(settings):
    settings.FLEX_ACCOUNTS = (
        replace(settings.FLEX_ACCOUNTS[0], name="production"),
        Account(
            OTHER,
            auth=(OTHER, "token"),
            name="staging",
            api_url="https://flex.example/v1",
            twilio_api_url="https://{product}.example",
        ),
    )


def test_client_follows_the_settings(settings):
    settings.FLEX_API_URL, settings.FLEX_RATE_LIMITS = "https://flex.example/v1", True

    client = clients.resource_client(FLEX_FLOW, OURS, deadline=3.5)

    assert (client.base_url, client.deadline, client.account_sid) == (
        "https://flex.example/v1",
        3.5,
        OURS,
    )
    assert client._rate_limits is True


def test_client_of_another_product_follows_its_own_setting(settings):
    settings.TWILIO_API_URL = "https://{product}.example"

    assert clients.resource_client(LIFT, OURS).base_url == "https://building.example/v2"


def test_client_sends_only_the_headers_that_its_resource_takes(settings):
    headers = {"Flex-Metadata": "m", "Authorization": "a"}
    settings.FLEX_ACCOUNTS = (replace(settings.FLEX_ACCOUNTS[0], headers=headers),)

    sent = [clients.resource_client(one, OURS)._auth.headers for one in (PLUGIN, FLEX_FLOW)]

    assert sent == [{"Flex-Metadata": "m"}, {}]


def test_client_has_the_deadline_of_a_change_by_default():
    assert clients.resource_client(FLEX_FLOW, OURS).deadline == clients.WRITE_DEADLINE


@pytest.mark.parametrize(
    ("deadline", "patience"),
    [
        (clients.READ_DEADLINE, clients.PAGE_PATIENCE),
        (clients.FORM_DEADLINE, clients.FORM_DEADLINE),
        (15.0, 15.0),
    ],
)
def test_page_waits_less_for_its_turn_than_a_change(deadline, patience):
    assert clients.resource_client(FLEX_FLOW, OURS, deadline=deadline).patience == patience


def test_reads_of_a_thread_go_over_one_connection(sandbox):
    sid = sandbox.add_flow()

    for deadline in (4.0, 15.0, 30.0):
        clients.resource_client(FLEX_FLOW, OURS, deadline=deadline).fetch(sid)

    assert (sandbox.connections, len(sandbox.requests)) == (1, 3)


def test_thread_keeps_its_client():
    client = clients.resource_client(FLEX_FLOW, OURS, deadline=4.0)

    assert clients.resource_client(FLEX_FLOW, OURS, deadline=4.0) is client
    assert clients.resource_client(FLEX_FLOW, OURS, deadline=15.0) is not client


def test_each_thread_has_its_own_client():
    client = clients.resource_client(FLEX_FLOW, OURS)

    with ThreadPoolExecutor(1) as other_thread:
        assert other_thread.submit(clients.resource_client, FLEX_FLOW, OURS).result() is not client


@pytest.mark.parametrize(
    "name", ["FLEX_API_URL", "TWILIO_API_URL", "FLEX_ACCOUNTS", "FLEX_RATE_LIMITS"]
)
def test_client_is_replaced_if_the_settings_change(settings, name):
    client = clients.resource_client(FLEX_FLOW, OURS)
    account = settings.FLEX_ACCOUNTS[0]
    new_values = {
        "FLEX_API_URL": "https://flex.example/v1",
        "TWILIO_API_URL": "https://{product}.example",
        "FLEX_ACCOUNTS": (replace(account, auth=(account.auth[0], "renewed")),),
        "FLEX_RATE_LIMITS": not settings.FLEX_RATE_LIMITS,
    }
    setattr(settings, name, new_values[name])

    replacement = clients.resource_client(FLEX_FLOW, OURS)

    assert replacement is not client
    assert clients.resource_client(FLEX_FLOW, OURS) is replacement


def test_connections_close_with_the_clients(sandbox):
    sid = sandbox.add_flow()
    clients.resource_client(FLEX_FLOW, OURS).fetch(sid)

    clients.close_clients()
    clients.resource_client(FLEX_FLOW, OURS).fetch(sid)

    assert sandbox.connections == 2


def test_connections_close_if_the_settings_change(sandbox, settings):
    sid = sandbox.add_flow()
    clients.resource_client(FLEX_FLOW, OURS).fetch(sid)
    settings.FLEX_RATE_LIMITS = not settings.FLEX_RATE_LIMITS

    clients.resource_client(FLEX_FLOW, OURS)
    settings.FLEX_RATE_LIMITS = not settings.FLEX_RATE_LIMITS
    clients.resource_client(FLEX_FLOW, OURS).fetch(sid)

    assert sandbox.connections == 2


def test_turns_are_booked_in_the_database(settings, monkeypatch):
    bookings = []
    monkeypatch.setattr(
        shared_rates.SHARED_RATE_LIMITER,
        "book",
        lambda *args, patience: bookings.append((*args, patience)),
    )
    settings.FLEX_RATE_LIMITS = True

    with pytest.raises(NotSent, match="rate limit"):
        clients.resource_client(FLEX_FLOW, OURS, deadline=4.0).fetch(FLOW)

    assert bookings == [(OURS, "fetch", 1.0)]


def test_each_account_has_its_own_credentials_and_url(two_accounts, settings):
    ours, other = (
        clients.resource_client(FLEX_FLOW, OURS),
        clients.resource_client(FLEX_FLOW, OTHER),
    )

    assert (ours.base_url, other.base_url) == (settings.FLEX_API_URL, "https://flex.example/v1")
    assert clients.resource_client(LIFT, OTHER).base_url == "https://building.example/v2"
    assert (other._auth.username, other._auth.password) == (OTHER.encode(), b"token")


def test_right_credentials_are_accepted(sandbox):
    sandbox.add_flow()

    assert len(list(clients.resource_client(FLEX_FLOW, OURS).list())) == 1


def test_wrong_credentials_are_refused(sandbox, settings):
    settings.FLEX_ACCOUNTS = (replace(settings.FLEX_ACCOUNTS[0], auth=("SK" + "5b" * 16, "wrong")),)

    with pytest.raises(RequestRefused) as raised:
        list(clients.resource_client(FLEX_FLOW, OURS).list())

    assert raised.value.status == 401


def test_nothing_is_sent_for_an_account_without_credentials():
    with pytest.raises(NotSent, match=OTHER):
        clients.resource_client(FLEX_FLOW, OTHER)


@pytest.mark.django_db
def test_flow_belongs_to_its_account_in_the_mirror(two_accounts):
    flow_rows.save_snapshots({FLOW: {"sid": FLOW}}, OTHER)

    assert ownership.find_account_sid(FLOW) == OTHER


@pytest.mark.django_db
def test_flow_missing_from_the_mirror_belongs_to_its_account_in_the_log(two_accounts):
    ours, other = (Actor(id="", label=name) for name in "ab")
    for actor, account in ((ours, ""), (other, OTHER)):
        audit_log.append(
            action="flow.accept",
            stage=audit_log.Stage.ACCESS,
            result=audit_log.Result.SUCCEEDED,
            actor=actor,
            account_sid=account,
            target_sid=FLOW,
        )

    assert not Flow.objects.exists()
    assert ownership.find_account_sid(FLOW) == OTHER


@pytest.mark.django_db
def test_unknown_flow_belongs_to_no_account_of_several(two_accounts):
    assert ownership.find_account_sid(FLOW) == ""
    with pytest.raises(NotSent, match="account of this flow is unknown"):
        mirror.fetch(FLOW, account_sid="")


@pytest.mark.django_db
def test_unknown_flow_belongs_to_the_only_account():
    assert ownership.find_account_sid(FLOW) == OURS


@pytest.mark.django_db
def test_flow_of_a_removed_account_does_not_belong_to_the_only_account():
    flow_rows.save_snapshots({FLOW: {"sid": FLOW}}, OTHER)

    assert ownership.find_account_sid(FLOW) == OTHER
