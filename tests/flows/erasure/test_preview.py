"""The preview of an erasure says what an erasure does, and writes nothing."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flows.erasure import erasure
from flows.erasure.preview import preview_erasure
from flows.search.models import SavedView
from tests.faults.acting import append_attempt, clock_ahead
from tests.flows.erasure.recorded_data import NUMBER, SID, record

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def recorded(actor, flow_sid, person):
    """Events with the number of the fixture's flow, and a saved view."""
    record(actor, target_sid=flow_sid, contact_identity=NUMBER)
    record(actor, target_sid=flow_sid, contact_identity=NUMBER, reason=f"Calls from {NUMBER}")
    record(actor, friendly_name=f"Ext {NUMBER}77")
    SavedView.objects.create(person=person("viewer"), name="Lyon", query=f"q=%2B{NUMBER[1:]}")
    return flow_sid


@pytest.mark.parametrize("by_identity", [True, False])
def test_preview_has_the_figures_of_the_erasure(recorded, actor, by_identity):
    subject = {"identity": NUMBER} if by_identity else {"sid": recorded}

    preview = preview_erasure(**subject)
    result = erasure.erase(**subject, actor=actor)

    assert preview.events == len(result.erased_seqs) == 3  # with the first sync
    assert preview.flows == len(result.removed_sids) == 1
    assert preview.copies == 1
    assert preview.sids_at_twilio == result.sids_at_twilio == [recorded]
    assert preview.unerasable_seqs == result.unerasable_seqs
    assert preview.possible_seqs == result.possible_seqs
    assert len(preview.unerasable_seqs) == 1
    assert not preview.is_empty
    assert preview_erasure(**subject).is_empty


def test_preview_writes_nothing(recorded):
    with CaptureQueriesContext(connection) as queries:
        preview_erasure(identity=NUMBER)

    writes = [
        one["sql"] for one in queries if one["sql"].startswith(("INSERT", "UPDATE", "DELETE"))
    ]
    assert writes == []


def test_open_changes_are_previewed():
    attempt = append_attempt(SID)

    in_progress = preview_erasure(sid=SID)
    with clock_ahead():
        unresolved = preview_erasure(sid=SID)

    assert (in_progress.change_in_progress, in_progress.open_changes) == (attempt, [])
    assert (unresolved.change_in_progress, unresolved.open_changes) == (None, [attempt])
