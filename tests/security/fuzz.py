"""Fuzzing of the site and the sandbox's API: `python -m tests.security.fuzz [--minutes M] [--seed N]`.

It sends random requests and reports responses with status 500 and exceptions. The exit status is 1
if there are any. The same seed sends the same requests. The tests run a short form.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import functools
import http.client
import json
import logging
import random
import sys
import time
import traceback
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from unittest import mock
from urllib.parse import quote, quote_from_bytes, urlsplit

from rich.console import Console

import tests.faults.ready  # noqa: F401 - Django comes first
from tests import ACCOUNT

# isort: split
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client

from flexadmin.users.roles import ensure_groups
from flows.accounts import clients
from flows.audit import verification
from flows.audit.models import AuditEvent
from flows.mirror.sync import SyncBusy, sync_account
from flows.twilio.errors import FlexError
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.server import Sandbox
from tests.faults.databases import temporary_databases, use_database
from tests.patience import HANG_TIMEOUT
from tests.security.hostile import HOSTILE_VALUES, WRONG_TYPES, make_hostile_flow
from tests.security.markup import read_body
from tests.security.places import ACCESS, ALLOWED_USERS, METHODS, URL_NAMES, USERS, SampleSite

PARAMETERS = ("q", "channel", "integration", "enabled", "account", "sort", "page", "go", "actor", "action", "result", "sid",
    "sids", "from", "to", "before", "plan", "after", "format", "what", "state", "restore", "undo", "clone", "next", "kind",
    "value", "query", "all", "entries", "head", "act", "confirm", "confirm_name", "reason", "change_id", "base", "refers_to",
    "update_fields", "edit_again", "review", "verdict", "seen", "typed", "name", "username", "password",
    *(entry.name for entry in FLEX_FLOW.writable_fields), *(f"pick_{entry.name}" for entry in FLEX_FLOW.writable_fields))  # fmt: skip
CONTENT_TYPES = ("application/x-www-form-urlencoded", "application/json", "text/plain", "multipart/form-data; boundary=b",
    "multipart/form-data", "application/x-www-form-urlencoded; charset=utf-16", "application/xml", "", "x/y; charset=\xff")  # fmt: skip
SHORT_VALUES = [value for value in HOSTILE_VALUES.values() if len(value) < 1000]
NUMBERS = (
    "0",
    "-1",
    "1",
    "2147483648",
    "9223372036854775808",
    "1e309",
    "NaN",
    "٣",
    "0x1f",
    "1_000",
    "00",
    "+1",
    "1.0",
    "9" * 400,
)
DATES = (
    "2026-02-30",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "2026-W01-1",
    "20260101",
    "2026-01-01T00:00:00+99:99",
)
HEADERS: dict[str, tuple[str, ...]] = {
    "HX-Request": ("true", "false", "\xff"), "HX-Target": ("results", "<b>"), "HX-Trigger": ("x",), "HX-Boosted": ("true",),
    "HX-Current-URL": ("http://testserver/flows/", "http://[::1", "%ff", "//x", "http://testserver/flows/?q=%ff"),
    "HX-Current-URL-URI-AutoEncoded": ("true", "x"), "HX-History-Restore-Request": ("true",), "HX-Prompt": ("%ff",),
    "Referer": ("http://[", "http://testserver/flows/", "%00", "javascript:1"), "Origin": ("null", "http://[", "http://testserver"),
    "User-Agent": ("x" * 5000, "\xff\xfe", ""), "Accept": ("application/json", "*/*;q=x", ""), "Accept-Encoding": ("gzip", "gzip;q=0", "\xff"),
    "Accept-Language": ("xx-" * 200, "*"), "Cookie": ("a", "sessionid=" + "x" * 3000, "messages=[[", 'a=\xff; b="', "csrftoken=x"),
    "Sec-Fetch-Site": ("same-origin", "cross-site", "x"), "If-Modified-Since": ("x", "Thu, 99 Jan 1970 00:00:00 GMT"), "If-None-Match": ('"x', "*"),
    "Range": ("bytes=0-", "bytes=x"), "Content-Length": ("0", "-1", "x", "99999999", ""), "Authorization": ("Basic x", "Bearer \xff"),
    "X-Forwarded-For": ("x", "::1", "1.2.3.4, 5"), "X-Forwarded-Proto": ("https", "x"), "X-Request-Id": ("x" * 300, "\xff"), "Host": ("testserver", "x"),
}  # fmt: skip


@dataclass
class Fuzzer:
    """Sender of random requests. `statuses` counts the responses, `failures` describes the errors."""

    site: SampleSite
    rng: random.Random
    statuses: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def text(self) -> str:
        rng = self.rng
        makers: list[Callable[[], str]] = [
            lambda: rng.choice(SHORT_VALUES),
            lambda: rng.choice(NUMBERS),
            lambda: rng.choice(DATES),
            lambda: "".join(chr(rng.randrange(0x110000)) for _ in range(rng.randrange(12))),
            lambda: "".join(chr(rng.randrange(128)) for _ in range(rng.randrange(40))),
            lambda: str(uuid.UUID(int=rng.getrandbits(128))),
            lambda: rng.choice(list(self.site.sandbox.flows) or ["FO"]),
            lambda: f"FO{rng.getrandbits(128):032x}",
            lambda: rng.choice(("true", "false", "", "all", "csv", "json", "ndjson", "studio", "task", "external", "delete", "[]", "{}")),
            lambda: str(AuditEvent.objects.order_by("?").values_list("event_id", flat=True).first()),
            lambda: json.dumps(rng.choice([*WRONG_TYPES.values(), {"flows": [{"sid": self.site.sid, "friendly_name": WRONG_TYPES["deep"]}]}]), default=str),
            lambda: "x" * rng.choice((200, 201, 256, 257, 2049, 70_000)),
        ]  # fmt: skip
        return rng.choice(makers)()

    def fields(self, good: dict[str, Any]) -> dict[str, Any]:
        """Return valid form data with random fields changed, omitted or added."""
        fields = {name: value for name, value in good.items() if self.rng.random() < 0.85}
        # A page reads few of all parameters, so many are needed to hit some of them.
        more = self.rng.choice((0, 1, 2, 4, 40))
        for name in self.rng.choices([*PARAMETERS, *good], k=more):
            fields[name] = self.text()
        return fields

    def body(self, good: dict[str, Any]) -> tuple[bytes, str]:
        kind = self.rng.choice(CONTENT_TYPES) if self.rng.random() < 0.25 else CONTENT_TYPES[0]
        fields = self.fields(good)
        if "json" in kind:
            return json.dumps(fields, default=str).encode(), kind
        if "multipart" in kind:
            parts = [f'--b\r\nContent-Disposition: form-data; name="{name}"{self.rng.choice(("", "; filename=x"))}\r\n\r\n{value}\r\n'
                for name, value in fields.items()]  # fmt: skip
            return ("".join(parts) + "--b--\r\n").encode("utf-8", "surrogatepass"), kind
        body = "&".join(
            f"{_quote(name)}={_quote(value)}" for name, value in fields.items()
        ).encode()
        if self.rng.random() < 0.05:
            body += bytes(self.rng.randrange(256) for _ in range(20))
        return body, kind

    def page(self) -> None:
        """Send one request to the site, as a random user, with mostly valid data."""
        name, method = self.rng.choice(URL_NAMES), self.rng.choice(METHODS)
        who = self.rng.choice(USERS)
        methods = list(ACCESS[name])  # none for a call of the API, which takes a token
        if methods and self.rng.random() < 0.8:  # mostly a user with access
            method = self.rng.choice(methods)
            who = self.rng.choice(ALLOWED_USERS[ACCESS[name][method]] or USERS)
        url, good = self.site.call(name, who)
        if self.rng.random() < 0.1:
            parts = url.split("/")
            parts[self.rng.randrange(len(parts))] = quote(
                self.text().encode("utf-8", "replace"), safe=""
            )
            url = "/" + "/".join(parts).lstrip("/")
        if self.rng.random() < 0.8:
            url += "?" + "&".join(
                f"{_quote(key)}={_quote(value)}" for key, value in self.fields(good).items()
            )
        body, kind = self.body(good) if method not in ("GET", "HEAD") else (b"", CONTENT_TYPES[0])
        headers = {
            name: self.rng.choice(HEADERS[name])
            for name in self.rng.sample(list(HEADERS), self.rng.randrange(4))
        }
        meta = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        if "HTTP_CONTENT_LENGTH" in meta:
            meta["CONTENT_LENGTH"] = meta.pop("HTTP_CONTENT_LENGTH")
        client = self.site.client(who, enforce_csrf_checks=self.rng.random() < 0.05)
        if "HTTP_COOKIE" in meta and self.rng.random() < 0.5:
            client = Client()
        what = f"{method} {url[:300]} as {who} {headers} {kind} {body[:300]!r}"
        self._record(
            f"page {name}",
            what,
            lambda: _read_status(client.generic(method, url, body, content_type=kind, **meta)),
        )

    def sync_odd_flow(self) -> None:
        """Sync a flow with random values from Twilio, and open its pages."""
        hostile = [kind for kind in (*HOSTILE_VALUES, *WRONG_TYPES) if kind != "long"]
        whole = make_hostile_flow(self.rng.choice(hostile))
        odd = {
            name: self.rng.choice([value, self.text(), *WRONG_TYPES.values()])
            for name, value in whole.items()
        }
        some = {name: value for name, value in odd.items() if self.rng.random() < 0.5}
        sid = self.rng.choice(list(self.site.sandbox.flows) or [self.site.sid])
        if sid not in self.site.sandbox.flows:
            return

        def open_pages() -> int:
            self.site.sandbox.edit_flow(sid, **some)
            sync_account(ACCOUNT)
            client = self.site.client("admin")
            return max(
                _read_status(client.get(f"/flows/{sid}/{part}"))
                for part in ("", "edit/", "code/", "enabled/", "delete/")
            )

        self._record("flow at Twilio", f"{sid} {some!r:.600}", open_pages)

    def api(self) -> None:
        """Send one request to the sandbox's API."""
        rng, sandbox = self.rng, self.site.sandbox
        address = urlsplit(sandbox.url)
        sid = rng.choice([*sandbox.flows, "FOx", "..", _quote(self.text())])
        path = rng.choice(
            [
                "/FlexFlows",
                f"/FlexFlows/{sid}",
                f"/FlexFlows/{sid}/x",
                "/",
                f"/{_quote(self.text())}",
            ]
        )
        wires = [
            *FLEX_FLOW.by_wire_name,
            "PageSize",
            "Page",
            "PageToken",
            _quote(self.text()),
        ]
        body = "&".join(
            f"{name}={_quote(self.text())}" for name in rng.sample(wires, rng.randrange(8))
        )
        query = "?" + body if rng.random() < 0.4 else ""
        method = rng.choice(["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"])
        key = base64.b64encode(f"{sandbox.api_key}:{sandbox.api_secret}".encode()).decode()
        headers = {"Authorization": f"Basic {key}" if rng.random() < 0.9 else rng.choice(["Basic", "Basic ===", "Bearer x", ""]),
                   "Content-Type": rng.choice(CONTENT_TYPES[:4])}  # fmt: skip

        def send_request() -> int:
            line = http.client.HTTPConnection(
                address.hostname or "", address.port, timeout=HANG_TIMEOUT
            )
            try:
                # A request that is too long is answered before all of it has been sent.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    line.request(method, address.path + path + query, body.encode(), headers)
                response = line.getresponse()
                response.read()
                return response.status
            finally:
                line.close()

        self._record("API", f"{method} {path}{query} {headers} {body[:300]}", send_request)

    def _record(self, where: str, what: str, send: Callable[[], int]) -> None:
        try:
            status = send()
        except (FlexError, SyncBusy):
            status = 0  # an unreadable flow is a valid result
        except Exception:  # noqa: BLE001 - exceptions are the findings
            self.failures.append(f"{where}: {what}\n{traceback.format_exc()[-1500:]}")
            return
        self.statuses[f"{where.split()[0]} {status}"] += 1
        if status == 500:
            self.failures.append(f"{where}: 500 for {what}")

    def send_requests(self, times: int) -> None:
        """Send random requests, most of them to pages."""
        for _ in range(times):
            self.rng.choices([self.page, self.sync_odd_flow, self.api], [16, 1, 4])[0]()


