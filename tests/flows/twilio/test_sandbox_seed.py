"""The seeded flows: reproducible, realistic, without real data, some with flaws."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from flows.twilio.sandbox.company import LOCALES
from flows.twilio.sandbox.server import Sandbox
from tests.flows.twilio import Clock

COUNT = 2000
OF_FICTION = re.compile(
    r"\+1\d{3}55501\d\d"
    r"|\+447700900\d{3}|\+442079460\d{3}"
    r"|\+493023125\d{3}|\+494066969\d{3}|\+496990009\d{3}"
    r"|\+3363998\d{4}|\+339900\d{4}|\+331990[01]\d{4}|\+33465[7]1\d{4}"
    r"|\+463139006\d\d|\+468465004\d\d"
)


@pytest.fixture(scope="module")
def flows():
    return list(Sandbox(flows=COUNT, clock=Clock()).flows.values())


def test_seed_is_reproducible():
    one, same, other = (Sandbox(flows=50, seed=seed, clock=Clock()).flows for seed in (1, 1, 2))

    assert one == same
    assert one.keys().isdisjoint(other)


def test_seed_names_are_distinct_and_beyond_ascii(flows):
    names = {flow["friendly_name"] for flow in flows}

    assert len(flows) == len(names) == COUNT
    assert sum(not name.isascii() for name in names) > COUNT / 4
    assert max(map(len, names)) <= 256


def test_seed_has_the_shares_of_a_real_account(flows):
    channels = Counter(flow["channel_type"] for flow in flows)
    types = Counter(flow["integration_type"] for flow in flows)
    on = sum(flow["enabled"] for flow in flows)

    assert channels.keys() == {"web", "sms", "facebook", "whatsapp", "line", "custom"}
    assert [channel for channel, _ in channels.most_common(2)] == ["sms", "whatsapp"]
    assert 0.55 < types["studio"] / COUNT < 0.65
    assert 0.20 < types["external"] / COUNT < 0.30
    assert 0.10 < types["task"] / COUNT < 0.20
    assert 0.80 < on / COUNT < 0.90


def test_seed_enables_at_most_one_flow_for_a_channel_and_identity():
    flows = Sandbox(flows=20_000).flows.values()

    enabled = Counter(
        (flow["channel_type"], flow["contact_identity"])
        for flow in flows
        if flow["enabled"] and flow["contact_identity"]
    )

    assert max(enabled.values()) == 1


def test_seed_numbers_are_reserved_for_fiction(flows):
    identities = [flow["contact_identity"] or "" for flow in flows]
    numbers = [identity.removeprefix("whatsapp:") for identity in identities if "+" in identity]

    assert len(numbers) > COUNT / 2
    assert [number for number in numbers if not OF_FICTION.fullmatch(number)] == []


def test_seed_reuses_a_handful_of_sids(flows):
    for key, prefix in (("flow_sid", "FW"), ("workspace_sid", "WS"), ("workflow_sid", "WW")):
        sids = {flow["integration"][key] for flow in flows if key in flow["integration"]}
        assert 3 <= len(sids) <= 8
        assert all(re.fullmatch(prefix + "[0-9a-f]{32}", sid) for sid in sids)
    assert 3 <= len({flow["chat_service_sid"] for flow in flows}) <= 8


def test_seed_webhooks_are_on_example_hosts_and_some_carry_secrets(flows):
    urls = [flow["integration"]["url"] for flow in flows if flow["integration_type"] == "external"]

    assert all(
        re.match(r"https://([^/@]+@)?[a-z.]+\.(example|example\.(com|net|org))/", url)
        for url in urls
    )
    assert any("https://twilio:" in url for url in urls)
    assert any("&token=" in url for url in urls)
    assert sum("made-up-" in url for url in urls) < len(urls) / 3


def test_seed_dates_are_spread_over_two_years_newest_first(flows):
    created = [datetime.fromisoformat(flow["date_created"]) for flow in flows]
    updated = [datetime.fromisoformat(flow["date_updated"]) for flow in flows]
    current_time = datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC)

    assert created == sorted(created, reverse=True)
    assert current_time - timedelta(days=731) < created[-1] < current_time - timedelta(days=700)
    assert current_time - timedelta(days=30) < created[0]
    assert all(
        before <= after <= current_time for before, after in zip(created, updated, strict=True)
    )


def test_seed_has_flawed_flows(flows):
    sms = [flow for flow in flows if flow["channel_type"] == "sms"]
    places = Counter(
        (flow["channel_type"], flow["contact_identity"])
        for flow in flows
        if flow["contact_identity"]
    )

    assert any(flow["contact_identity"] is None for flow in sms)
    assert any((flow["contact_identity"] or "").startswith("00") for flow in sms)
    assert any(flow["integration"] == {"retry_count": 3} for flow in flows)
    assert max(places.values()) == 2


@pytest.mark.parametrize("place", LOCALES, ids=lambda place: place.language)
def test_locale_gives_every_number_once_before_it_repeats(place):
    size = sum(size for _, size in place.ranges)

    numbers = [place.number(at) for at in range(size)]

    assert len(set(numbers)) == size
    assert place.number(size) == numbers[0]
