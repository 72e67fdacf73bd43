"""Fills an empty database: `python -m tests.benchmarks.fill FLOWS`, under admin_settings.

It adds flows to the mirror and a user with all permissions in both sites, and collects static
files. Unlike prepare.py, it needs neither Twilio nor the log, which don't matter for the list.
"""

import os
import sys
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import tests.faults.ready  # noqa: F401 - Django comes first

# isort: split
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from flexadmin.users.roles import ensure_groups
from flows.core.normalization import normalize_text
from flows.mirror import flow_rows
from flows.mirror.models import SyncState
from flows.names.models import ResourceName
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox import seed

COMMON_WORD = "sms"  # many flows have this in their names
RARE_WORD = "quietly"  # one has
ACCENTED_WORD = ("r%C3%A9clam", "reclam")  # some have; as people type it, and folded
# One flow uses this Studio Flow.
RARE_TARGET, RARE_TARGET_NAME = "FW" + "0123456789abcdef" * 2, "Quarterly survey"
BATCH_SIZE = 5000


def fill_mirror(flows: int) -> None:
    """Add the sandbox's sample flows, one of them with a unique name."""
    account_sid = settings.FLEX_ACCOUNTS[0].sid
    bodies = seed.generate_flows(flows, seed=1, account_sid=account_sid, end_time=timezone.now())
    made = {body["sid"]: FLEX_FLOW.decode(body) for body in bodies}
    next(iter(made.values()))["friendly_name"] = f"{RARE_WORD.title()} unique"
    last = list(made.values())[-1]
    last.update(integration_type="studio", integration_flow_sid=RARE_TARGET)
    name_studio_flows(account_sid, made.values())
    everything = list(made.items())
    for start in range(0, flows, BATCH_SIZE):
        flow_rows.save_snapshots(dict(everything[start : start + BATCH_SIZE]), account_sid)
    # So fresh that no browser asks for a refresh: at the sandbox there are none of these flows.
    synced_at = timezone.now() + timedelta(days=1)
    SyncState.objects.create(
        account_sid=account_sid, synced_at=synced_at, baseline_at=synced_at, flows=flows
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def name_studio_flows(account_sid: str, flows: Iterable[Mapping[str, Any]]) -> None:
    """Store a name for each Studio Flow that a flow uses."""
    sids = {flow.get("integration_flow_sid") for flow in flows} - {None, RARE_TARGET}
    names = {sid: f"Studio Flow {number}" for number, sid in enumerate(sorted(sids), start=1)}
    names[RARE_TARGET] = RARE_TARGET_NAME
    ResourceName.objects.bulk_create(
        ResourceName(
            account_sid=account_sid,
            sid=sid,
            resource="studio_flow",
            name=name,
            name_folded=normalize_text(name),
            changed_at=timezone.now(),
        )
        for sid, name in names.items()
    )


def prepare_database(flows: int, name: str, password: str) -> None:
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    fill_mirror(flows)
    ensure_groups()
    person = User.objects.create_superuser(name, password=password)
    person.groups.set([Group.objects.get(name="admin")])


if __name__ == "__main__":
    prepare_database(int(sys.argv[1]), os.environ["PERSON_NAME"], os.environ["PERSON_PASSWORD"])
