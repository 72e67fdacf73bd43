"""What an address can't do: reach the API with anything but a SID, lead off the site, or make another host of it."""

import itertools
import json
import re
import uuid
from urllib.parse import quote, urlencode, urljoin, urlsplit

import pytest
from django.conf import settings
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, reverse

from flows.audit.models import AuditEvent
from flows.changes import flow_changes
from flows.mirror import mirror
from flows.plans.models import Plan
from flows.twilio.flex import flex_flow
from tests.armour.markup import read_body
from tests.armour.places import URL_NAMES, SampleSite, requires_sign_in, send_form
from tests.faults.acting import change_arguments

pytestmark = pytest.mark.django_db
GOOD = "FO" + "0123456789abcdef" * 2
_HEX = GOOD[2:]
HOSTILE_SIDS = [
    "", "FO", "FO" + _HEX[:-1], GOOD + "0", GOOD * 2, "FO" + "g" * 32, "fo" + _HEX, "Fo" + _HEX, "F0" + _HEX, "FW" + _HEX,
    "AC" + _HEX, "FO" + "０" * 32, "FO" + "٣" * 32, "FO" + "𝟘" * 32, "ＦＯ" + _HEX, "FО" + _HEX, "F\u200bO" + _HEX,
    "FO" + "²" * 32, "FO" + "-" * 32, "FO" + "+1" * 16, "FO" + "0x" * 16, "FO" + " " * 32, "FO" + "\u0661" + _HEX[1:],
    "..", ".", "../", "..;/", "....//", "../../Accounts", "%2e%2e", "%2e%2e%2f", "%252e%252e%252f", "..%c0%af", "..\\",
    "%00", "\x00", "null", "undefined", "None", "NaN", "-1", "0", "*", "%", "_", "[]", "{}", "{sid}", "${jndi:ldap://x}",
    "' OR '1'='1", "'; DROP TABLE flows_flow; --", "<script>", "javascript:1", "//evil.example", "https://evil.example/",
    "new%0d%0aHost:evil.example", "FlexFlows", "@evil.example", ":80", "~", "\ufeff" + GOOD, "\u202e" + GOOD, "new", "plans", str(uuid.UUID(int=1)), GOOD.encode().hex(), "FO" + "\U0001f600" * 8, "A" * 5000, "FO" + "0" * 5000, "FO" + "0" * 31 + "O",
    *(f"{GOOD}{tail}" for tail in ("/..", "/../..", "%2f..", "%2F", "%5c", "\\", ";x", "%3b", "%3f", "?x=1", "%3Fx=1", "#x", "%23",
      "&x=1", "%26", "%0a", "\n", "%0d%0a", "\r\nX: y", "%00", "\x00", "%20", " ", "\t", "\x0b", "\u2028", "\u0085", "\u00a0",
      ".json", ".", "..", "%2e", "*", "%25", "+", "@x", ":1", "'", '"', "`", "<", "|id", "$(id)", "\u0301", "\u200b", "\ufe0f",
      "%c0%ae", "%u0000", "//", "/./", "/new", "/FlexFlows", "/Participants", "%2fedit", "~", "^", "=", ",", "!", "(", "[0]")),
    *(f"{head}{GOOD}" for head in ("/", "//", "./", "../", "%2e%2e%2f", " ", "\n", "%20", "%0a", "\x00", "%00", "?", "%3f", "#", "%23",
      "@", "a@", "http://", "FO", "x", "'", '"', "<", "\\", "%5c", "~", ";", "*", "..%2f", "%2f", "new/", "plans/", "-", "+")),
    *(GOOD[:place] + bad + GOOD[place + 1 :] for place, bad in itertools.product((0, 2, 17, 33), ("\n", "/", "é", "٠", "%", "\\", "ⓐ", "O", "?"))),
]  # fmt: skip
SID_PLACES = [
    name
    for name in URL_NAMES
    if name in {"flows:detail", "flows:code", "flows:edit", "flows:enabled", "flows:delete"}
]
NAMES_OF_NEXT = (
    "next",
    "url",
    "return_to",
    "redirect",
    "redirect_to",
    "continue",
    "query",
    "goto",
    "REDIRECT_FIELD_NAME",
)
ELSEWHERE = [
    "//evil.example", "//evil.example/flows/", "///evil.example", "////evil.example", "https://evil.example", "http:evil.example",
    "https:/evil.example", "http:///evil.example", "\\\\evil.example", "/\\evil.example", "/\t/evil.example", "\t//evil.example",
    "/\n/evil.example", " //evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x",
    "//testserver@evil.example", "https://testserver.evil.example/", "https://testserver@evil.example/", "//evil。example",
    "%2f%2fevil.example", "/%2f/evil.example", "..//evil.example", "http://[::1", "ftp://evil.example", "/\x00/evil.example",
    "\u2028//evil.example", "https://evil.example:443\\@testserver/",
]  # fmt: skip


