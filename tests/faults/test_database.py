"""Faults of the database while the site is used through its pages.

Nothing is sent without a record, entered data is kept, and reads continue where possible.
Afterwards the same form succeeds. The faults are real: a lock of another process, a limit on file
sizes, a read-only file or server, an unreachable server, and terminated connections.
"""

import resource
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, connections

from flexadmin.ops import health
from flows.audit.models import AuditEvent, OpenChange
from flows.changes import reconcile
from flows.core import database
from tests.conftest import form_data
from tests.faults.acting import (
    NEW_FLOW,
    applied_writes,
    drift_events,
    own_events,
    own_stages,
    received_writes,
)
from tests.patience import HANG_TIMEOUT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.quick]

NAME = "Réclamations Lyon"
TYPED = {
    name: value if isinstance(value, str) else str(value).lower()
    for name, value in NEW_FLOW.items()
    if value is not None
}
PAGES = {
    "create": ("new/", TYPED),
    "update": ("{sid}/edit/", {"friendly_name": "Plaintes Lyon"}),
    "set_enabled": ("{sid}/enabled/", {"enabled": "false"}),
    "delete": ("{sid}/delete/", {"confirm_name": NAME}),
}
# The site's own, where it is on PostgreSQL, with less patience for a server that is away.
POOL = {**settings.DATABASE_POOL, "timeout": 0.5} if connection.vendor == "postgresql" else None
IMPATIENT = (
    {"timeout": 0.05}
    if connection.vendor == "sqlite"
    else {"options": "-c lock_timeout=50", "connect_timeout": 5, "pool": POOL}
)


@contextmanager
def connected(**settings):
    """Use these connection settings in this test, also in its threads."""
    previous = {name: connection.settings_dict[name] for name in [*settings, "OPTIONS"]}
    options = {**connection.settings_dict["OPTIONS"], **settings.get("OPTIONS", {})}
    close()
    connection.settings_dict.update({**settings, "OPTIONS": options})
    try:
        yield
    finally:
        close()
        connection.settings_dict.update(previous)


def close():
    """Close this thread's connection and its pool, so that the next one uses the settings."""
    connections["default"].close()
    if connection.vendor == "postgresql":
        connections["default"].close_pool()


class Locked:
    """Another process holds the write lock."""

    is_readable = keeps_form = True

    def begin(self):
        if connection.vendor == "sqlite":
            path = str(connection.settings_dict["NAME"])
            hold = "import sqlite3, sys; sqlite3.connect(sys.argv[1], isolation_level=None).execute('BEGIN IMMEDIATE'); print(flush=True); sys.stdin.read()"
            self.other = subprocess.Popen(
                [sys.executable, "-c", hold, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            assert self.other.stdout.readline()
        else:
            self.other = connection.copy()
            self.other.inc_thread_sharing()
            with self.other.cursor() as cursor:
                cursor.execute("BEGIN; LOCK TABLE flows_chainhead IN EXCLUSIVE MODE")

    def end(self):
        if connection.vendor == "sqlite":
            self.other.communicate(b"")
        else:
            self.other.close()


class Full:
    """No file can grow."""

    is_readable = keeps_form = True

    def begin(self):
        self.other_worker = (
            connection.copy()
        )  # keeps SQLite's own files open, as the site's other threads do
        self.other_worker.inc_thread_sharing()
        with self.other_worker.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.execute("CREATE TABLE filler AS SELECT zeroblob(300000)")
            cursor.execute("DROP TABLE filler")
        end = Path(f"{connection.settings_dict['NAME']}-wal").stat().st_size  # all of it is in use
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (end, self.before[1]))

    def end(self):
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)
        self.other_worker.close()


class ReadOnly:
    """The file is read-only, or the server is a standby."""

    is_readable = keeps_form = True

    def __init__(self):
        self.site = connections["default"]

    def begin(self):
        config = connection.settings_dict
        if connection.vendor == "sqlite":
            self.change = {"NAME": f"file:{config['NAME']}?mode=ro"}
        else:
            self.change = {
                "OPTIONS": {**config["OPTIONS"], "options": "-c default_transaction_read_only=on"}
            }
        self.before = {name: config[name] for name in self.change}
        config.update(self.change)
        self.site.inc_thread_sharing()
        self.site.close()  # and opens it again like that
        self.site.dec_thread_sharing()
        close()

    def end(self):
        connection.settings_dict.update(self.before)
        close()


class Gone:
    """The server is unreachable and its connections are cut."""

    is_readable = keeps_form = False

    def begin(self):
        self.proxy.cut()

    def end(self):
        self.proxy.restore()
        connection.close()  # as each request of a running site begins


TROUBLES = [Locked, Full, ReadOnly] if connection.vendor == "sqlite" else [Locked, ReadOnly, Gone]


