"""`python -m tests.armour.fuzz [--minutes M] [--seed N]`: asks every place of the site, and the sandbox's API, for what
nobody thought of, and says what broke: an answer of 500, or an exception. Exit status 1 if anything did. The tests run
a short form. A seed plays the same requests again.
"""

from __future__ import annotations

import argparse
import base64
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
from flows.mirror import mirror
from flows.twilio.errors import FlexError
from flows.twilio.flex import flex_flow
from flows.twilio.sandbox.server import Sandbox
from tests.armour.hostile import HOSTILE_VALUES, WRONG_TYPES, make_hostile_flow
from tests.armour.markup import read_body
from tests.armour.places import ACCESS, ALLOWED_USERS, METHODS, URL_NAMES, USERS, SampleSite
from tests.faults.databases import temporary_databases, use_database

PARAMETERS = ("q", "channel", "integration", "enabled", "account", "sort", "page", "go", "actor", "action", "result", "sid",
    "sids", "from", "to", "before", "plan", "after", "format", "what", "state", "restore", "undo", "clone", "next", "kind",
    "value", "query", "all", "entries", "head", "act", "confirm", "confirm_name", "reason", "change_id", "base", "refers_to",
    "update_fields", "edit_again", "review", "verdict", "seen", "typed", "name", "username", "password",
    *(entry.name for entry in flex_flow.WRITABLE_FIELDS), *(f"pick_{entry.name}" for entry in flex_flow.WRITABLE_FIELDS))  # fmt: skip
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
    """Makes one request after the other. `answers` counts what came, by where and status; `broken` is what must not be."""

    world: SampleSite
    chance: random.Random
    answers: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def text(self) -> str:
        chance = self.chance
        makers: list[Callable[[], str]] = [
            lambda: chance.choice(SHORT_VALUES),
            lambda: chance.choice(NUMBERS),
            lambda: chance.choice(DATES),
            lambda: "".join(chr(chance.randrange(0x110000)) for _ in range(chance.randrange(12))),
            lambda: "".join(chr(chance.randrange(128)) for _ in range(chance.randrange(40))),
            lambda: str(uuid.UUID(int=chance.getrandbits(128))),
            lambda: chance.choice(list(self.world.sandbox.flows) or ["FO"]),
            lambda: f"FO{chance.getrandbits(128):032x}",
            lambda: chance.choice(("true", "false", "", "all", "csv", "json", "ndjson", "studio", "task", "external", "delete", "[]", "{}")),
            lambda: str(AuditEvent.objects.order_by("?").values_list("event_id", flat=True).first()),
            lambda: json.dumps(chance.choice([*WRONG_TYPES.values(), {"flows": [{"sid": self.world.sid, "friendly_name": WRONG_TYPES["deep"]}]}]), default=str),
            lambda: "x" * chance.choice((200, 201, 256, 257, 2049, 70_000)),
        ]  # fmt: skip
        return chance.choice(makers)()

    def fields(self, good: dict[str, Any]) -> dict[str, Any]:
        """A form that would do, with some of it changed, left out or added."""
        fields = {name: value for name, value in good.items() if self.chance.random() < 0.85}
        more = self.chance.choice(
            (0, 1, 2, 4, 40)
        )  # a place takes few of all: so many meet those that it takes
        for name in self.chance.choices([*PARAMETERS, *good], k=more):
            fields[name] = self.text()
        return fields

    def body(self, good: dict[str, Any]) -> tuple[bytes, str]:
        kind = (
            self.chance.choice(CONTENT_TYPES) if self.chance.random() < 0.25 else CONTENT_TYPES[0]
        )
        fields = self.fields(good)
        if "json" in kind:
            return json.dumps(fields, default=str).encode(), kind
        if "multipart" in kind:
            parts = [f'--b\r\nContent-Disposition: form-data; name="{name}"{self.chance.choice(("", "; filename=x"))}\r\n\r\n{value}\r\n'
                for name, value in fields.items()]  # fmt: skip
            return ("".join(parts) + "--b--\r\n").encode("utf-8", "surrogatepass"), kind
        body = "&".join(
            f"{_quote(name)}={_quote(value)}" for name, value in fields.items()
        ).encode()
        if self.chance.random() < 0.05:
            body += bytes(self.chance.randrange(256) for _ in range(20))
        return body, kind

    def page(self) -> None:
        """One request of the site, by somebody, for something like what is there."""
        name, method = self.chance.choice(URL_NAMES), self.chance.choice(METHODS)
        who = self.chance.choice(USERS)
        if self.chance.random() < 0.8:  # mostly somebody who may
            method = self.chance.choice(list(ACCESS[name]))
            who = self.chance.choice(ALLOWED_USERS[ACCESS[name][method]] or USERS)
        url, good = self.world.call(name, who)
        if self.chance.random() < 0.1:
            parts = url.split("/")
            parts[self.chance.randrange(len(parts))] = quote(
                self.text().encode("utf-8", "replace"), safe=""
            )
            url = "/" + "/".join(parts).lstrip("/")
        if self.chance.random() < 0.8:
            url += "?" + "&".join(
                f"{_quote(key)}={_quote(value)}" for key, value in self.fields(good).items()
            )
        body, kind = self.body(good) if method not in ("GET", "HEAD") else (b"", CONTENT_TYPES[0])
        headers = {
            name: self.chance.choice(HEADERS[name])
            for name in self.chance.sample(list(HEADERS), self.chance.randrange(4))
        }
        meta = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        if "HTTP_CONTENT_LENGTH" in meta:
            meta["CONTENT_LENGTH"] = meta.pop("HTTP_CONTENT_LENGTH")
        client = self.world.client(who, enforce_csrf_checks=self.chance.random() < 0.05)
        if "HTTP_COOKIE" in meta and self.chance.random() < 0.5:
            client = Client()
        what = f"{method} {url[:300]} as {who} {headers} {kind} {body[:300]!r}"
        self._asked(
            f"page {name}",
            what,
            lambda: _read_status(client.generic(method, url, body, content_type=kind, **meta)),
        )

    def sync_odd_flow(self) -> None:
        """A flow that Twilio has in an odd form, taken over and looked at."""
        hostile = [kind for kind in (*HOSTILE_VALUES, *WRONG_TYPES) if kind != "long"]
        whole = make_hostile_flow(self.chance.choice(hostile))
        odd = {
            name: self.chance.choice([value, self.text(), *WRONG_TYPES.values()])
            for name, value in whole.items()
        }
        some = {name: value for name, value in odd.items() if self.chance.random() < 0.5}
        sid = self.chance.choice(list(self.world.sandbox.flows) or [self.world.sid])
        if sid not in self.world.sandbox.flows:
            return

        def looked_at() -> int:
            self.world.sandbox.edit_flow(sid, **some)
            mirror.sync(ACCOUNT)
            client = self.world.client("admin")
            return max(
                _read_status(client.get(f"/flows/{sid}/{part}"))
                for part in ("", "edit/", "code/", "enabled/", "delete/")
            )

        self._asked("flow at Twilio", f"{sid} {some!r:.600}", looked_at)

    def api(self) -> None:
        """One request of the sandbox's API, which the demo's users and other clients send."""
        chance, sandbox = self.chance, self.world.sandbox
        address = urlsplit(sandbox.url)
        sid = chance.choice([*sandbox.flows, "FOx", "..", _quote(self.text())])
        path = chance.choice(
            [
                "/FlexFlows",
                f"/FlexFlows/{sid}",
                f"/FlexFlows/{sid}/x",
                "/",
                f"/{_quote(self.text())}",
            ]
        )
        wires = [
            *flex_flow.FIELDS_BY_WIRE_NAME,
            "PageSize",
            "Page",
            "PageToken",
            _quote(self.text()),
        ]
        body = "&".join(
            f"{name}={_quote(self.text())}" for name in chance.sample(wires, chance.randrange(8))
        )
        query = "?" + body if chance.random() < 0.4 else ""
        method = chance.choice(["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"])
        key = base64.b64encode(f"{sandbox.api_key}:{sandbox.api_secret}".encode()).decode()
        headers = {"Authorization": f"Basic {key}" if chance.random() < 0.9 else chance.choice(["Basic", "Basic ===", "Bearer x", ""]),
                   "Content-Type": chance.choice(CONTENT_TYPES[:4])}  # fmt: skip

        def asked() -> int:
            line = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
            try:
                line.request(method, address.path + path + query, body.encode(), headers)
                answer = line.getresponse()
                answer.read()
                return answer.status
            finally:
                line.close()

        self._asked("API", f"{method} {path}{query} {headers} {body[:300]}", asked)

    def _asked(self, where: str, what: str, ask: Callable[[], int]) -> None:
        try:
            status = ask()
        except (FlexError, mirror.SyncBusy):
            status = 0  # Twilio's side was not to be read, which is an answer too
        except Exception:  # noqa: BLE001 - this is what is looked for
            self.broken.append(f"{where}: {what}\n{traceback.format_exc()[-1500:]}")
            return
        self.answers[f"{where.split()[0]} {status}"] += 1
        if status == 500:
            self.broken.append(f"{where}: 500 for {what}")

    def go(self, times: int) -> None:
        """So many requests: most of pages."""
        for _ in range(times):
            self.chance.choices([self.page, self.sync_odd_flow, self.api], [16, 1, 4])[0]()


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
    parser = argparse.ArgumentParser(prog="python -m tests.armour.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)  # thousands of faults on purpose are no news
    with temporary_databases(1) as (name,):
        use_database(name)
        ensure_groups()
        patient = functools.partial(clients.FlexClient, sleep=lambda _seconds: None)
        with Sandbox() as sandbox, mock.patch.object(clients, "FlexClient", patient):
            settings.FLEX_API_URL = sandbox.url
            fuzzer = Fuzzer(SampleSite(sandbox, _make_user).populate(), random.Random(asked.seed))
            until = time.monotonic() + asked.minutes * 60
            while time.monotonic() < until:
                fuzzer.go(50)
            verdict = verification.verify()
    for _answer, _times in sorted(fuzzer.answers.items()):
        pass
    say = Console(highlight=False, markup=False, soft_wrap=True).print
    for answer, times in sorted(fuzzer.answers.items()):
        say(f"{times:7,} {answer}")
    say(
        f"{sum(fuzzer.answers.values()):7,} requests, {len(fuzzer.broken)} broke something. The log: {verdict}"
    )
    say("\n\n".join(fuzzer.broken[:20]))
    return 1 if fuzzer.broken or verdict.bad_seq is not None else 0


if __name__ == "__main__":
    sys.exit(main())
