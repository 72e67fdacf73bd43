"""Addresses and SIDs in requests can't reach other API paths, lead off the site or fake a host."""

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
from flows.twilio.flex.flex_flow import FLEX_FLOW
from tests import ACCOUNT
from tests.faults.acting import change_arguments
from tests.security.markup import read_body
from tests.security.places import URL_NAMES, SampleSite, requires_sign_in, send_form

pytestmark = pytest.mark.django_db
VALID_SID = "FO" + "0123456789abcdef" * 2
_HEX = VALID_SID[2:]
HOSTILE_SIDS = [
    "", "FO", "FO" + _HEX[:-1], VALID_SID + "0", VALID_SID * 2, "FO" + "g" * 32, "fo" + _HEX, "Fo" + _HEX, "F0" + _HEX, "FW" + _HEX,
    "AC" + _HEX, "FO" + "０" * 32, "FO" + "٣" * 32, "FO" + "𝟘" * 32, "ＦＯ" + _HEX, "FО" + _HEX, "F\u200bO" + _HEX,
    "FO" + "²" * 32, "FO" + "-" * 32, "FO" + "+1" * 16, "FO" + "0x" * 16, "FO" + " " * 32, "FO" + "\u0661" + _HEX[1:],
    "..", ".", "../", "..;/", "....//", "../../Accounts", "%2e%2e", "%2e%2e%2f", "%252e%252e%252f", "..%c0%af", "..\\",
    "%00", "\x00", "null", "undefined", "None", "NaN", "-1", "0", "*", "%", "_", "[]", "{}", "{sid}", "${jndi:ldap://x}",
    "' OR '1'='1", "'; DROP TABLE flows_flow; --", "<script>", "javascript:1", "//evil.example", "https://evil.example/",
    "new%0d%0aHost:evil.example", "FlexFlows", "@evil.example", ":80", "~", "\ufeff" + VALID_SID, "\u202e" + VALID_SID, "new", "plans", str(uuid.UUID(int=1)), VALID_SID.encode().hex(), "FO" + "\U0001f600" * 8, "A" * 5000, "FO" + "0" * 5000, "FO" + "0" * 31 + "O",
    *(f"{VALID_SID}{tail}" for tail in ("/..", "/../..", "%2f..", "%2F", "%5c", "\\", ";x", "%3b", "%3f", "?x=1", "%3Fx=1", "#x", "%23",
      "&x=1", "%26", "%0a", "\n", "%0d%0a", "\r\nX: y", "%00", "\x00", "%20", " ", "\t", "\x0b", "\u2028", "\u0085", "\u00a0",
      ".json", ".", "..", "%2e", "*", "%25", "+", "@x", ":1", "'", '"', "`", "<", "|id", "$(id)", "\u0301", "\u200b", "\ufe0f",
      "%c0%ae", "%u0000", "//", "/./", "/new", "/FlexFlows", "/Participants", "%2fedit", "~", "^", "=", ",", "!", "(", "[0]")),
    *(f"{head}{VALID_SID}" for head in ("/", "//", "./", "../", "%2e%2e%2f", " ", "\n", "%20", "%0a", "\x00", "%00", "?", "%3f", "#", "%23",
      "@", "a@", "http://", "FO", "x", "'", '"', "<", "\\", "%5c", "~", ";", "*", "..%2f", "%2f", "new/", "plans/", "-", "+")),
    *(VALID_SID[:place] + bad + VALID_SID[place + 1 :] for place, bad in itertools.product((0, 2, 17, 33), ("\n", "/", "é", "٠", "%", "\\", "ⓐ", "O", "?"))),
]  # fmt: skip
SID_PLACES = [
    name
    for name in URL_NAMES
    if name
    in {
        "flows:detail",
        "flows:details",
        "flows:code",
        "flows:usage",
        "flows:edit",
        "flows:enabled",
        "flows:delete",
        "flows:schedule-edit",
        "flows:schedule-enabled",
        "flows:webhook",
        "flows:webhook-test",
        "flows:history-flow",
        "migration:close",
        "migration:delete",
        "migration:flow",
        "migration:resume",
        "migration:rollback",
        "migration:steps",
        "migration:stop",
        "migration:verify",
    }
]
REDIRECT_PARAMETERS = (
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
EXTERNAL_ADDRESSES = [
    "//evil.example", "//evil.example/flows/", "///evil.example", "////evil.example", "https://evil.example", "http:evil.example",
    "https:/evil.example", "http:///evil.example", "\\\\evil.example", "/\\evil.example", "/\t/evil.example", "\t//evil.example",
    "/\n/evil.example", " //evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x",
    "//testserver@evil.example", "https://testserver.evil.example/", "https://testserver@evil.example/", "//evil。example",
    "%2f%2fevil.example", "/%2f/evil.example", "..//evil.example", "http://[::1", "ftp://evil.example", "/\x00/evil.example",
    "\u2028//evil.example", "https://evil.example:443\\@testserver/",
]  # fmt: skip


def is_sid(text):
    return FLEX_FLOW.is_sid(text)


@pytest.mark.quick
def test_at_least_200_hostile_sids_and_none_is_valid():
    assert len(set(HOSTILE_SIDS)) >= 200
    assert [text for text in HOSTILE_SIDS if is_sid(text)] == []


@pytest.mark.quick
def test_every_url_with_a_sid_is_tested():
    names_with_sid = set()
    for name in URL_NAMES:
        if name.startswith("api:"):  # its SIDs are in tests/flows/api/test_flow_reads.py
            continue
        try:
            reverse(name, kwargs={"sid": VALID_SID})
        except NoReverseMatch:
            continue
        names_with_sid.add(name)
    assert names_with_sid == set(SID_PLACES)


@pytest.mark.parametrize("name", SID_PLACES)
def test_only_a_sid_reaches_the_api_from_a_page(site: SampleSite, name):
    client, server_errors = site.client("admin"), {}
    place, _ = site.call(name)
    previous_count = len(site.sandbox.requests)

    # The edit page requests the API at once and gets all of them. The others share its URL pattern.
    for text in HOSTILE_SIDS if name == "flows:edit" else HOSTILE_SIDS[::7]:
        # Unencoded where an address can contain it, and encoded.
        for spelling in {
            quote(text, safe="%/?#&=;:@+,!'()*~$[]\\|^`<>{}\"").replace(" ", "%20"),
            quote(text, safe=""),
        }:
            path = place.replace(site.sid, spelling)
            for method in ("GET", "POST"):
                status = client.generic(method, path).status_code
                if status >= 500:
                    server_errors[method, path[:80]] = status

    requested_paths = {request.path for request in site.sandbox.requests[previous_count:]}
    assert server_errors == {}
    assert {
        path for path in requested_paths if not is_sid(path.removeprefix("/v1/FlexFlows/"))
    } == set()
    assert len(site.writes()) == 0


def test_only_a_sid_reaches_the_api_from_a_service(sandbox, db):
    verbs = {
        "fetch": lambda sid: mirror.fetch(sid, account_sid=ACCOUNT),
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


def test_only_a_sid_reaches_the_api_from_a_form_or_a_query(site: SampleSite):
    client, previous_count = site.client("admin"), len(site.sandbox.requests)

    for index, text in enumerate(HOSTILE_SIDS):
        calls = (  # SIDs in parameters and form fields
            ("GET", "flows:new", {"clone": text, "restore": text, "undo": text}),
            ("GET", "flows:list", {"q": text, "go": "1"}),
            ("GET", "flows:history", {"q": text, "at": text, "account": text, "page": text}),
            ("GET", "flows:history-compare", {"compare": "flows", "left": text, "at": text}),
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
        )
        # Similar texts are neighbours, so each place gets some of every sort.
        for method, name, data in calls[index % 2 :: 2]:
            assert send_form(client, method, reverse(name), data).status_code < 500, (
                name,
                text[:60],
            )

    requested_paths = {
        request.path.removeprefix("/v1/FlexFlows")
        for request in site.sandbox.requests[previous_count:]
    }
    # The form of a new flow reads the defaults of the account.
    own_paths = {"/v1/Configuration"}
    assert requested_paths - own_paths <= {f"/{text}" for text in _sids_in_hostile_lists()}
    assert all(is_sid(text) for plan in Plan.objects.all() for text in _targets(plan))
    assert len(site.writes()) == 0


def _sids_in_hostile_lists():
    """Return the valid SIDs in hostile values, which are read as lists separated by white space."""
    return {part for text in HOSTILE_SIDS for part in text.split() if is_sid(part)}


def _targets(plan):
    return [sid for sid in plan.changes.values_list("target_sid", flat=True) if sid]


def external_target(response):
    """Return the target of a redirect as a browser reads it, or "" if it is on this site."""
    target = response.get("Location") or response.get("HX-Redirect") or "/"
    address = re.sub(r"[\t\r\n]", "", target).strip("".join(map(chr, range(33)))).replace("\\", "/")
    address = re.sub(r"^(https?):/*", r"\1://", address, flags=re.IGNORECASE)
    address = "//" + address.lstrip("/") if address.startswith("//") else address
    destination = urlsplit(urljoin("http://testserver/here/", address))
    return "" if (destination.scheme, destination.netloc) == ("http", "testserver") else target


@pytest.mark.parametrize("who", ["anonymous", "admin"])
def test_no_url_redirects_off_the_site(site: SampleSite, who):
    client, targets = site.client(who), {}
    calls = {name: site.call(name, who) for name in URL_NAMES}
    for name, (url, data) in calls.items():
        for external_address in (
            EXTERNAL_ADDRESSES if client.get(url).status_code == 302 else EXTERNAL_ADDRESSES[:1]
        ):
            fields = dict.fromkeys(REDIRECT_PARAMETERS, external_address)
            responses = [client.get(url, fields)]
            if name in ("flows:copy-out", "flows:plan-new", "flows:view-save", "flows:sync"):
                responses.append(client.post(url, {**fields, "kind": "enable"}))
            elsewhere_from = client.post(
                url,
                data if who == "anonymous" else {},
                headers={"Referer": external_address.strip()},
            )
            targets[name, external_address] = [
                target
                for response in [*responses, elsewhere_from]
                if (target := external_target(response))
            ]
    assert {call: target for call, target in targets.items() if target} == {}


@pytest.mark.quick
@pytest.mark.parametrize("external_address", EXTERNAL_ADDRESSES)
def test_sign_in_does_not_redirect_off_the_site(site: SampleSite, external_address):
    address = resolve_url(settings.LOGIN_URL)
    credentials = {"username": "admin", "login": "admin", "password": "admin-password"}

    by_query = site.client("anonymous").post(
        f"{address}?{urlencode({'next': external_address})}", credentials
    )
    by_form = site.client("anonymous").post(address, {**credentials, "next": external_address})
    signed_in = site.client("admin").get(address, {"next": external_address})

    assert [external_target(response) for response in (by_query, by_form, signed_in)] == [
        "",
        "",
        "",
    ]


@pytest.mark.quick
@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "evil.example:80", "testserver@evil.example",
    "testserver, evil.example", "evil.example#testserver", "[::1", "", "testserver:80:90", "testserver/x"])  # fmt: skip
def test_other_host_is_refused(site: SampleSite, host):
    responses = [
        site.client("admin").get(site.call(name)[0], headers={"Host": host})
        for name in URL_NAMES[:6]
    ]

    assert {response.status_code for response in responses} <= {400} or not host
    assert all(host not in response.content.decode() for response in responses if host)


def test_forwarded_headers_set_neither_address_nor_user(site: SampleSite):
    spoofed = {
        "X-Forwarded-Host": "evil.example", "X-Host": "evil.example", "Forwarded": "host=evil.example;for=6.6.6.6",
        "X-Forwarded-Server": "evil.example", "X-Original-URL": "/audit/export/", "X-Rewrite-URL": "/audit/export/",
        "X-HTTP-Method-Override": "DELETE", "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Prefix": "//evil.example",
        "Remote-User": "admin", "X-Remote-User": "admin", "X-Forwarded-User": "admin",
    }  # fmt: skip
    for name in URL_NAMES:
        for who in ("anonymous", "viewer"):
            for method in ("GET", "POST"):
                url, data = site.call(name, who)
                plain = send_form(site.client(who), method, url, data)
                response = send_form(
                    site.client(who),
                    method,
                    site.call(name, who)[0],
                    site.call(name, who)[1],
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
