"""Upgrade of a database that an earlier version filled (tests/data/upgrade/README.md): `migrate`
loses nothing, the audit log verifies, and the site works with what it finds there.

The tests use commands, pages and tables, which keep their names, and no module of the product. On
PostgreSQL they make a database of their own, on the server that DATABASE_URL names.
"""

import hashlib
import html
import io
import json
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils.module_loading import import_string
from django_tasks_db.models import DBTaskResult

from tests.flexadmin.signing_in import is_signed_in, sign_in, totp_code
from tests.markup import squeezed

DUMPS: Final = Path(__file__).parents[1] / "data" / "upgrade"
# SHA-256 of the dumps: a search and replace in all files must not reach them unnoticed.
DIGESTS: Final = {
    "sqlite": "8210c3d9143b78620545ab36434be3cde2db06040145d7f4a2fd49142129b29b",
    "postgresql": "daec799e8f7978018a80ae1ceb719d68074a589390b8c2689b4fe29ec1d41bea",
}
EVENTS: Final = 108  # in the audit log of each dump
APP_SECRET: Final = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

# What an upgrade may change. Everything else has to be there, and as it was.
RENAMED_TABLES: Final[dict[str, str]] = {}  # old name: new name
RENAMED_COLUMNS: Final[dict[tuple[str, str], str]] = {}  # (old table, old column): new column
MAY_CHANGE: Final = {  # (old table, old column)
    # The head moves on when migrate records an event. A test verifies it with the signed head.
    ("flows_chainhead", "seq"),
    ("flows_chainhead", "hash"),
    # Both name a module, and modules have moved (flexadmin/migrations/0005_moved_modules.py).
    ("django_session", "session_data"),
    ("django_tasks_database_dbtaskresult", "task_path"),
}
# SQLite's index of names: FTS5 keeps its tables, and `migrate` builds them from the list's table.
BUILT_BY_MIGRATE: Final = ("flow_trigram",)  # what the names of the tables begin with

Row = dict[str, str | None]
Tables = dict[str, dict[tuple[str | None, ...], Row]]  # table: primary key: the row


@dataclass(frozen=True)
class Upgrade:
    """The rows of each table before and after `migrate`. The test is connected to the database."""

    before: Tables
    after: Tables


@pytest.fixture(scope="module")
def upgrade(tmp_path_factory, django_db_blocker) -> Iterator[Upgrade]:
    with django_db_blocker.unblock(), empty_database(tmp_path_factory.mktemp("upgrade")):
        restore(DUMPS / f"{connection.vendor}.sql")
        before = read_tables()
        call_command("migrate", verbosity=0)
        yield Upgrade(before, read_tables())


