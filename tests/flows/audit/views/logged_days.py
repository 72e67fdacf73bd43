"""Events of several days for the tests of the log's pages. Their clock is the fixture `at`."""

from datetime import UTC, datetime

from flows.audit import audit_log
from flows.audit.audit_log import Actor

OMAR = Actor(id="1", label="omar", role="operator")
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def log_events(count, **values):
    for _ in range(count):
        audit_log.append(
            **{"action": "flow.export", "stage": "access", "result": "succeeded", "actor": OMAR}
            | values
        )