def is_sid(text):
    return flex_flow.is_sid("FO", text)


@pytest.mark.quick
def test_there_are_200_hostile_sids_and_none_is_a_sid():
    assert len(set(HOSTILE_SIDS)) >= 200
    assert [text for text in HOSTILE_SIDS if is_sid(text)] == []


@pytest.mark.quick
def test_sid_places_are_all_that_take_one():
    taking = set()
    for name in URL_NAMES:
        try:
            reverse(name, kwargs={"sid": GOOD})
        except NoReverseMatch:
            continue
        taking.add(name)
    assert taking == set(SID_PLACES)


@pytest.mark.parametrize("name", SID_PLACES)
def test_only_a_sid_reaches_the_api_from_a_page(world: SampleSite, name):
    client, wrong = world.client("admin"), {}
    place, _ = world.call(name)
    mine = len(world.sandbox.requests)

    # All of them on the page that asks the API at once; the others share its pattern of an address.
    for text in HOSTILE_SIDS if name == "flows:edit" else HOSTILE_SIDS[::7]:
        # As it stands where an address can hold it, and encoded.
        for written in {
            quote(text, safe="%/?#&=;:@+,!'()*~$[]\\|^`<>{}\"").replace(" ", "%20"),
            quote(text, safe=""),
        }:
            path = place.replace(world.sid, written)
            for method in ("GET", "POST"):
                status = client.generic(method, path).status_code
                if status >= 500:
                    wrong[method, path[:80]] = status

    asked = {request.path for request in world.sandbox.requests[mine:]}
    assert wrong == {}
    assert {path for path in asked if not is_sid(path.removeprefix("/v1/FlexFlows/"))} == set()
    assert len(world.writes()) == 0


def test_only_a_sid_reaches_the_api_from_a_service(sandbox, db):
    verbs = {
        "fetch": lambda sid: mirror.fetch(sid),
        "update": lambda sid: flow_changes.update_flow(
            sid=sid, base=None, values={"friendly_name": "x"}, **change_arguments()
        ),
        "switch": lambda sid: flow_changes.set_enabled(
            sid=sid, enabled=False, **change_arguments()
        ),
        "delete": lambda sid: flow_changes.delete_flow(sid=sid, base={}, **change_arguments()),
    }

    for text in HOSTILE_SIDS:
        for call in verbs.values():
            with pytest.raises(ValueError, match="SID"):
                call(text)

    assert sandbox.requests == []


def test_only_a_sid_reaches_the_api_from_a_form_or_a_query(world: SampleSite):
    client, mine = world.client("admin"), len(world.sandbox.requests)

    for text in HOSTILE_SIDS:
        for method, name, data in (  # what takes a SID in another place than the address
            ("GET", "flows:new", {"clone": text, "restore": text, "undo": text}),
            ("GET", "flows:list", {"q": text, "go": "1"}),
            (
                "GET",
                "audit:list",
                {"sid": text, "q": text, "plan": text, "before": text, "from": text},
            ),
            ("POST", "flows:plan-new", {"sid": text, "sids": text, "kind": "delete"}),
            ("POST", "flows:copy-out", {"sid": text, "sids": text}),
            (
                "POST",
                "flows:plan-import",
                {"entries": f'[{{"sid": {json.dumps(text)}, "friendly_name": "x"}}]'},
            ),
        ):
            assert send_form(client, method, reverse(name), data).status_code < 500, (
                name,
                text[:60],
            )

    asked = {
        request.path.removeprefix("/v1/FlexFlows") for request in world.sandbox.requests[mine:]
    }
    assert asked <= {f"/{text}" for text in _picked_out()}
    assert all(is_sid(text) for plan in Plan.objects.all() for text in _targets(plan))
    assert len(world.writes()) == 0


def _picked_out():
    """A list of SIDs that is separated by white space has SIDs in it."""
    return {part for text in HOSTILE_SIDS for part in text.split() if is_sid(part)}


