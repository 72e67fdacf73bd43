"""The API beside a bare query and beside the pages: `python -m tests.benchmarks.api`.

Options: [--flows 10000] [--runs 9] [--output FILE.json]. In turns it measures the list of all flows
over the API by cursor and one query of the same flows with their JSON, and a flow turned on or off
over the API and by its page. Flows come from a sandbox, and changes go there. The exit status is 1 if
a promise isn't kept.

DATABASE_URL chooses the database; the default is a temporary SQLite file.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

import tests.faults.ready  # noqa: F401 - Django comes first

# isort: split
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client, override_settings

from flexadmin.users import api_tokens
from flexadmin.users.api_tokens import NewToken
from flexadmin.users.roles import ensure_groups
from flows.accounts import twilio_accounts
from flows.audit.audit_log import Actor
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.twilio.sandbox.server import Sandbox
from tests.benchmarks.sizes import at_least
from tests.faults.databases import temporary_databases, use_database
from tests.sandbox_addresses import sandbox_addresses

PAGE: Final = 1000  # flows of a page of the API
MOST_OF_BARE: Final = 1.5  # times the bare query and its JSON
MOST_OF_PAGE: Final = 1.1  # times a write by page: as much, but for chance
LIST_API, LIST_BARE = "list over the API by cursor", "bare query and JSON"
WRITE_API, WRITE_PAGE = "write over the API", "write by page"


class ApiSite:
    """A site with flows, an API token, and a browser's session of the same user."""

    def __init__(self, flow_sids: list[str]) -> None:
        ensure_groups()
        user = User.objects.create_user("operator")
        user.groups.set([Group.objects.get(name="operator")])
        new = NewToken(scope="write", days=1, name="Benchmark")
        _, credentials = api_tokens.create_token(user, new, actor=Actor(id="", label="benchmark"))
        self._headers = {"authorization": f"Bearer {credentials}"}
        self._api, self._browser = Client(), Client()
        self._browser.force_login(user)
        self._sids = itertools.cycle(flow_sids)

    def list_over_api(self) -> list[bytes]:
        """Read all flows page by page. Return the bodies, of which only the cursors are parsed."""
        cursor: str | None = ""
        bodies = []
        while cursor is not None:
            query = {"limit": str(PAGE), "cursor": cursor}
            content = self._api.get("/api/v1/flows", query, headers=self._headers).content
            bodies.append(content)
            cursor = json.loads(b"{" + content[content.rindex(b'"next_cursor"') :])["next_cursor"]
        return bodies

    def prepare_api_write(self) -> Callable[[], None]:
        """Return the function that turns the next flow on or off over the API."""
        url = f"/api/v1/flows/{next(self._sids)}"
        flow = self._api.get(url, headers=self._headers)
        headers = {**self._headers, "if-match": flow["ETag"], "idempotency-key": str(uuid.uuid4())}
        body = {"enabled": not flow.json()["enabled"], "reason": "Benchmark"}

        def send() -> None:
            response = self._api.patch(url, body, content_type="application/json", headers=headers)
            assert response.status_code == 200, response.content

        return send

    def prepare_page_write(self) -> Callable[[], None]:
        """Return the function that turns the next flow on or off by its page."""
        sid = next(self._sids)
        flow = self._api.get(f"/api/v1/flows/{sid}", headers=self._headers)
        enabled = str(not flow.json()["enabled"]).lower()
        form = {"enabled": enabled, "reason": "Benchmark", "change_id": str(uuid.uuid4())}

        def send() -> None:
            response = self._browser.post(f"/flows/{sid}/enabled/", form)
            assert response.status_code == 302, response.status_code

        return send


def list_bare() -> str:
    """Read all flows with one query, and return them as JSON."""
    rows = Flow.objects.filter(gone_at=None).order_by("sid").values_list("resource", flat=True)
    return json.dumps({"items": list(rows)})


def measure(flows: int, runs: int) -> dict[str, Any]:
    """Return the medians of each candidate in seconds, and the number of flows."""
    with (
        Sandbox(flows=flows) as sandbox,
        override_settings(
            **sandbox_addresses(sandbox.url), API_RATE_LIMIT=1_000_000, FLEX_RATE_LIMITS=False
        ),
    ):
        (account,) = twilio_accounts.all_accounts()
        sync_account(account.sid)
        site = ApiSite(list(Flow.objects.order_by("sid").values_list("sid", flat=True)))
        candidates: dict[str, Callable[[], Callable[[], Any]]] = {
            LIST_API: lambda: site.list_over_api,
            LIST_BARE: lambda: list_bare,
            WRITE_API: site.prepare_api_write,
            WRITE_PAGE: site.prepare_page_write,
        }
        seconds: dict[str, list[float]] = {name: [] for name in candidates}
        for turn in range(runs + 1):
            for name, prepare in candidates.items():
                run = prepare()
                began = time.perf_counter()
                run()
                if turn:  # the first one warms up
                    seconds[name].append(time.perf_counter() - began)
        listed = sum(len(json.loads(body)["items"]) for body in site.list_over_api())
        is_same = listed == len(json.loads(list_bare())["items"])
    return {
        "flows": listed if is_same else -1,
        "seconds": {name: statistics.median(values) for name, values in seconds.items()},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flows", type=at_least(10), default=10_000)
    parser.add_argument("--runs", type=at_least(1), default=9)
    parser.add_argument("--output", type=Path, help="a file for the figures, as JSON")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    with temporary_databases(1) as names:
        use_database(names[0])
        figures = measure(options.flows, options.runs)
        vendor = connection.vendor
    table = Table(title=f"{figures['flows']:,} flows, {vendor}, medians of {options.runs}")
    for heading in ("", "ms"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, seconds in figures["seconds"].items():
        table.add_row(name, f"{seconds * 1000:,.1f}")
    console = Console()
    console.print(table)
    medians = figures["seconds"]
    promises = [
        (LIST_API, medians[LIST_API] / medians[LIST_BARE], LIST_BARE, MOST_OF_BARE),
        (WRITE_API, medians[WRITE_API] / medians[WRITE_PAGE], WRITE_PAGE, MOST_OF_PAGE),
    ]
    for name, ratio, other, most in promises:
        verdict = "kept" if ratio <= most else "NOT KEPT"
        console.print(f"{name}: {ratio:.2f} times the {other}, at most {most:g}: {verdict}")
    if options.output:
        options.output.write_text(json.dumps(figures, indent=2) + "\n")
    is_complete = figures["flows"] == options.flows
    return 0 if is_complete and all(ratio <= most for _, ratio, _, most in promises) else 1


if __name__ == "__main__":
    sys.exit(main())
