"""Resources of other Twilio products: their addresses, pages, rates and connections."""

from urllib.parse import parse_qs, urlsplit

import pytest

from flows.twilio.api_styles import API_OF_2010
from flows.twilio.client import ResourceClient
from flows.twilio.description import READ_OPERATIONS
from flows.twilio.errors import OutcomeUnknown, RequestRefused
from flows.twilio.fields import Field
from flows.twilio.paging import Pagination
from flows.twilio.rates import (
    CALLS_PER_SECOND,
    LocalRateLimiter,
    calls_per_second,
    operation_of_product,
)
from flows.twilio.resource import Resource
from tests.flows.twilio.simulated_twilio import AC, SECRET, SK, basic

API_URL = "https://{product}.twilio.com"
HARBOUR = Resource(
    name="harbour", title="Harbour", plural="Harbours", product="coast", version="v3",
    path="Harbours", list_key="harbours", sid_prefix="HA", max_page_size=200, fields=(),
    operations=READ_OPERATIONS,
)  # fmt: skip
BERTH = Resource(
    name="berth", title="Berth", plural="Berths", product="coast", version="v3", path="Berths",
    parent=HARBOUR, list_key="berths", list_parameters={"Kind": "guest"}, sid_prefix="BE",
    operations=READ_OPERATIONS, keeps_unknown_fields=False,
    fields=(
        Field(name="sid", label="", kind="sid", sid_prefix="BE", help=""),
        Field(name="friendly_name", label="", kind="text", help=""),
    ),
)  # fmt: skip
LINE = Resource(
    name="line", title="Line", plural="Lines", product="api", version="2010-04-01",
    api_style=API_OF_2010, path="Accounts/{account_sid}/Lines", list_key="lines", sid_prefix="LI",
    fields=(), operations=READ_OPERATIONS,
)  # fmt: skip
HA, BE, LI = (prefix + "1" * 32 for prefix in ("HA", "BE", "LI"))
OTHER_HA = "HA" + "2" * 32
BERTHS = f"https://coast.twilio.com/v3/Harbours/{HA}/Berths"
LINES = f"https://api.twilio.com/2010-04-01/Accounts/{AC}/Lines.json"


def client_of(resource, **options):
    defaults = {"account_sid": AC, "auth": (SK, SECRET), "rate_limits": False}
    return ResourceClient(resource, base_url=resource.base_url(API_URL), **defaults | options)


def meta_page(key, *objects, following=None):
    return {"meta": {"next_page_url": following, "key": key}, key: list(objects)}


def queries(twilio):
    return [parse_qs(urlsplit(call.request.url).query) for call in twilio.calls]


# Addresses


def test_list_is_at_the_product_with_its_largest_page(twilio):
    twilio.get("https://coast.twilio.com/v3/Harbours", json=meta_page("harbours", {"sid": HA}))

    assert list(client_of(HARBOUR).list()) == [{"sid": HA}]

    assert queries(twilio) == [{"PageSize": ["200"]}]
    assert twilio.calls[0].request.headers["Authorization"] == basic(SK, SECRET)


def test_list_below_a_parent_has_its_parameters_on_the_first_page(twilio):
    twilio.get(BERTHS, json=meta_page("berths", {"sid": BE}))

    assert list(client_of(BERTH).list(parent_sid=HA)) == [{"sid": BE}]

    assert queries(twilio) == [{"Kind": ["guest"], "PageSize": ["1000"]}]


def test_object_below_a_parent_is_fetched_there(twilio):
    twilio.get(f"{BERTHS}/{BE}", json={"sid": BE})

    assert client_of(BERTH).fetch(BE, parent_sid=HA) == {"sid": BE}


@pytest.mark.parametrize(
    ("resource", "parent_sid"), [(BERTH, ""), (BERTH, BE), (BERTH, f"{HA}/.."), (HARBOUR, HA)]
)
def test_nothing_is_sent_without_the_right_parent(twilio, resource, parent_sid):
    with pytest.raises(ValueError, match="not the SID"):
        client_of(resource).list(parent_sid=parent_sid)

    assert len(twilio.calls) == 0


def test_object_of_the_api_of_2010_has_an_address_of_json(twilio):
    twilio.get(LINES.replace(".json", f"/{LI}.json"), json={"sid": LI})

    assert client_of(LINE).fetch(LI) == {"sid": LI}


@pytest.mark.parametrize("operation", ["create", "update", "delete"])
def test_operation_that_a_resource_lacks_is_not_sent(twilio, operation):
    calls = {
        "create": lambda client: client.create({}),
        "update": lambda client: client.update(HA, {}),
        "delete": lambda client: client.delete(HA),
    }

    with pytest.raises(ValueError, match=f"Harbours have no {operation}"):
        calls[operation](client_of(HARBOUR))

    assert len(twilio.calls) == 0


def test_fields_without_a_description_are_dropped(twilio):
    body = {"sid": BE, "friendly_name": "North", "webhook_url": "https://x:secret@y.example"}
    twilio.get(f"{BERTHS}/{BE}", json=body)
    twilio.get(BERTHS, json=meta_page("berths", body))
    client = client_of(BERTH)

    fetched, (listed,) = client.fetch(BE, parent_sid=HA), client.list(parent_sid=HA)

    assert fetched == listed == {"sid": BE, "friendly_name": "North"}


