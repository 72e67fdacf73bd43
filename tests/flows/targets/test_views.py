"""The pages of targets: which flows use each, on and off, and what no flow uses."""

import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flows.flex_flows.target_links import target_list_url, target_url
from flows.targets.listing import PAGE_SIZE
from tests import ACCOUNT
from tests.flows.search.mirrored_flows import DAY, OTHER_AC
from tests.markup import squeezed

FW, WW = "FW" + "a" * 28 + "f339", "WW" + "b" * 28 + "12ab"
STUDIO = {"integration_type": "studio", "integration_flow_sid": FW}
SECRET_URL = "https://user:private@Hooks.Example.com/in?token=private"
NUMBER = "+442071838750"
WEBHOOK = {"integration_type": "external", "integration_url": SECRET_URL}

pytestmark = pytest.mark.django_db


@pytest.fixture
def flows(add, name_target):
    add("Lyon", resource=STUDIO, account_sid=ACCOUNT)
    add("Nice", resource=STUDIO, account_sid=ACCOUNT, enabled=False)
    add("Gone", resource=STUDIO, account_sid=ACCOUNT, gone_at=DAY)
    add("Bern", resource=STUDIO, account_sid=OTHER_AC)
    add("Paris", resource=WEBHOOK, account_sid=ACCOUNT, contact_identity="page: a/b?c#d %2F é")
    name_target("studio_flow", FW, "Support IVR", account_sid=ACCOUNT)
    name_target("workflow", WW, "Night shift", account_sid=ACCOUNT)
    name_target(
        "phone_number", "PN" + "1" * 32, "Main line", account_sid=ACCOUNT, reference="+442071"
    )


def listed(page):
    """Return the rows of the list of targets: name or value, flows on and flows off."""
    return [
        (row["name"] or row["target"].value, row["target"].flows_on, row["target"].flows_off)
        for row in page.context["rows"]
    ]


def flow_names(page):
    return [flow.friendly_name for flow in page.context["results"].rows]


def test_list_has_the_most_used_targets_first(flows, client_of):
    page = client_of("viewer").get("/flows/targets/")

    # The other account has no name for it.
    assert listed(page)[:2] == [("Support IVR", 1, 1), (FW, 1, 0)]
    assert ("hooks.example.com", 1, 0) in listed(page)
    assert "private" not in page.content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=ivr", ["Support IVR"]), ("q=f339", ["Support IVR"]), ("q=FWaaaa%E2%80%A6f339", ["Support IVR"]), ("q=hooks", ["hooks.example.com"]),
        ("kind=webhook", ["hooks.example.com"]), ("q=nowhere", []), ("use=none", ["Main line", "Night shift"]),
        ("use=none&kind=workflow", ["Night shift"]), ("use=none&q=12ab", ["Night shift"]), ("use=none&kind=webhook", []),
        ("kind=identity&q=page", ["page: a/b?c#d %2F é"]), ("page=99&kind=webhook", ["hooks.example.com"]),
    ],
)  # fmt: skip
def test_filters_of_the_list(flows, client_of, query, found):
    page = client_of("viewer", account_sid=ACCOUNT).get(f"/flows/targets/?{query}")

    assert sorted(name for name, *_ in listed(page)) == found


@pytest.mark.parametrize(
    "query",
    [
        "kind=teapot", "use=x", "sort=x", "sort=--name", "account=AC1", "page=0", "page=x",
        "q=%E2%80%8B", "q=%E2%80%8B&kind=identity", "q=+%E2%80%8B+&use=none",
    ],
)  # fmt: skip
def test_list_shows_nothing_for_a_filter_that_it_does_not_understand(flows, client_of, query):
    page = client_of("viewer").get(f"/flows/targets/?{query}")

    assert page.context["rows"] == []
    assert "Invalid filter" in page.content.decode()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("sort=name", [FW, "hooks.example.com", "Support IVR"]),
        ("sort=-name", ["Support IVR", "hooks.example.com", FW]),
        ("sort=kind", ["Support IVR", FW, "hooks.example.com"]),
        ("sort=-kind", ["hooks.example.com", "Support IVR", FW]),
        ("sort=off", [FW, "hooks.example.com", "Support IVR"]),
        ("sort=-off", ["Support IVR", FW, "hooks.example.com"]),
        ("sort=account", [FW, "Support IVR", "hooks.example.com"]),
        ("use=none&sort=-name", ["Night shift", "Main line"]),
        ("use=none&sort=name", ["Main line", "Night shift"]),
        ("use=none&sort=kind", ["Main line", "Night shift"]),
        ("use=none&sort=-kind", ["Night shift", "Main line"]),
        ("use=none&sort=on", ["Main line", "Night shift"]),  # they have no such column
    ],
)
def test_list_can_be_sorted(flows, client_of, query, names):
    page = client_of("viewer").get(f"/flows/targets/?{query}")

    assert [name for name, *_ in listed(page)] == names


