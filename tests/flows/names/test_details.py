"""What is kept of a webhook's address, whatever Twilio sends."""

import pytest

from flows.names.details import is_proxy_url, read_details
from flows.names.handling import NO_HOST
from flows.twilio.resource import Snapshot
from flows.twilio.sandbox.named_bodies import SECRET

KS = "KS" + "1a" * 16
PROXY = f"https://webhooks.twilio.com/v1/Accounts/AC{'1a' * 16}/Proxy/{KS}/Webhooks/Message"


def details(resource, **fields):
    return read_details(resource, Snapshot({"sid": "x", **fields}))


@pytest.mark.parametrize(
    ("url", "host", "is_proxy"),
    [
        (PROXY, "webhooks.twilio.com", True),
        (f"https://twilio.example/Proxy/{KS}", "twilio.example", True),
        ("https://hooks.example.com/Proxy/KS1", "hooks.example.com", False),
        (f"https://hooks.example.com/?next=/Proxy/{KS}", "hooks.example.com", False),
        (f"https://bot:{SECRET}@Hooks.example.com/in?token={SECRET}", "hooks.example.com", False),
        (f"https://hooks.example.com:8443/{SECRET}", "hooks.example.com", False),
        (f"bot:{SECRET}@hooks.example.com/in", NO_HOST, False),
        ("https://[half/in", NO_HOST, False),
        (f"https://{SECRET}:pa/ss@hooks.example.com/", NO_HOST, False),
        ("", "", False),
        (" ", "", False),
        (None, "", False),
        (7, "", False),
        (["https://hooks.example.com"], "", False),
    ],
)
def test_only_the_host_of_an_address_is_kept(url, host, is_proxy):
    kept = details("phone_number", sms_url=url)

    assert (kept["host"], kept["is_proxy"]) == (host, is_proxy)
    assert SECRET not in str(kept)
    sender = details("whatsapp_sender", webhook={"callback_url": url})
    service = details("messaging_service", inbound_request_url=url)
    assert sender | {"offline_reasons": []} == sender
    assert {(each["host"], each["is_proxy"]) for each in (sender, service)} == {(host, is_proxy)}


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"sms": True}, True),
        ({"SMS": False}, False),
        ({"sms": "yes"}, None),
        (["sms"], None),
        (None, None),
    ],
)
def test_capability_is_known_only_if_twilio_says_it(capabilities, expected):
    assert details("phone_number", capabilities=capabilities)["can_receive_sms"] is expected


def test_only_a_sid_is_an_application():
    application_sid = "AP" + "1a" * 16

    assert (
        details("phone_number", sms_application_sid=application_sid)["application_sid"]
        == application_sid
    )
    assert details("phone_number", sms_application_sid=SECRET)["application_sid"] == ""


@pytest.mark.parametrize(
    ("reasons", "codes"),
    [
        ([{"code": 63020, "message": SECRET}, {"code": "63021"}], ["63020", "63021"]),
        ([{"code": SECRET}, "63020", None, {}], []),
        ({"code": 1}, []),
        (None, []),
    ],
)
def test_offline_reasons_are_codes(reasons, codes):
    assert details("whatsapp_sender", offline_reasons=reasons)["offline_reasons"] == codes


def test_other_resources_have_no_details():
    assert details("studio_flow", sms_url=PROXY) == {}
    assert not is_proxy_url(None)
