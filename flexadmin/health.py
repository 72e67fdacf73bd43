"""Whether the site can serve. A load balancer asks if the process is alive, and if the database can be read and
written; a person whose page failed because it can't be is told so. Neither asks Twilio."""

from __future__ import annotations

import logging
import sys
import threading
import time
from typing import Final

from django.contrib.auth.decorators import login_not_required
from django.db import (
    Error,
    InterfaceError,
    InternalError,
    OperationalError,
    connection,
    connections,
    transaction,
)
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from flexadmin import typed
from flows.services.database import unpooled, waiting_briefly

PATIENCE: Final = 2.0  # seconds that a load balancer is kept waiting
KEPT_FOR: Final = 1.0  # seconds that an answer holds: whoever may ask may ask a lot
UNAVAILABLE: Final = (OperationalError, InterfaceError, InternalError)  # locked, full, read-only, gone


@login_not_required
def live(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "live"})


@login_not_required
def ready(_request: HttpRequest) -> JsonResponse:
    """200 when the database answers, has every migration and can be written; else 503."""
    check = _Check.latest()
    check.join(max(0.0, check.began + PATIENCE - time.monotonic()))
    fault = "does not answer in time" if check.is_alive() else check.fault
    if fault:
        return JsonResponse({"status": "not ready", "database": fault}, status=503)
    return JsonResponse({"status": "ready"})


def server_error(request: HttpRequest) -> HttpResponse:
    """The page for what went wrong unforeseen. A database that can't be read or written passes: 503."""
    error = sys.exc_info()[1]
    if isinstance(error, UNAVAILABLE) or isinstance(error and error.__cause__, UNAVAILABLE):
        return HttpResponse(_page("503.html", request), status=503, headers={"Retry-After": "10"})
    return HttpResponse(_page("500.html", request), status=500)


def _page(name: str, request: HttpRequest) -> str:
    """With what was typed, if that can be had: the page that tells of a failure can't fail itself."""
    try:
        return render_to_string(name, typed.on_error_page(request))
    except Exception:
        logging.getLogger("django.request").exception("The submitted form could not be kept")
        return render_to_string(name)


class _Check(threading.Thread):
    """One look at the database, over a connection of its own, so that one that hangs keeps nobody waiting. There is
    one at a time."""

    _lock = threading.Lock()
    _latest: _Check | None = None

    def __init__(self) -> None:
        super().__init__(name="health", daemon=True)
        self.fault = "does not answer"
        self.began = time.monotonic()
        self.until = float("inf")

    @classmethod
    def latest(cls) -> _Check:
        with cls._lock:
            check = cls._latest
            if check is None or time.monotonic() >= check.until:
                check = cls._latest = cls()
                check.start()
            return check

    def run(self) -> None:
        try:
            connections["default"] = unpooled()  # of this thread alone
            self.fault = _fault()
        finally:
            connection.close()
            self.until = time.monotonic() + KEPT_FOR


def _fault() -> str:
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "migrations are missing"
    except Error:
        return "does not answer"
    try:
        _write()
    except Error:
        return "can't be written"
    return ""


def _write() -> None:
    """A write as the log's own, with its lock and its commit. It changes nothing that anybody reads."""
    with waiting_briefly(), transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # An update that changes no byte is never written to the file; this number in its head is nobody's.
            cursor.execute(f"PRAGMA user_version = {time.time_ns() // 1_000_000 % 2**31}")
        else:
            cursor.execute("UPDATE flows_chainhead SET seq = seq")