@pytest.mark.parametrize("query", ["", "kind=identity&", "use=none&"])
def test_accounts_are_sorted_by_their_names(add, name_target, client_of, staging, query):
    assert staging.account_sid < ACCOUNT  # in the other order than their names
    for sid in (ACCOUNT, staging.account_sid):
        add(account_sid=sid, resource=STUDIO, contact_identity=NUMBER)
        name_target("workflow", f"WW{sid[2:]}", "Night shift", account_sid=sid)

    accounts = {
        sort: [
            row["target"].account_sid
            for row in client_of("viewer")
            .get(f"/flows/targets/?{query}sort={sort}")
            .context["rows"]
        ]
        for sort in ("account", "-account")
    }

    names = {sort: list(dict.fromkeys(sids)) for sort, sids in accounts.items()}
    assert names["account"] == [ACCOUNT, staging.account_sid]
    assert names["-account"] == [staging.account_sid, ACCOUNT]


def test_number_that_a_flow_spells_in_another_way_is_in_use(add, name_target, client_of):
    spellings = {
        "+442071838750": "+44 (0)20 7183 8750",
        "+442071838751": "0044 20 7183-8751",
        "+442071838752": "442071838752",
        "whatsapp:+442071838753": "whatsapp:442071838753",
        "+442071838754": "whatsapp:442071838754",  # of its WhatsApp sender, not of the number
    }
    for index, (number, identity) in enumerate(spellings.items()):
        sid = f"PN{index:032}"
        name_target("phone_number", sid, f"Line {index}", account_sid=ACCOUNT, reference=number)
        add(account_sid=ACCOUNT, contact_identity=identity)

    page = client_of("viewer").get("/flows/targets/?use=none")

    assert [name for name, *_ in listed(page)] == ["Line 4"]


def test_numbers_are_sorted_by_their_names_and_uses(add, name_target, client_of):
    numbers = {
        "+442071": ("Main line", 1, 0),
        "+442072": ("", 0, 2),
        "+442073": ("After hours", 0, 1),
    }
    for index, (number, (name, on, off)) in enumerate(numbers.items()):
        name_target("phone_number", f"PN{index:032}", name, account_sid=ACCOUNT, reference=number)
        for count, is_on in ((on, True), (off, False)):
            for _ in range(count):
                add(account_sid=ACCOUNT, contact_identity=number, enabled=is_on)
    client = client_of("viewer")

    found = {
        sort: [
            name for name, *_ in listed(client.get(f"/flows/targets/?kind=identity&sort={sort}"))
        ]
        for sort in ("", "name", "-name", "-on", "-off")
    }

    assert found == {
        "": ["+442072", "Main line", "After hours"],
        "name": ["+442072", "After hours", "Main line"],
        "-name": ["Main line", "After hours", "+442072"],
        "-on": ["Main line", "+442072", "After hours"],
        "-off": ["+442072", "After hours", "Main line"],
    }


def test_headings_sort_the_list_and_keep_its_filters(flows, client_of):
    client = client_of("viewer", account_sid=ACCOUNT)

    plain = client.get("/flows/targets/?q=i&page=1")
    by_name = client.get("/flows/targets/?q=i&sort=name")
    by_use = squeezed(client.get("/flows/targets/?sort=-on").content.decode())

    links = {column["label"]: column["url"] for column in plain.context["columns"]}
    assert links == {
        "Target": "?q=i&sort=name",
        "Kind": "?q=i&sort=kind",
        "Flows on": "?q=i&sort=-on",  # the most used ones first
        "Flows off": "?q=i&sort=-off",
    }
    assert by_name.context["columns"][0]["url"] == "?q=i&sort=-name"
    assert 'aria-sort="ascending"' in by_name.content.decode()
    assert '<input type="hidden" name="sort" value="name">' in by_name.content.decode()
    assert '<th scope="col" class="c-on number" aria-sort="descending">' in by_use
    assert "Clear all" not in by_use  # an order hides nothing


def test_pages_keep_the_order(add, client_of):
    for number in range(PAGE_SIZE + 1):
        webhook = {
            "integration_type": "external",
            "integration_url": f"https://h{number:03}.example",
        }
        add(resource=webhook, account_sid=ACCOUNT)

    page = client_of("viewer").get("/flows/targets/?sort=-name")
    last = client_of("viewer").get(f"/flows/targets/{page.context['next_url']}")

    assert listed(page)[0][0] == f"h{PAGE_SIZE:03}.example"
    assert [name for name, *_ in listed(last)] == ["h000.example"]


