"""The `sandbox` command: its output, its service and its failures."""

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from flows.management.commands.sandbox import Command
from flows.twilio.sandbox.server import Sandbox
from tests.flows.twilio import FLOWS, address, call
from tests.patience import HANG_TIMEOUT


def test_sandbox_command_prints_where_to_point_the_site_and_serves_until_interrupted(monkeypatch):
    out = io.StringIO()
    served = []

    def look(_):
        lines = dict(line.partition("=")[::2] for line in out.getvalue().splitlines()[1:])
        sandbox = Sandbox()
        sandbox._server = type(
            "There", (), {"server_port": int(lines["FLEX_API_URL"].split(":")[2][:-3])}
        )
        served.append((lines, len(call(sandbox, "GET", FLOWS).json["flex_flows"])))
        raise KeyboardInterrupt

    monkeypatch.setattr(Command, "wait", look)

    call_command("sandbox", port=0, flows=7, latency_ms=1, stdout=out)

    ((lines, count),) = served
    assert out.getvalue().startswith(f"Sandbox with 7 flows on {lines['FLEX_API_URL']} ")
    assert lines["TWILIO_API_URL"] == lines["FLEX_API_URL"].replace("/v1", "/{product}")
    assert lines["TWILIO_ACCOUNT_SID"] == "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
    assert lines["TWILIO_API_KEY"] == "SK5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b"
    assert lines["TWILIO_API_SECRET"] == "sandbox-secret"
    assert count == 7


def test_sandbox_command_reports_a_port_in_use():
    with Sandbox() as other_sandbox:
        port = address(other_sandbox)[1]

        with pytest.raises(CommandError, match=f"can't listen on port {port}.*--port"):
            call_command("sandbox", port=port, flows=0)


def test_sandbox_command_reports_an_invalid_port():
    with pytest.raises(CommandError, match="can't listen on port 99999"):
        call_command("sandbox", port=99999, flows=0)


def test_sandbox_command_ends_well_with_ctrl_c_and_needs_no_settings(tmp_path):
    manage = Path(__file__).parents[3] / "manage.py"
    process = subprocess.Popen(
        [sys.executable, manage, "sandbox", "--port", "0", "--flows", "1"],
        env={"PATH": os.environ["PATH"], "ENV_FILE": os.devnull},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines = [process.stdout.readline() for _ in range(5)]

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=HANG_TIMEOUT)

    assert lines[0].startswith("Sandbox with 1 flows on http://127.0.0.1:")
    assert (process.returncode, errors) == (0, "")
    assert lines[1].startswith("FLEX_API_URL=http://127.0.0.1:")
