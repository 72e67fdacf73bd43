"""The type of redacted values: what mypy refuses, and the one place that makes such values."""

import ast
import subprocess
import sys
from pathlib import Path

from flows.redaction.redacted import redact_fields

BASE_DIR = Path(__file__).parents[3]
REDACTION = BASE_DIR / "flows" / "redaction"
SECRET_URL = "https://user:p4ssw0rd@hooks.example.com/in"

# Each line that uses `unmasked` must be an error, and no other line.
USES = """\
from flows.audit.audit_log import Payload
from flows.audit.models import AuditPayload
from flows.flex_flows import snippets
from flows.mirror import flow_rows
from flows.mirror.models import Flow
from flows.plans.models import PlannedChange
from flows.redaction.redacted import Redacted, redact_fields
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.resource import Snapshot


def use(row: Flow, unmasked: Snapshot) -> None:  # the parameter
    masked = redact_fields(unmasked)  # the gate
    Flow(resource=masked)
    Flow(resource=unmasked)
    row.resource = masked
    row.resource = unmasked
    AuditPayload(before=masked)
    AuditPayload(before=unmasked)
    PlannedChange(requested=masked)
    PlannedChange(requested=unmasked)
    Payload(after=masked)
    Payload(after=unmasked)
    flow_rows.save_snapshots({"FO1": masked}, "AC1")
    flow_rows.save_snapshots({"FO1": unmasked}, "AC1")
    snippets.as_json(FLEX_FLOW, [masked])
    snippets.as_json(FLEX_FLOW, [unmasked])
    one: Redacted = masked
    other: Redacted = {**masked, **unmasked}
"""


def find_made_values(code):
    """Return the numbers of the lines that make a `Redacted` by calling it or by a cast."""
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    return [call.lineno for call in calls if _makes_redacted(call)]


def _makes_redacted(call):
    called = ast.unparse(call.func).rpartition(".")[2]
    return called == "Redacted" or (called == "cast" and "Redacted" in ast.unparse(call.args[0]))


def test_mypy_refuses_a_snapshot_where_redacted_values_are_required(tmp_path):
    source = tmp_path / "uses.py"
    source.write_text(USES)
    expected = {
        number
        for number, line in enumerate(USES.splitlines(), start=1)
        if "unmasked" in line and "#" not in line
    }

    command = [sys.executable, "-m", "mypy", "--no-pretty", "--no-error-summary", str(source)]
    run = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=False)

    errors = [line.split(":") for line in run.stdout.splitlines() if ": error:" in line]
    assert not run.stderr
    # Only the name is compared, because an error from mypy's cache has the path of an earlier run.
    lines = {int(number) for path, number, *_ in errors if Path(path).name == source.name}
    assert lines == expected


def test_only_redaction_makes_redacted_values():
    paths = [*BASE_DIR.glob("flows/**/*.py"), *BASE_DIR.glob("flexadmin/**/*.py")]

    lines = {str(path): find_made_values(path.read_text()) for path in paths}

    assert [path for path, numbers in lines.items() if numbers] == [str(REDACTION / "redacted.py")]


def test_search_finds_calls_and_casts():
    code = 'Redacted({})\ncast(Redacted, x)\ncast("Redacted | None", x)\nredacted({})\n'

    assert find_made_values(code) == [1, 2, 3]


def test_fields_are_masked_and_storable():
    snapshot = {"sid": "FO1", "friendly_name": "a\x00b", "integration_url": SECRET_URL}

    redacted = redact_fields(snapshot)

    assert redacted["friendly_name"] == "a\u2400b"
    assert "p4ssw0rd" not in redacted["integration_url"]
    assert redact_fields(redacted) == redacted
    assert snapshot["integration_url"] == SECRET_URL


def test_no_object_stays_none():
    assert redact_fields(None) is None
