"""Files for tests of `apply`, and runs of the command against the sandbox over real HTTP."""

import io

import yaml
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.faults.acting import received_writes

SERVICE, STUDIO = "IS" + "1" * 32, "FW" + "1" * 32


def make_entry(**fields):
    """Return a flow of a file that has no SID."""
    entry = {
        "friendly_name": "Bookings",
        "chat_service_sid": SERVICE,
        "channel_type": "sms",
        "contact_identity": "+33199000101",
        "enabled": False,
        "integration_type": "studio",
        "integration_flow_sid": STUDIO,
        "integration_retry_count": 3,
    }
    return {name: value for name, value in (entry | fields).items() if value is not ...}


def make_file(tmp_path, *entries, name="flows.yaml", **keys):
    """Write a file with these flows and return its path."""
    path = tmp_path / name
    path.write_text(yaml.safe_dump({**keys, "flows": list(entries)}, sort_keys=False))
    return str(path)


def apply(*arguments):
    """Return the lines that the command printed, and its error or ""."""
    out = io.StringIO()
    try:
        call_command("apply", *map(str, arguments), stdout=out)
    except CommandError as error:
        return out.getvalue().splitlines(), str(error)
    return out.getvalue().splitlines(), ""


def write_methods(sandbox):
    """Return the methods of the requests that changed something."""
    return [request.method for request in received_writes(sandbox)]