def _quote(value: Any) -> str:
    return quote_from_bytes(str(value).encode("utf-8", "surrogatepass"), safe="")


def _read_status(response: Any) -> int:
    read_body(response)
    return int(response.status_code)


def _make_user(role: str) -> User:
    user = User.objects.create_user(role, password=f"{role}-password")
    user.groups.set([Group.objects.get(name=role)])
    return user


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.security.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)  # the faults are deliberate
    with temporary_databases(1) as (name,):
        use_database(name)
        ensure_groups()
        patient = functools.partial(clients.ResourceClient, sleep=lambda _seconds: None)
        with Sandbox() as sandbox, mock.patch.object(clients, "ResourceClient", patient):
            settings.FLEX_API_URL, settings.TWILIO_API_URL = sandbox.url, sandbox.api_url
            fuzzer = Fuzzer(SampleSite(sandbox, _make_user).populate(), random.Random(options.seed))
            until = time.monotonic() + options.minutes * 60
            while time.monotonic() < until:
                fuzzer.send_requests(50)
            result = verification.verify()
    print_line = Console(highlight=False, markup=False, soft_wrap=True).print
    for response, times in sorted(fuzzer.statuses.items()):
        print_line(f"{times:7,} {response}")
    print_line(
        f"{sum(fuzzer.statuses.values()):7,} requests, {len(fuzzer.failures)} broke something. The log: {result}"
    )
    print_line("\n\n".join(fuzzer.failures[:20]))
    return 1 if fuzzer.failures or result.bad_seq is not None else 0


if __name__ == "__main__":
    sys.exit(main())