def _targets(plan):
    return [sid for sid in plan.changes.values_list("target_sid", flat=True) if sid]


def leads_away(response):
    """Where an answer leads, as a browser reads it, if that is not on this site."""
    to = response.get("Location") or response.get("HX-Redirect") or "/"
    read = re.sub(r"[\t\r\n]", "", to).strip("".join(map(chr, range(33)))).replace("\\", "/")
    read = re.sub(r"^(https?):/*", r"\1://", read, flags=re.IGNORECASE)
    read = "//" + read.lstrip("/") if read.startswith("//") else read
    there = urlsplit(urljoin("http://testserver/here/", read))
    return "" if (there.scheme, there.netloc) == ("http", "testserver") else to


@pytest.mark.parametrize("who", ["anonymous", "admin"])
def test_no_place_leads_off_the_site(world: SampleSite, who):
    client, led = world.client(who), {}
    calls = {name: world.call(name, who) for name in URL_NAMES}
    for name, (url, data) in calls.items():
        for elsewhere in ELSEWHERE if client.get(url).status_code == 302 else ELSEWHERE[:1]:
            fields = dict.fromkeys(NAMES_OF_NEXT, elsewhere)
            answers = [client.get(url, fields)]
            if name in ("flows:copy-out", "flows:plan-new", "flows:view-save", "flows:sync"):
                answers.append(client.post(url, {**fields, "kind": "enable"}))
            elsewhere_from = client.post(
                url, data if who == "anonymous" else {}, headers={"Referer": elsewhere.strip()}
            )
            led[name, elsewhere] = [
                to for answer in [*answers, elsewhere_from] if (to := leads_away(answer))
            ]
    assert {call: to for call, to in led.items() if to} == {}


@pytest.mark.quick
@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_sign_in_leads_nowhere_else(world: SampleSite, elsewhere):
    address = resolve_url(settings.LOGIN_URL)
    signs_in = {"username": "admin", "login": "admin", "password": "admin-password"}

    by_query = world.client("anonymous").post(
        f"{address}?{urlencode({'next': elsewhere})}", signs_in
    )
    by_form = world.client("anonymous").post(address, {**signs_in, "next": elsewhere})
    again = world.client("admin").get(address, {"next": elsewhere})

    assert [leads_away(answer) for answer in (by_query, by_form, again)] == ["", "", ""]


@pytest.mark.quick
@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "evil.example:80", "testserver@evil.example",
    "testserver, evil.example", "evil.example#testserver", "[::1", "", "testserver:80:90", "testserver/x"])  # fmt: skip
def test_other_host_is_refused(world: SampleSite, host):
    answers = [
        world.client("admin").get(world.call(name)[0], headers={"Host": host})
        for name in URL_NAMES[:6]
    ]

    assert {answer.status_code for answer in answers} <= {400} or not host
    assert all(host not in answer.content.decode() for answer in answers if host)


def test_forwarded_headers_make_no_address_and_no_person(world: SampleSite):
    spoofed = {
        "X-Forwarded-Host": "evil.example", "X-Host": "evil.example", "Forwarded": "host=evil.example;for=6.6.6.6",
        "X-Forwarded-Server": "evil.example", "X-Original-URL": "/audit/export/", "X-Rewrite-URL": "/audit/export/",
        "X-HTTP-Method-Override": "DELETE", "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Prefix": "//evil.example",
        "Remote-User": "admin", "X-Remote-User": "admin", "X-Forwarded-User": "admin",
    }  # fmt: skip
    for name in URL_NAMES:
        for who in ("anonymous", "viewer"):
            for method in ("GET", "POST"):
                url, data = world.call(name, who)
                plain = send_form(world.client(who), method, url, data)
                response = send_form(
                    world.client(who),
                    method,
                    world.call(name, who)[0],
                    world.call(name, who)[1],
                    headers=spoofed,
                )
                assert b"evil.example" not in read_body(response), name
                assert "evil.example" not in str(response.headers), name
                assert requires_sign_in(response) == requires_sign_in(plain), name
                assert (response.status_code in (403, 405)) == (plain.status_code in (403, 405)), (
                    name
                )
    assert not AuditEvent.objects.filter(source_ip="6.6.6.6").exists()
    assert not AuditEvent.objects.filter(actor_label="admin", stage="access").exists()