class Proxy:
    """Proxy in front of PostgreSQL. If `is_deaf`, it accepts connections without responding."""

    def __init__(self, host, port):
        self.server, self.is_deaf, self.address = (host, port), False, ("127.0.0.1", 0)
        self.restore()

    def restore(self):
        self.open = []
        self.listener = socket.create_server(self.address)
        self.address = self.listener.getsockname()
        threading.Thread(target=self._accept, args=[self.listener], daemon=True).start()

    def cut(self):
        for one in [self.listener, *self.open]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self, listener):
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                self.open.append(near)
                if self.is_deaf:
                    continue
                far = socket.create_connection(self.server)
                self.open.append(far)
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=[one, other], daemon=True).start()

    def _pass_on(self, one, other):
        with suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxy():
    config = connection.settings_dict
    standing = Proxy(config["HOST"] or "127.0.0.1", int(config["PORT"] or 5432))
    with connected(HOST="127.0.0.1", PORT=str(standing.address[1])):
        yield standing
    standing.cut()


@pytest.fixture
def impatient():
    with connected(OPTIONS=IMPATIENT):
        yield


@pytest.fixture(autouse=True)
def _each_answer_of_its_own(monkeypatch):
    monkeypatch.setattr(health, "RESULT_TTL", 0)
    monkeypatch.setattr(health._DatabaseCheck, "_latest", None)


@pytest.fixture(params=TROUBLES, ids=lambda kind: kind.__name__)
def trouble(request, transactional_db, monkeypatch):
    monkeypatch.setattr(database, "SHORT_LOCK_TIMEOUT", 0.05)
    request.getfixturevalue("impatient")
    fault = request.param()
    if request.param is Gone:
        fault.proxy = request.getfixturevalue("proxy")
    return fault


@contextmanager
def lasting(trouble):
    trouble.begin()
    try:
        yield
    finally:
        trouble.end()


@pytest.fixture
def client(client_of):
    client = client_of("operator")
    client.raise_request_exception = False
    return client


def typed_form(client, verb, sid):
    page, fields = PAGES[verb]
    path = "/flows/" + page.format(sid=sid)
    return (
        path,
        fields,
        {**form_data(client.get(path)), **fields, "reason": "because of the trouble"},
    )


every_verb = pytest.mark.parametrize("verb", PAGES)


@every_verb
def test_change_is_refused_before_it_is_sent(trouble, sandbox, flow_sid, client, verb):
    path, fields, form = typed_form(client, verb, flow_sid)

    with lasting(trouble):
        refused = client.post(path, form)

    assert refused.status_code == 503
    assert (received_writes(sandbox), own_stages()) == ([], [])
    if trouble.keeps_form:
        resumed_form = form_data(refused)
        assert {**fields, "reason": form["reason"]}.items() <= resumed_form.items()
        assert "nothing was sent" in refused.content.decode()
    accepted = client.post(path, form)
    assert accepted.status_code == 302
    assert own_stages() == [("attempt", "pending"), ("outcome", "succeeded")]
    assert {str(event.change_id) for event in own_events()} == {form["change_id"]}
    assert len(applied_writes(sandbox)) == 1


@every_verb
def test_outcome_that_could_not_be_recorded_is_found_out_later(
    trouble, sandbox, flow_sid, client, monkeypatch, verb
):
    path, _, form = typed_form(client, verb, flow_sid)
    arrive = sandbox._log.open

    def begin(*, method, **request):
        if method != "GET":
            trouble.begin()
        return arrive(method=method, **request)

    monkeypatch.setattr(sandbox._log, "open", begin)
    try:
        response = client.post(path, form)
    finally:
        trouble.end()

    assert response.status_code == 500
    assert (
        "The change was sent, but its outcome couldn&#x27;t be logged" in response.content.decode()
    )
    assert (own_stages(), len(applied_writes(sandbox))) == ([("attempt", "pending")], 1)
    assert str(OpenChange.objects.get().change_id) == form["change_id"]
    monkeypatch.setattr(reconcile, "ATTEMPT_TIMEOUT", timedelta(0))
    reconcile.reconcile()
    assert own_stages() == [("attempt", "pending"), ("reconciled", "applied")]
    assert client.post(path, form).status_code == 302
    assert len(received_writes(sandbox)) == 1


