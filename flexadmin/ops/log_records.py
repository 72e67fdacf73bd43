"""What the site says on standard error: a line for each record, as JSON or for a terminal, with the id of the request
that it belongs to. The same id stands in the audit log's events and in the answer's X-Request-Id.

The code that logs leaves secrets out. Here is the last net: whatever still looks like one is masked, in messages and
in tracebacks alike.
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

EXTRA_FIELDS: Final = (
    "request_id",
    "method",
    "path",
    "status",
    "duration_ms",
    "person",
)  # beside the message
FORMATS: Final[tuple[str, ...]] = ("json", "line")
MIN_SECRET_LENGTH: Final = 6  # characters; what is shorter would mask half of every line
MASK: Final = "masked"
INDENT: Final = "    "  # of what belongs to the line above
_AUTHORIZATION = re.compile(
    r"""(authorization\b['"]?\s*[:=,]\s*b?['"]?)[^'"\r\n,}]+""", re.IGNORECASE
)
_SCHEME = re.compile(r"\b(basic|bearer)\s+[\w+/=.~-]{6,}", re.IGNORECASE)


def build_logging_config(*, form: str, level: str, secrets: Iterable[str]) -> dict[str, Any]:
    """Django's LOGGING. One handler, at the root, so that a library's warning comes as all else does."""
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
            "django.request": {
                "level": "ERROR"
            },  # a 500 with its trace; refusals are in the audit log
            "django.server": {
                "level": "ERROR",
                "handlers": [],
                "propagate": True,
            },  # runserver's own
        },
    }


class JsonFormatter(logging.Formatter):
    """One line of JSON. Of what a record carries besides, only `FIELDS` are shown: a request would bring its query."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        said = {
            "time": at,
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        said |= {
            name: value
            for name in EXTRA_FIELDS
            if (value := getattr(record, name, None)) not in (None, "")
        }
        if record.exc_text:
            said["exception"] = record.exc_text
        return json.dumps(said, default=str)


class LineFormatter(logging.Formatter):
    """For somebody at a terminal. A record is one line, whatever it quotes; the lines of a traceback are indented, so
    that none can pass for a record."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name} {message} {request_id}", style="{")

    def formatMessage(self, record: logging.LogRecord) -> str:
        return escape_line(super().formatMessage(record).rstrip())

    def format(self, record: logging.LogRecord) -> str:
        """Like logging's own, which would take the trace as it is."""
        record.message = record.getMessage()
        record.asctime = self.formatTime(record)
        traces = (record.exc_text, record.stack_info)
        lines = [line for trace in traces if trace for line in trace.split("\n")]
        return "\n".join(
            [self.formatMessage(record), *(f"{INDENT}{escape_line(line)}" for line in lines)]
        )


class RedactingStderrHandler(logging.StreamHandler[Any]):
    """Writes each record without its secrets; the record itself, which others may handle too, stays as it is."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        spelled = {
            spelling
            for secret in secrets
            if len(secret) >= MIN_SECRET_LENGTH
            for spelling in _spellings(secret)
        }
        # The longest first: one may stand within another.
        alternatives = "|".join(map(re.escape, sorted(spelled, key=len, reverse=True)))
        self._secrets = re.compile(alternatives) if alternatives else None

    def format(self, record: logging.LogRecord) -> str:
        record = copy.copy(record)
        record.request_id = getattr(record, "request_id", "") or request_id.get()
        record.msg, record.args = self.redact_secrets(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip()
        for name in ("exc_text", "stack_info", "path"):
            if text := getattr(record, name, None):
                setattr(record, name, self.redact_secrets(str(text)))
        record.exc_info = None
        return super().format(record)

    def redact_secrets(self, text: str) -> str:
        if self._secrets:
            text = self._secrets.sub(MASK, text)
        text = _SCHEME.sub(rf"\1 {MASK}", _AUTHORIZATION.sub(rf"\1{MASK}", text))
        return str(redact(text))

    def handleError(self, record: logging.LogRecord) -> None:
        """A record that can't be written is told of without what it would have said: logging's own would show all."""
        kind = sys.exc_info()[0]
        sys.stderr.write(
            f"A log record of {record.name}, {record.filename}:{record.lineno}, could not be written: "
            f"{kind.__name__ if kind else 'unknown'}\n"
        )


def _spellings(secret: str) -> set[str]:
    """As it may stand in a text: itself, in an address, in JSON, in a repr."""
    return {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
    }