@contextmanager
def empty_database(folder: Path) -> Iterator[None]:
    """Connect to a new database, which is removed in the end."""
    if connection.vendor == "sqlite":
        with connected_to(str(folder / "upgrade.sqlite3")):
            yield
        return
    name = f"flexadmin_upgrade_{os.getpid()}"
    run_on_server(f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
    try:
        with connected_to(name):
            yield
    finally:
        run_on_server(f"DROP DATABASE {name}")


@contextmanager
def connected_to(name: str) -> Iterator[None]:
    """Connect this process to the database of that name, and then to its own again."""
    own = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    ContentType.objects.clear_cache()
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = own
        ContentType.objects.clear_cache()


def run_on_server(*statements: str) -> None:
    """Run statements that PostgreSQL takes in another database only."""
    with connected_to("postgres"), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def restore(dump: Path) -> None:
    script = dump.read_text(encoding="utf-8")
    if connection.vendor == "sqlite":
        database = sqlite3.connect(connection.settings_dict["NAME"])
        database.executescript(script)
        database.close()
        return
    with connection.cursor() as cursor:
        cursor.execute(script)
    connection.close()  # the script changed settings of the connection


def read_tables() -> Tables:
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
        kept = [name for name in names if not name.startswith(BUILT_BY_MIGRATE)]
        return {name: read_rows(cursor, name) for name in kept}


def read_rows(cursor, table: str) -> dict[tuple[str | None, ...], Row]:
    """Return the rows of a table by their primary keys, each value as the database writes it."""
    description = connection.introspection.get_table_description(cursor, table)
    columns = [column.name for column in description]
    keys = connection.introspection.get_primary_key_columns(cursor, table)
    template = 'quote("{}")' if connection.vendor == "sqlite" else '"{}"::text'
    cursor.execute(f'SELECT {", ".join(map(template.format, columns))} FROM "{table}"')
    rows = [dict(zip(columns, values, strict=True)) for values in cursor.fetchall()]
    return {tuple(row[key] for key in keys): row for row in rows}


def losses(before: Tables, after: Tables) -> list[str]:
    """Return a sentence for each table, row or column that is gone, and each value that changed."""
    found = []
    for table, rows in before.items():
        rows_now = after.get(RENAMED_TABLES.get(table, table))
        if rows_now is None:
            found.append(f"The table {table} is gone.")
            continue
        for key, row in rows.items():
            row_now = rows_now.get(key)
            if row_now is None:
                found.append(f"{table}: the row {key} is gone.")
            else:
                found += row_losses(table, key, row, row_now)
    return found


def row_losses(table: str, key: tuple[str | None, ...], row: Row, row_now: Row) -> Iterator[str]:
    for column, value in row.items():
        column_now = RENAMED_COLUMNS.get((table, column), column)
        if column_now not in row_now:
            yield f"{table}: the column {column} is gone."
        elif row_now[column_now] != value and (table, column) not in MAY_CHANGE:
            yield f"{table}: {column} of {key} was {value} and is {row_now[column_now]}."


def output_of(*command: str) -> str:
    out = io.StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def client_of(name: str) -> Client:
    client = Client()
    assert sign_in(client, name, f"demo-{name}").status_code == 302
    return client


def page_of(client: Client, path: str, **query: str) -> str:
    return text_of(client.get(path, query))


def list_of(client: Client, **query: str) -> str:
    """Return the list of flows alone, as htmx asks for it: the page around it names other flows."""
    return text_of(client.get("/flows/", query, headers={"HX-Request": "true"}))


def text_of(answer) -> str:
    """Return a page as its reader sees the words of a search: without the marks on them."""
    assert answer.status_code == 200, f"{answer.request['PATH_INFO']}: {answer.status_code}"
    return html.unescape(re.sub("</?mark>", "", answer.content.decode()))


def sid_of(client: Client, name: str) -> str:
    (sid,) = set(re.findall(r"FO[0-9a-f]{32}", list_of(client, q=name)))
    return sid


@pytest.mark.parametrize("kind", DIGESTS)
def test_dump_is_as_it_was_made(kind):
    dump = (DUMPS / f"{kind}.sql").read_text(encoding="utf-8")

    assert hashlib.sha256(dump.encode()).hexdigest() == DIGESTS[kind]


def test_every_row_has_every_value_that_it_had(upgrade):
    assert len(upgrade.before["flows_auditevent"]) == EVENTS
    assert losses(upgrade.before, upgrade.after) == []


@pytest.mark.parametrize("loss", ["table", "row", "column", "value"])
def test_each_loss_is_noticed(upgrade, loss):
    """Guards the test above: what it compares with must be able to fail."""
    damaged = deepcopy(upgrade.before)
    rows = damaged["flows_savedview"]
    key = next(iter(rows))
    if loss == "table":
        del damaged["flows_savedview"]
    elif loss == "row":
        del rows[key]
    elif loss == "column":
        del rows[key]["query"]
    else:
        rows[key]["query"] = None

    (sentence,) = losses(upgrade.before, damaged)

    assert "flows_savedview" in sentence


def test_audit_log_verifies_with_its_tables_roles_and_triggers(upgrade):
    """The command fails on a fault of the chain, a table beside it, a role or a trigger."""
    said = output_of("verify_audit", "--head", str(DUMPS / f"{connection.vendor}.head.json"))

    count, words = said.split(" ", 1)
    assert int(count) >= EVENTS
    assert words.startswith("events verified, chain intact")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("reclamations lodz", "Réclamations Łódź “VIP”"),
        ("STORUNG", "Störungsmeldung – Düsseldorf (WhatsApp)"),
        ("averias", "Averías A Coruña web chat"),  # of the second account
        ("+49 155 50100999", "Weihnachtsaktion Köln (SMS) pilot"),
    ],
)
def test_flow_is_found_by_name_and_number(upgrade, text, name):
    found = list_of(client_of("aude"), q=text)

    assert name in found
    assert "Hotline Bonn" not in found