@pytest.mark.parametrize(
    "kind", [kind for kind in TROUBLES if kind.is_readable], ids=lambda kind: kind.__name__
)
def test_reading_goes_on_and_does_not_wait(kind, sandbox, flow_sid, client, monkeypatch):
    """The drift of a flow can't be recorded when it is read, but the flow is shown."""
    monkeypatch.setattr(database, "SHORT_LOCK_TIMEOUT", 0.05)
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")
    patience = 10
    event = AuditEvent.objects.first()
    with connected(
        OPTIONS={"timeout": patience}
        if connection.vendor == "sqlite"
        else {"options": f"-c lock_timeout={patience}s"}
    ):
        client.get("/flows/")  # on a connection of that patience
        began = time.monotonic()
        with lasting(kind()):
            pages = [
                client.get(path)
                for path in (
                    f"/flows/{flow_sid}/",
                    "/flows/",
                    f"/flows/{flow_sid}/edit/",
                    "/audit/",
                    f"/audit/{event.event_id}/",
                )
            ]
        took = time.monotonic() - began

    assert [page.status_code for page in pages] == [200] * 5
    assert pages[0].context["state"] == "live"
    assert "Theirs" in pages[0].content.decode()
    assert took < patience
    assert drift_events() == []
    client.get(f"/flows/{flow_sid}/")
    assert [event.changed_fields for event in drift_events()] == [["friendly_name"]]


def test_ready_says_that_the_database_is_in_trouble(trouble, flow_sid, client):
    with lasting(trouble):
        ready, live = client.get("/health/ready/"), client.get("/health/live/")

    assert ready.status_code == 503
    assert ready.json() == {
        "status": "not ready",
        "database": "can't be written" if trouble.is_readable else "does not answer",
    }
    assert live.status_code == 200
    assert client.get("/health/ready/").json() == {"status": "ready"}


def test_refreshing_the_copy_says_that_the_database_is_in_trouble(
    trouble, sandbox, flow_sid, client
):
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")

    with lasting(trouble):
        refused = client.post("/flows/sync/", follow=True)

    assert refused.status_code == (200 if trouble.is_readable else 503)
    message = "Couldn&#x27;t refresh" if trouble.is_readable else "The database is unavailable"
    assert message in refused.content.decode()
    assert drift_events() == []
    assert client.post("/flows/sync/").status_code == 302
    assert len(drift_events()) == 1


def test_signing_in_says_that_the_database_is_in_trouble(trouble, person, client):
    if connection.vendor == "postgresql" and isinstance(trouble, Locked):
        pytest.skip("a lock of the log's is in no other table's way")
    person("viewer")
    client.logout()

    with lasting(trouble):
        refused = client.post("/login/", {"username": "viewer", "password": "viewer-password"})

    assert refused.status_code == 503
    assert "The database is unavailable" in refused.content.decode()
    assert (
        client.post("/login/", {"username": "viewer", "password": "viewer-password"}).status_code
        == 302
    )


def end_connections(sandbox, monkeypatch, at):
    """Have the server end every connection to this database during such a request to Twilio."""
    answer, end_counts = sandbox._api.respond, []

    def end_and_answer(request, received):
        if at(request):
            with connections["default"].cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = "
                    "current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
                )
                end_counts.extend(cursor.fetchall())
            connections.close_all()
        return answer(request, received)

    monkeypatch.setattr(sandbox._api, "respond", end_and_answer)
    return end_counts


only_postgres = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="a file does not go away"
)


@only_postgres
@pytest.mark.parametrize(
    "verb", [verb for verb in PAGES if verb != "create"]
)  # which reads nothing first
def test_connection_that_the_server_ended_before_the_attempt(
    sandbox, flow_sid, client, monkeypatch, verb
):
    path, _, form = typed_form(client, verb, flow_sid)
    end_counts = end_connections(sandbox, monkeypatch, lambda request: request.method == "GET")

    response = client.post(path, form)

    assert end_counts
    assert (
        response.status_code == 302
    )  # that Twilio answered is noted first, which finds the connection gone
    assert len(received_writes(sandbox)) == 1
    assert own_stages() == [("attempt", "pending"), ("outcome", "succeeded")]


@only_postgres
@every_verb
@pytest.mark.parametrize(
    "kept",
    [{"OPTIONS": {"pool": POOL}}, {"CONN_MAX_AGE": 60, "OPTIONS": {"pool": None}}],
    ids=["pool", "no pool"],
)
def test_outcome_goes_on_record_though_the_server_ended_the_connection_meanwhile(
    sandbox, flow_sid, client, monkeypatch, verb, kept
):
    """The connection stays open between requests, so that nothing else replaces it."""
    with connected(**kept):
        path, _, form = typed_form(client, verb, flow_sid)
        end_connections(sandbox, monkeypatch, lambda request: request.method != "GET")

        response = client.post(path, form)

        assert response.status_code == 302
        assert own_stages() == [("attempt", "pending"), ("outcome", "succeeded")]


@only_postgres
def test_ready_does_not_wait_for_a_server_that_says_nothing(proxy, client, monkeypatch):
    monkeypatch.setattr(health, "CHECK_TIMEOUT", 0.2)
    proxy.is_deaf = True

    answers = [client.get("/health/ready/") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [503] * 3
    assert answers[0].json()["database"] == "does not answer in time"
    proxy.cut()
    health._DatabaseCheck.latest().join(HANG_TIMEOUT)
