"""Both sites on a database of some size, and measurements of their pages.

This process itself needs no Django.
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Final

from flows.twilio.sandbox.server import Sandbox
from tests.benchmarks.deployed import (
    PASSWORD,
    SETTINGS_MODULES,
    USERNAME,
    environment,
    run_module,
    serve_site,
)
from tests.patience import HANG_TIMEOUT

LIST_PATHS: Final = {"site": "/flows/", "admin": "/admin/flows/flow/"}
LOGIN_PATHS: Final = {"site": "/login/", "admin": "/admin/login/"}
TYPED_HEADERS: Final = {"HX-Request": "true"}


@dataclass
class ServedSite:
    """One of the two sites, with PERSON signed in."""

    name: str
    address: str
    process: int
    environment: dict[str, str]
    cookies: str = ""

    def __post_init__(self) -> None:
        self.cookies = "; ".join(f"{name}={value}" for name, value in self.signed_in().items())

    def signed_in(self) -> dict[str, str]:
        jar = CookieJar()
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(jar)
        )
        login = self.address + LOGIN_PATHS[self.name]
        page = opener.open(login, timeout=HANG_TIMEOUT).read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        fields = {
            "username": USERNAME,
            "password": PASSWORD,
            "csrfmiddlewaretoken": token[1] if token else "",
        }
        opener.open(
            login,
            urllib.parse.urlencode({**fields, "next": LIST_PATHS[self.name]}).encode(),
            timeout=HANG_TIMEOUT,
        )
        cookies = {cookie.name: cookie.value or "" for cookie in jar}
        if "sessionid" not in cookies:
            raise RuntimeError(f"signing in on {login} did not work")
        return cookies

    def memory(self) -> float:
        """Return the resident memory in MB of the largest worker, shared memory included."""
        workers = Path(f"/proc/{self.process}/task/{self.process}/children").read_text().split()
        kilobytes = [
            int(line.split()[1])
            for worker in workers
            for line in Path(f"/proc/{worker}/status").read_text().splitlines()
            if line.startswith("VmRSS:")
        ]
        return max(kilobytes) / 1024


@contextmanager
def serve_sites(folder: Path, flows: int) -> Iterator[dict[str, ServedSite]]:
    """Serve both sites with a number of flows. Their API is a sandbox without flows."""
    with ExitStack() as stack:
        database_url = stack.enter_context(_create_database(folder))
        variables = environment(folder, database_url, stack.enter_context(Sandbox()))
        run_module(variables, "tests.benchmarks.fill", str(flows))
        both = {}
        for name, settings in zip(LIST_PATHS, SETTINGS_MODULES, strict=True):
            own = {**variables, "DJANGO_SETTINGS_MODULE": settings}
            both[name] = ServedSite(name, *stack.enter_context(serve_site(folder, own)), own)
        yield both


def request_list(site: ServedSite, query: str, *, is_typed: bool = False) -> tuple[float, bytes]:
    """Request the list; return the seconds to the last byte, and the decompressed body.

    `is_typed` requests the results alone, as the browser does while a user types.
    """
    headers = {"Cookie": site.cookies, "Accept-Encoding": "gzip"}
    if is_typed:
        headers |= TYPED_HEADERS
    connection = http.client.HTTPConnection(
        urllib.parse.urlsplit(site.address).netloc, timeout=HANG_TIMEOUT
    )
    began = time.perf_counter()
    try:
        connection.request("GET", f"{LIST_PATHS[site.name]}?{query}", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    took = time.perf_counter() - began
    if answer.status != 200:
        raise RuntimeError(f"{site.name} answered {answer.status} to {query!r}")
    return took, gzip.decompress(body)


def count_rows(page: bytes) -> tuple[int, int]:
    """Return the rows of our page, and its gzipped size without random padding."""
    return page.count(b'name="sid"'), len(gzip.compress(page, 6))


def count_queries(site: ServedSite, pages: list[tuple[str, bool]]) -> list[int]:
    """Return the number of database queries of each page, given its query and whether it is typed."""
    requests = [
        (f"{LIST_PATHS[site.name]}?{query}", TYPED_HEADERS if is_typed else {})
        for query, is_typed in pages
    ]
    counts: list[int] = json.loads(
        run_module(site.environment, "tests.benchmarks.queries", json.dumps(requests))
    )
    return counts


@contextmanager
def _create_database(folder: Path) -> Iterator[str]:
    """Create a database and return its URL."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield f"sqlite:///{folder / 'db.sqlite3'}"
        return
    import psycopg

    name = f"lists_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urllib.parse.urlsplit(url)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
