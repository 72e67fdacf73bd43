"""The metrics page and its token."""

import os
import subprocess
import sys
import uuid

import pytest
from django.db import DatabaseError
from prometheus_client.parser import text_string_to_metric_families

from flexadmin.ops import metrics
from flows.accounts import clients
from flows.audit import audit_log, verification
from flows.mirror import flow_reads
from flows.twilio.errors import FlexError
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests.faults.acting import OMAR, append_attempt, create_flow, switch_flow

TOKEN = "metrics-token-0123456789"


@pytest.fixture(autouse=True)
def _reset_counters():
    metrics.TWILIO_CALLS.clear()


@pytest.fixture
def scrape(client, settings):
    """Return every sample by its name and labels."""
    settings.METRICS_TOKEN = TOKEN

    def samples():
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        return {
            (sample.name.removeprefix("flexflow_"), *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(answer.content.decode())
            for sample in family.samples
        }

    return samples


@pytest.mark.django_db
@pytest.mark.parametrize(
    "brought", [None, "", "Bearer", "Bearer ", "Bearer wrong", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xfc"]
)  # fmt: skip
@pytest.mark.parametrize("token", [TOKEN, ""])
def test_page_is_404_without_the_token(client_of, settings, brought, token):
    settings.METRICS_TOKEN = token
    headers = {} if brought is None else {"Authorization": brought}

    assert client_of("admin").get("/metrics", headers=headers).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_each_call_is_counted_by_verb_and_result(scrape, sandbox, flow_sid):
    sandbox.inject(Fault(FaultKind.TOO_MANY, method="POST", times=1))
    switch_flow(flow_sid)
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST", times=1))
    create_flow()
    with pytest.raises(FlexError):
        clients.resource_client(FLEX_FLOW, "AC" + "5a" * 16).fetch("FO" + "9" * 32)

    scraped = scrape()

    counts = {
        key[1:]: value for key, value in scraped.items() if key[0] == "twilio_call_seconds_count"
    }
    assert counts[("succeeded", "list")] == 1
    assert counts[("throttled", "update")] == counts[("succeeded", "update")] == 1
    assert counts[("refused", "create")] == 1
    assert counts[("refused", "fetch")] == 1
    assert all(value >= 0 for key, value in scraped.items() if key[0] == "twilio_call_seconds_sum")


@pytest.mark.django_db
def test_unsent_call_and_lost_response_are_counted(scrape, settings, sandbox):
    sandbox.inject(Fault(FaultKind.DROP, method="GET", times=4))
    with pytest.raises(FlexError):
        flow_reads.fetch_all("AC" + "5a" * 16)
    settings.FLEX_API_URL = "http://127.0.0.1:9/v1"
    with pytest.raises(FlexError):
        clients.resource_client(FLEX_FLOW, "AC" + "5a" * 16).create({"friendly_name": "x"})

    scraped = scrape()

    assert scraped["twilio_call_seconds_count", "unknown", "list"] == 4
    assert scraped["twilio_call_seconds_count", "never_sent", "create"] == 1


@pytest.mark.django_db(transaction=True)
def test_state_of_mirror_changes_and_log(scrape, sandbox, flow_sid, settings):
    before = scrape()
    append_attempt(flow_sid)
    sandbox.edit_flow(sandbox.add_flow(), friendly_name="Theirs")
    verification.verify_and_record(actor=OMAR)
    audit_log.append(action="test.more", stage="access", result="denied", actor=OMAR)

    scraped = scrape()

    assert 0 <= scraped["mirror_age_seconds", settings.FLEX_ACCOUNTS[0].sid] < 60
    assert ("audit_verified_intact",) not in before
    assert before["open_changes", "attempt"] == 0
    assert scraped["open_changes", "attempt"] == 1
    assert scraped["open_changes", "unknown"] == 0
    assert scraped["open_drift",] == 0
    assert scraped["audit_events",] == audit_log.last_seq()
    assert scraped["audit_verified_intact",] == 1
    assert scraped["audit_events_since_verified",] == 1
    verified = verification.last_verification()
    assert scraped["audit_verified_timestamp_seconds",] == pytest.approx(
        verified.event.at.timestamp()
    )
    assert scraped["database_up",] == 1


@pytest.mark.django_db(transaction=True)
def test_failed_verification_is_reported(scrape, monkeypatch):
    monkeypatch.setattr(
        verification, "verify", lambda **_: verification.VerificationResult(1, 2, 2, "is missing")
    )
    verification.verify_and_record(actor=OMAR)

    assert scrape()["audit_verified_intact",] == 0


@pytest.mark.django_db
def test_unreachable_database_is_reported(scrape, monkeypatch):
    def fail():
        raise DatabaseError

    monkeypatch.setattr(audit_log, "last_seq", fail)

    scraped = scrape()

    assert scraped["database_up",] == 0
    assert ("audit_events",) not in scraped


@pytest.mark.django_db(transaction=True)
def test_failed_counting_affects_no_change(sandbox, flow_sid, monkeypatch):
    def broken(*_args):
        raise OSError("no space left")

    monkeypatch.setattr(metrics.TWILIO_CALLS, "labels", broken)

    assert switch_flow(flow_sid, change_id=uuid.uuid4()).event.result == "succeeded"


COUNT = """
import os, sys
from django.conf import settings
settings.configure(AUDIT_KEY="x")
import django
settings.INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "flows"]
django.setup()
from flexadmin.ops import metrics
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
for _ in range(3):
    if not (child := os.fork()):
        metrics.observe_call(verb="list", result="succeeded", seconds=0.1)
        os._exit(0)
    os.waitpid(child, 0)
summed = CollectorRegistry()
MultiProcessCollector(summed)
print(generate_latest(summed).decode())
"""


def test_calls_of_several_processes_are_summed_up(tmp_path):
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    said = subprocess.run(
        [sys.executable, "-c", COUNT], env=environment, capture_output=True, text=True, check=True
    )

    assert 'flexflow_twilio_call_seconds_count{result="succeeded",verb="list"} 3.0' in said.stdout
