"""Health checks for load balancers, and the error pages for failures of the site.

Both depend on the process and the database only, never on Twilio.
"""

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

from flexadmin.http import form_rescue
from flows.api.problems import Problem, is_api_request
from flows.core.database import create_unpooled_connection, short_lock_timeout

CHECK_TIMEOUT: Final = 2.0  # seconds until a readiness check gives up
RESULT_TTL: Final = 1.0  # seconds that a result is reused: anyone can send many requests
# Errors of a database that is locked, full, read-only or unreachable.
UNAVAILABLE_ERRORS: Final = (OperationalError, InterfaceError, InternalError)


@login_not_required
def live(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "live"})


@login_not_required
def ready(_request: HttpRequest) -> JsonResponse:
    """Return 200 if the database responds, is migrated and can be written, else 503."""
    check = _DatabaseCheck.latest()
    check.join(max(0.0, check.start_time + CHECK_TIMEOUT - time.monotonic()))
    fault = "does not answer in time" if check.is_alive() else check.fault
    if fault:
        return JsonResponse({"status": "not ready", "database": fault}, status=503)
    return JsonResponse({"status": "ready"})


def server_error(request: HttpRequest) -> HttpResponse:
    """Return the page for an unhandled error: 503 if the database is unavailable, else 500."""
    error = sys.exc_info()[1]
    cause = error.__cause__ if error else None
    is_unavailable = isinstance(error, UNAVAILABLE_ERRORS) or isinstance(cause, UNAVAILABLE_ERRORS)
    if is_api_request(request):
        return _api_error(is_unavailable=is_unavailable)
    if is_unavailable:
        content = _render_error_page("503.html", request)
        return HttpResponse(content, status=503, headers={"Retry-After": "10"})
    return HttpResponse(_render_error_page("500.html", request), status=500)


def _api_error(*, is_unavailable: bool) -> HttpResponse:
    """Return the problem for an unhandled error in a call of the API."""
    if is_unavailable:
        detail = "The database is unavailable. Try again later."
        headers = {"Retry-After": "10"}
        return Problem(503, detail, code="unavailable", headers=headers).to_response()
    detail = "Something went wrong on our side. The error has been logged."
    return Problem(500, detail, code="error").to_response()


def _render_error_page(name: str, request: HttpRequest) -> str:
    """Render the page with the pending form, or without it if that fails as well."""
    try:
        return render_to_string(name, form_rescue.error_page_context(request))
    except Exception:
        logging.getLogger("django.request").exception("The submitted form could not be kept")
        return render_to_string(name)


class _DatabaseCheck(threading.Thread):
    """One check of the database in a thread and connection of its own.

    A database that hangs then blocks no request. Only one check runs at a time.
    """

    _lock = threading.Lock()
    _latest: _DatabaseCheck | None = None

    def __init__(self) -> None:
        super().__init__(name="health", daemon=True)
        self.fault = "does not answer"
        self.start_time = time.monotonic()
        self.valid_until = float("inf")

    @classmethod
    def latest(cls) -> _DatabaseCheck:
        with cls._lock:
            check = cls._latest
            if check is None or time.monotonic() >= check.valid_until:
                check = cls._latest = cls()
                check.start()
            return check

    def run(self) -> None:
        try:
            connections["default"] = create_unpooled_connection()  # for this thread only
            self.fault = _find_fault()
        finally:
            connection.close()
            self.valid_until = time.monotonic() + RESULT_TTL


def _find_fault() -> str:
    """Return the fault of the database, or "" if it has none."""
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "migrations are missing"
    except Error:
        return "does not answer"
    try:
        _probe_write()
    except Error:
        return "can't be written"
    return ""


def _probe_write() -> None:
    """Write in the same way as the audit log, with its lock and a commit, but change no data."""
    with short_lock_timeout(), transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # SQLite skips an update that changes nothing. This header field is free for our use.
            cursor.execute(f"PRAGMA user_version = {time.time_ns() // 1_000_000 % 2**31}")
        else:
            cursor.execute("UPDATE flows_chainhead SET seq = seq")