def test_list_is_limited_to_the_users_accounts(flows, client_of):
    page = client_of("viewer", account_sid=ACCOUNT).get("/flows/targets/?q=f339")

    assert listed(page) == [("Support IVR", 1, 1)]


def test_page_has_the_flows_that_use_a_target_those_that_are_on_first(flows, client_of):
    page = client_of("viewer", account_sid=ACCOUNT).get(f"/flows/targets/studio-flow/{FW}/")

    text = squeezed(page.content.decode())
    assert flow_names(page) == ["Lyon", "Nice"]
    assert "2 flows: 1 on, 1 off" in text
    assert "1 deleted flow" in text
    assert f"/flows/?target=studio-flow%3A{FW}" in text
    assert "Bern" not in text


def test_page_counts_the_flows_by_account(flows, client_of):
    page = client_of("viewer").get(f"/flows/targets/studio-flow/{FW}/")

    counts = [(row["use"].account_sid, row["use"].flows_on) for row in page.context["uses"]]
    assert sorted(counts) == sorted([(ACCOUNT, 1), (OTHER_AC, 1)])


def test_page_of_a_webhook_shows_no_more_than_its_host(flows, client_of):
    page = client_of("viewer").get("/flows/targets/webhook/hooks.example.com/")

    assert flow_names(page) == ["Paris"]
    assert "private" not in page.content.decode()


def test_identity_with_any_characters_has_a_page(flows, client_of):
    client = client_of("viewer")
    page = client.get("/flows/targets/?kind=identity&q=page")
    [url] = [row["url"] for row in page.context["rows"]]

    assert flow_names(client.get(url)) == ["Paris"]


@pytest.mark.parametrize(
    "identity", ["a\nb", " +1 ", "a%20b", "//x", "\u202e1", "ÉTÉ ø", "?q=1", "x/", "<b>"], ids=ascii
)
def test_flow_page_links_to_its_identity(add, client_of, identity):
    flow = add("Rome", account_sid=ACCOUNT, contact_identity=identity)

    page = client_of("viewer").get(target_url("identity", flow.contact_identity))

    assert flow_names(page) == ["Rome"]


def test_value_that_is_too_long_has_no_page(add, client_of):
    add("Rome", account_sid=ACCOUNT, contact_identity="x " * 200)
    client = client_of("viewer")

    assert [row["url"] for row in client.get("/flows/targets/?kind=identity").context["rows"]] == [
        ""
    ]
    assert client.get(f"/flows/targets/identity/{'x' * 300}/").status_code == 404


@pytest.mark.parametrize("identity", ["\u200b", " ", "\u2060\n"], ids=ascii)
def test_identity_without_visible_characters_has_no_page(add, client_of, identity):
    add("Rome", account_sid=ACCOUNT, contact_identity=identity)
    add("Without an identity", account_sid=ACCOUNT, contact_identity="")

    answer = client_of("viewer").get(f"/flows/targets/identity/{quote(identity)}/")

    assert answer.status_code == 404
    assert target_url("identity", identity) == ""


@pytest.fixture
def moved_number(add, name_target):
    """A number that moved from one account to another, with flows of both."""
    for account_sid in (ACCOUNT, OTHER_AC):
        add("Rome", account_sid=account_sid, contact_identity=NUMBER)
    for number, (account_sid, name, gone_at) in enumerate(
        [(ACCOUNT, "Older", DAY), (OTHER_AC, "New", None), (ACCOUNT, "Old", DAY + timedelta(1))]
    ):
        fields = {"account_sid": account_sid, "reference": NUMBER, "gone_at": gone_at}
        name_target("phone_number", f"PN{number:032}", name, **fields)


def test_number_that_moved_has_the_name_that_it_has_now(moved_number, client_of):
    page = client_of("viewer").get(target_url("identity", NUMBER))

    assert (page.context["name"], page.context["is_gone"]) == ("New", False)


def test_list_has_the_name_of_a_number_in_each_account(moved_number, client_of):
    page = client_of("viewer").get("/flows/targets/?kind=identity")

    names = {
        row["target"].account_sid: (row["name"], row["is_gone"]) for row in page.context["rows"]
    }
    assert names == {ACCOUNT: ("Old", True), OTHER_AC: ("New", False)}


def test_list_of_flows_names_a_number_that_moved(moved_number, client_of):
    page = client_of("viewer").get(target_list_url("identity", NUMBER))

    assert f"Target: New · {NUMBER}" in squeezed(page.content.decode())


def test_named_target_without_flows_has_a_page(flows, client_of):
    page = client_of("viewer").get(f"/flows/targets/workflow/{WW}/")

    assert "Night shift" in page.content.decode()
    assert "No flow uses it" in page.content.decode()