def test_saved_view_finds_what_it_found(upgrade):
    client = client_of("aude")
    (address,) = re.findall(r'href="([^"]+)">Studio, off<', squeezed(page_of(client, "/flows/")))

    found = text_of(client.get(address, headers={"HX-Request": "true"}))

    assert "Rückrufwunsch Bern" in found
    assert "Hotline Bonn" not in found  # it is on


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"q": "Łódź"}, ["Réclamations Łódź “VIP”", "CHG-4711", "Closed over the holidays"]),
        ({"result": "unresolved"}, ["Hotline Düren", "Died on the way", "Rückrufwunsch Bern"]),
        ({"actor": "ada", "action": "people.role"}, ["nils", "Helps Aude"]),
        ({"result": "denied", "actor": "vera"}, ["Citas médicas · Ciudad de México SMS"]),
    ],
    ids=["changes", "open changes", "roles", "denied attempts"],
)
def test_log_lists_what_was_recorded(upgrade, query, words):
    page = page_of(client_of("aude"), "/audit/", **query)

    assert [word for word in words if word not in page] == []


def test_each_kind_of_event_has_its_page(upgrade):
    client = client_of("aude")
    events = [json.loads(line) for line in output_of("export_audit").splitlines()]
    assert len(events) >= EVENTS

    kinds = {
        (event["action"], event["stage"], event["result"], bool(event["erased_at"])): event
        for event in events
    }

    assert len(kinds) > 40
    for event in kinds.values():
        page_of(client, f"/audit/{event['event_id']}/")


def test_bulk_changes_are_listed(upgrade):
    page = page_of(client_of("aude"), "/flows/plans/")

    for title in (
        "Turn off 2 flows in production",
        "Roll back: Turn off 2 flows in production",
        "Set the retry count of 2 flows in production to 2",
        "Import: change 1 flow, create 1 flow in production",
        "Turn on 2 flows in production",
    ):
        assert title in page


def test_password_and_second_factor_still_let_in(upgrade):
    app = Authenticator.objects.get(user__username="omar", type="totp")
    assert get_adapter().decrypt(app.data["secret"]) == APP_SECRET

    client = client_of("omar")
    assert not is_signed_in(client)
    client.post("/login/second-factor/", {"code": totp_code(APP_SECRET)})
    assert is_signed_in(client)


def test_users_still_have_their_passwords_and_limits(upgrade):
    nora, nils = Client(), Client()
    sign_in(nora, "nora", "demo-nora-night-shift")  # she had changed a one-time password
    sign_in(nils, "nils", "demo-nils")  # deactivated

    assert is_signed_in(nora)
    assert nora.get("/people/").status_code == 403
    assert not is_signed_in(nils)


def test_sessions_name_a_backend_that_the_site_has(upgrade):
    """Django signs out whoever signed in with another one."""
    sessions = [SessionStore().decode(row.session_data) for row in Session.objects.all()]
    backends = {session.get("_auth_user_backend", "") for session in sessions} - {""}

    assert backends
    assert backends <= set(settings.AUTHENTICATION_BACKENDS)


def test_queued_task_can_be_imported(upgrade):
    paths = set(DBTaskResult.objects.values_list("task_path", flat=True))

    assert paths
    for path in paths:
        assert import_string(path)


def test_queued_bulk_change_is_carried_out_and_recorded(upgrade, sandbox):
    """New events continue the old chain. It runs last, because it changes flows."""
    aude = client_of("aude")
    sids = {name: sid_of(aude, name) for name in ("Hotline Aachen", "Réclamations Łódź “VIP”")}
    for name, sid in sids.items():
        sandbox.add_flow(sid=sid, friendly_name=name, enabled=False)
    queued = list(DBTaskResult.objects.filter(status="READY").values_list("id", flat=True))

    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)

    assert [sandbox.flows[sid]["enabled"] for sid in sids.values()] == [True, True]
    assert len(queued) == 3
    assert DBTaskResult.objects.filter(id__in=queued, status="SUCCESSFUL").count() == 3
    assert all("Open again" in page_of(aude, "/audit/", q=name) for name in sids)
    output_of("verify_audit", "--head", str(DUMPS / f"{connection.vendor}.head.json"))
