"""Logging to standard error: one line per record, as JSON or for a terminal, with the request's id.

The audit log's events and the response header X-Request-Id have the same id.

Code that logs leaves secrets out. As a safety net, anything that still looks like a secret is
masked here, in messages and in tracebacks. A long one is shortened first: a library may log what a
server sent, which can be megabytes, and to look for secrets in them would take minutes.
"""

from __future__ import annotations

import copy
import json
import logging
import re
import sys
import traceback
from collections.abc import Iterable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, quote_plus

from flows.core.terminal_text import escape_line
from flows.redaction.masking import redact

request_id: ContextVar[str] = ContextVar("request_id", default="")

# The extra attributes of a record that are logged.
EXTRA_FIELDS: Final = ("request_id", "method", "path", "status", "duration_ms", "person")
FORMATS: Final[tuple[str, ...]] = ("json", "line")
MIN_SECRET_LENGTH: Final = 6  # characters; a shorter one would mask ordinary text
MASK: Final = "masked"
MAX_LENGTH: Final = 32_000  # characters of a message or a traceback; the middle is omitted
INDENT: Final = "    "  # of the lines that continue a record
_AUTHORIZATION = re.compile(
    r"""(authorization\b['"]?\s*[:=,]\s*b?['"]?)[^'"\r\n,}]+""", re.IGNORECASE
)
_SCHEME = re.compile(r"\b(basic|bearer)\s+[\w+/=.~-]{6,}", re.IGNORECASE)


def build_logging_config(*, form: str, level: str, secrets: Iterable[str]) -> dict[str, Any]:
    """Return Django's LOGGING, with one handler at the root for our own records and libraries'."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {"()": "flexadmin.ops.log_records.JsonFormatter"},
            "line": {"()": "flexadmin.ops.log_records.LineFormatter"},
        },
        "handlers": {
            "stderr": {
                "()": "flexadmin.ops.log_records.RedactingStderrHandler",
                "secrets": sorted(secrets),
                "formatter": form,
            }
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "flows": {"level": level},
            "flexadmin": {"level": level},
            "django": {"level": "WARNING"},
            # Only errors with a traceback. Denied requests are in the audit log.
            "django.request": {"level": "ERROR"},
            # Without the handler of runserver.
            "django.server": {"level": "ERROR", "handlers": [], "propagate": True},
        },
    }


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON.

    Of its extra attributes only `EXTRA_FIELDS` are logged: a request's query can hold secrets.
    """

    def format(self, record: logging.LogRecord) -> str:
        logged_at = datetime.fromtimestamp(record.created, UTC)
        fields = {
            "time": logged_at.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name in EXTRA_FIELDS:
            value = getattr(record, name, None)
            if value not in (None, ""):
                fields[name] = value
        if record.exc_text:
            fields["exception"] = record.exc_text
        return json.dumps(fields, default=str)


class LineFormatter(logging.Formatter):
    """Formats a record for a terminal.

    A record is always one line. The lines of a traceback are indented, so that none of them looks
    like a record.
    """

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name} {message} {request_id}", style="{")

    def formatMessage(self, record: logging.LogRecord) -> str:
        return escape_line(super().formatMessage(record).rstrip())

    def format(self, record: logging.LogRecord) -> str:
        """Format like the base class, but escape and indent the traceback."""
        record.message = record.getMessage()
        record.asctime = self.formatTime(record)
        lines = [self.formatMessage(record)]
        for trace in (record.exc_text, record.stack_info):
            if trace:
                lines += [f"{INDENT}{escape_line(line)}" for line in trace.split("\n")]
        return "\n".join(lines)


class RedactingStderrHandler(logging.StreamHandler[Any]):
    """Writes each record without secrets. The record itself stays the same for other handlers."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        spellings: set[str] = set()
        for secret in secrets:
            if len(secret) >= MIN_SECRET_LENGTH:
                spellings |= _spellings(secret)
        # The longest first, because one spelling can be part of another.
        alternatives = "|".join(map(re.escape, sorted(spellings, key=len, reverse=True)))
        self._secrets = re.compile(alternatives) if alternatives else None

    def format(self, record: logging.LogRecord) -> str:
        record = copy.copy(record)
        record.request_id = getattr(record, "request_id", "") or request_id.get()
        record.msg, record.args = self.redact_secrets(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip()
        for name in ("exc_text", "stack_info", "path"):
            text = getattr(record, name, None)
            if text:
                setattr(record, name, self.redact_secrets(str(text)))
        record.exc_info = None
        return super().format(record)

    def redact_secrets(self, text: str) -> str:
        if self._secrets:
            text = self._secrets.sub(MASK, text)  # first: a cut could leave a part of a secret
        text = _shorten(text)
        text = _AUTHORIZATION.sub(rf"\1{MASK}", text)
        text = _SCHEME.sub(rf"\1 {MASK}", text)
        return str(redact(text))

    def handleError(self, record: logging.LogRecord) -> None:
        """Report a record that can't be written, without its message, which can hold secrets."""
        error_type = sys.exc_info()[0]
        error_name = error_type.__name__ if error_type else "unknown"
        sys.stderr.write(
            f"A log record of {record.name}, {record.filename}:{record.lineno}, could not be "
            f"written: {error_name}\n"
        )


def _shorten(text: str) -> str:
    """Return the text, or its beginning and its end if it is too long."""
    omitted = len(text) - MAX_LENGTH
    if omitted <= 0:
        return text
    half = MAX_LENGTH // 2
    return f"{text[:half]} [{omitted} characters omitted] {text[-half:]}"


def _spellings(secret: str) -> set[str]:
    """Return a secret as it can appear in a text: as it is, in a URL, in JSON, in a repr."""
    return {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
    }