@pytest.mark.parametrize(
    "path", [f"workflow/{FW}", "studio-flow/FW1", "webhook/other.example.com", "identity/+1", "teapot/x"]
)  # fmt: skip
def test_unknown_target_has_no_page(flows, client_of, path):
    assert client_of("viewer").get(f"/flows/targets/{path}/").status_code == 404


def test_target_of_another_account_has_no_page(flows, client_of, add):
    add("Basel", resource=STUDIO | {"integration_flow_sid": "FW9"}, account_sid=OTHER_AC)

    answer = client_of("viewer", account_sid=ACCOUNT).get("/flows/targets/studio-flow/FW9/")

    assert answer.status_code == 404


@pytest.mark.parametrize(
    "path", ["/flows/targets/", f"/flows/targets/studio-flow/{FW}/", "/flows/"]
)
def test_number_of_queries_does_not_depend_on_the_number_of_flows(flows, client_of, add, path):
    client = client_of("admin")
    few = _count_queries(client, path)
    for number in range(20):
        add(f"More {number}", resource=STUDIO, account_sid=ACCOUNT)

    assert _count_queries(client, path) <= few


def _count_queries(client, path):
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        client.get(path)
    return len(queries)


def test_handler_in_the_list_leads_to_its_page(flows, client_of):
    page = client_of("viewer").get("/flows/?q=lyon").content.decode()

    assert f'href="/flows/targets/studio-flow/{FW}/"' in page


@pytest.mark.parametrize(
    ("query", "marked"),
    [("support", ["Support"]), (FW, ["FWaaaa…f339"]), ("f339", ["f339"]), ("FWaaaaaaaa", ["FWaaaa…f339"]), ("hooks", ["hooks"])],
)  # fmt: skip
def test_marks_show_why_a_flow_was_found(flows, client_of, query, marked):
    page = client_of("viewer", account_sid=ACCOUNT).get(f"/flows/?q={query}")

    assert sorted(set(re.findall("<mark>([^<]*)</mark>", page.content.decode()))) == marked


def test_names_of_numbers_are_reasons_only_where_the_flows_name_has_no_match(
    name_target, client_of, add
):
    for number, name in (("+33111", "Lyon"), ("+33222", "Bern")):
        add(name, resource=STUDIO, account_sid=ACCOUNT, contact_identity=number)
        name_target(
            "phone_number",
            "PN" + number[-2:] * 16,
            "Lyon line",
            account_sid=ACCOUNT,
            reference=number,
        )

    page = squeezed(client_of("viewer").get("/flows/?q=lyon").content.decode())

    cells = dict(
        re.findall(r'title="(Lyon|Bern)">.*?data-label="Handled by"[^>]*>(.*?)</td>', page)
    )
    assert "<mark>Lyon</mark>line" in cells["Bern"]
    assert "line" not in cells["Lyon"]


def test_service_that_the_row_does_not_show_is_named_as_the_reason(flows, client_of, add):
    sid = "IS" + "c" * 28 + "56ef"
    add("Rome", resource=STUDIO | {"chat_service_sid": sid}, account_sid=ACCOUNT)

    page = client_of("viewer", account_sid=ACCOUNT).get("/flows/?q=56ef").content.decode()

    assert "Chat service IScccc…<mark>56ef</mark> · " in page


def test_list_filtered_by_a_target_names_it_and_keeps_it(flows, client_of):
    page = client_of("viewer", account_sid=ACCOUNT).get(
        f"/flows/?target=studio-flow:{FW}&channel=sms"
    )

    text = squeezed(page.content.decode())
    assert "Target: Support IVR · FWaaaa…f339" in text
    assert f'<input type="hidden" name="target" value="studio-flow:{FW}" form="filters">' in text
    assert flow_names(page) == ["Lyon", "Nice"]


def test_bulk_change_and_export_take_all_flows_of_a_target(flows, client_of):
    form = {"all": "1", "query": f"target=studio-flow:{FW}", "format": "json"}

    answer = client_of("operator", account_sid=ACCOUNT).post("/flows/copy-out/", form)

    assert len(answer.json()["flows"]) == 2


def test_search_without_a_match_leads_to_where_it_did_not_look(client_of, name_target):
    name_target("studio_flow", "FW" + "9" * 32, "Holiday", account_sid=ACCOUNT)
    client = client_of("viewer")

    page = client.get("/flows/targets/?q=holiday")

    elsewhere = dict(page.context["elsewhere"])
    unused = client.get("/flows/targets/" + elsewhere["targets that no flow uses"])
    assert "Holiday" in unused.content.decode()
    assert "contact identities" in elsewhere