# Pages


def test_relative_links_of_the_api_of_2010_are_followed(twilio):
    second = f"/2010-04-01/Accounts/{AC}/Lines.json?PageSize=1000&Page=1&PageToken=PALI1"
    twilio.get(LINES, json={"next_page_uri": second, "lines": [{"sid": LI}]})
    twilio.get(LINES, json={"next_page_uri": None, "lines": [{"sid": LI.replace("1", "2")}]})

    assert [line["sid"] for line in client_of(LINE).list()] == [LI, LI.replace("1", "2")]

    assert urlsplit(twilio.calls[1].request.url).path == f"/2010-04-01/Accounts/{AC}/Lines.json"
    assert queries(twilio)[1] == {"PageSize": ["1000"], "Page": ["1"], "PageToken": ["PALI1"]}


def test_link_to_another_host_sends_no_credentials_there(twilio):
    away = f"https://coast.example/v3/Harbours/{HA}/Berths?Page=1"
    twilio.get(BERTHS, json=meta_page("berths", {"sid": BE}, following=away))
    twilio.get(BERTHS, json=meta_page("berths", {"sid": BE.replace("1", "2")}))

    assert len(list(client_of(BERTH).list(parent_sid=HA))) == 2

    assert {urlsplit(call.request.url).netloc for call in twilio.calls} == {"coast.twilio.com"}


@pytest.mark.parametrize(
    "link",
    [
        f"https://coast.twilio.com/v3/Harbours/{OTHER_HA}/Berths?Page=1",
        f"https://coast.twilio.com/v3/Harbours/{HA}/Ships?Page=1",
        "https://coast.twilio.com/v3/Berths?Page=1",
        "https://coast.twilio.com/Berths?Page=1",
    ],
)
def test_link_to_another_collection_is_not_followed(twilio, link):
    twilio.get(BERTHS, json=meta_page("berths", {"sid": BE}, following=link))

    with pytest.raises(OutcomeUnknown, match="not followed"):
        list(client_of(BERTH).list(parent_sid=HA))

    assert len(twilio.calls) == 1


@pytest.mark.parametrize(
    "link",
    [
        "/2010-04-01/Accounts/AC0/Lines.json?Page=1",
        f"/2010-04-01/Accounts/{AC}/Lines?Page=1",
        f"/2010-04-01/Accounts/{AC}/Calls.json?Page=1",
    ],
)
def test_link_to_another_account_or_list_of_2010_is_not_followed(link):
    pagination = Pagination(LINE, LINES)
    pagination.begin({"PageSize": "1000"}, page_size=1000)

    with pytest.raises(OutcomeUnknown, match="not followed"):
        pagination.resolve_link(link)


@pytest.mark.parametrize(
    ("resource", "address", "body"),
    [
        (HARBOUR, "https://coast.twilio.com/v3/Harbours", {"next_page_uri": None, "harbours": []}),
        (LINE, LINES, {"meta": {"next_page_url": None, "key": "lines"}}),
    ],
)
def test_page_in_the_wrong_form_is_not_a_page(twilio, resource, address, body):
    twilio.get(address, json=body)

    with pytest.raises(OutcomeUnknown, match="is not a page"):
        list(client_of(resource).list())


# Rates


class FakeRateLimiter:
    def __init__(self):
        self.operations = []

    def book(self, account_sid, operation, *, patience):
        self.operations.append((account_sid, operation))
        return 0.0


def test_each_product_has_turns_of_its_own(twilio):
    rates = FakeRateLimiter()
    twilio.get(BERTHS, json=meta_page("berths"))
    twilio.get(LINES.replace(".json", f"/{LI}.json"), json={"sid": LI})

    list(client_of(BERTH, rates=rates, rate_limits=True).list(parent_sid=HA))
    client_of(LINE, rates=rates, rate_limits=True).fetch(LI)

    assert rates.operations == [(AC, "coast.list"), (AC, "api.fetch")]


def test_turns_of_one_product_are_left_while_another_has_none():
    rates = LocalRateLimiter(clock=lambda: 100.0)
    for _ in range(CALLS_PER_SECOND["fetch"]):
        rates.book(AC, "fetch", patience=0)

    assert rates.book(AC, "fetch", patience=0) is None
    assert rates.book(AC, "studio.fetch", patience=0) == 0.0


@pytest.mark.parametrize("operation", CALLS_PER_SECOND)
def test_operation_of_a_product_has_the_rate_and_fits_its_column(operation):
    name = operation_of_product("conversations", operation)

    assert len(name) <= 16
    assert calls_per_second(name) == CALLS_PER_SECOND[operation]
    assert operation_of_product("flex-api", operation) == operation


def test_refusal_of_a_product_is_raised(twilio):
    twilio.get(BERTHS, json={"code": 20403, "message": "Forbidden", "status": 403}, status=403)

    with pytest.raises(RequestRefused) as raised:
        list(client_of(BERTH).list(parent_sid=HA))

    assert (raised.value.status, raised.value.code) == (403, 20403)
