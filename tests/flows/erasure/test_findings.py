"""Findings quote names and identities: an erasure takes them along."""

import pytest

from flows.audit.models import AuditEvent
from flows.checks import evaluation
from flows.checks.models import CheckedAccount, StoredFinding
from flows.checks.stored_findings import ERASED
from flows.erasure.compaction import PERSONAL_DATA_TABLES
from flows.erasure.erasure import erase
from flows.erasure.preview import preview_erasure
from tests import ACCOUNT
from tests.flows.checks.complete_flows import flow
from tests.flows.checks.test_checking import READ, read_completely, store

pytestmark = pytest.mark.django_db
NUMBER = "+33199000123"
SID, OTHER_SID = f"FO{0:032}", f"FO{1:032}"
TWO_ON = "two-flows-on-for-one-identity"


def check():
    evaluation.request_evaluation(ACCOUNT)
    assert evaluation.evaluate(ACCOUNT)


@pytest.fixture(autouse=True)
def _findings():
    """A flow whose findings appeared, which quote its number and are quoted at another flow."""
    read_completely(*READ)
    first = flow("studio", "sms", friendly_name="Réclamations", contact_identity="", enabled=True)
    other = flow("studio", "sms", friendly_name="Other", contact_identity=NUMBER, enabled=True)
    store(first, other)
    check()
    store(first | {"contact_identity": NUMBER}, other)
    check()


def messages():
    return " ".join(StoredFinding.objects.values_list("message", flat=True))


def recorded():
    events = AuditEvent.objects.filter(action__startswith="finding.").select_related("payload")
    return str([(event.payload.message, event.payload.contact_identity) for event in events])


def test_erasure_of_a_number_takes_findings_and_their_events(actor):
    assert NUMBER in messages()
    assert NUMBER in recorded()
    assert preview_erasure(identity=NUMBER).copies

    erase(identity=NUMBER, reason="Asked for", actor=actor)

    assert NUMBER not in messages()
    assert NUMBER not in recorded()
    assert not StoredFinding.objects.filter(sid__in=[SID, OTHER_SID]).exists()


def test_erasure_of_a_flow_empties_the_sentences_of_others_that_name_it(actor):
    assert "“Réclamations”" in StoredFinding.objects.get(sid=OTHER_SID, rule_id=TWO_ON).message
    changes = CheckedAccount.objects.get().changes

    erase(sid=SID, reason="Asked for", actor=actor)

    assert not StoredFinding.objects.filter(sid=SID).exists()
    assert StoredFinding.objects.get(sid=OTHER_SID, rule_id=TWO_ON).message == ERASED
    assert "Réclamations" not in messages()
    assert CheckedAccount.objects.get().changes == changes + 1
    evaluation.evaluate(ACCOUNT)  # the mirror no longer has the flow
    assert not StoredFinding.objects.filter(rule_id=TWO_ON).exists()
    assert ERASED not in messages()


def test_table_of_findings_is_compacted():
    assert StoredFinding._meta.db_table in PERSONAL_DATA_TABLES
