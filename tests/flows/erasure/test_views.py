"""The page that erases personal data: who may, preview, what stands in the way, and the result."""

import re

import pytest
from django.utils import timezone

from flows.audit.models import AuditEvent, AuditPayload
from flows.erasure import compaction
from flows.erasure.compaction import CompactionFailed
from flows.mirror.models import Flow
from tests.faults.acting import append_attempt, clock_ahead, failing_inserts
from tests.flows.erasure.recorded_data import NUMBER, erased_seqs, record
from tests.markup import squeezed

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/audit/erasure/"


@pytest.fixture
def admin(client_of):
    return client_of("admin")


@pytest.fixture
def deleted_sid(flow_sid):
    """SID of a flow that Twilio no longer has, so that nothing stands in the way."""
    Flow.objects.update(gone_at=timezone.now())
    return flow_sid


def text(response):
    return squeezed(re.sub(r"<[^>]+>", " ", response.content.decode()))


def erase(client, subject, **values):
    return client.post(PATH, {"subject": subject, "confirm": subject, "erase": "1", **values})


def erasure_events():
    return AuditEvent.objects.filter(action="audit.erase", result="succeeded")


def test_preview_erases_nothing_and_keeps_the_subject_out_of_addresses(admin, flow_sid):
    page = admin.post(PATH, {"subject": f" {NUMBER} "})

    assert page.status_code == 200
    assert f"{NUMBER} : nothing is erased yet" in text(page)
    assert "Events 1 will lose their contents" in text(page)
    assert "Still at Twilio" in text(page)
    assert 'method="post"' in page.content.decode()
    assert erased_seqs() == []
    assert Flow.objects.exists()


@pytest.mark.parametrize("by_identity", [True, False])
def test_confirmed_erasure_is_made_and_recorded(admin, deleted_sid, by_identity):
    subject = NUMBER if by_identity else deleted_sid

    page = erase(admin, subject, reason="request 4711")

    event = erasure_events().get()
    assert page.status_code == 200
    assert len(erased_seqs()) == 1
    assert "Erased from 1 event and 1 cached flow" in text(page)
    assert f'href="/audit/{event.event_id}/"' in page.content.decode()
    assert (event.actor_label, event.reason) == ("admin", "request 4711")
    assert event.target_sid == ("" if by_identity else deleted_sid)
    assert not Flow.objects.exists()
    assert not AuditPayload.objects.filter(contact_identity=NUMBER).exists()
    assert "The database was compacted." in text(page)
    assert "Out of reach" in text(page)


def test_flow_that_twilio_still_has_is_not_erased_unless_forced(admin, flow_sid):
    refused = erase(admin, flow_sid)

    assert refused.status_code == 422
    assert "Delete or change it at Twilio first, or tick this box." in text(refused)
    assert erased_seqs() == []

    page = erase(admin, flow_sid, despite_twilio="on")

    assert page.status_code == 200
    assert "Still at Twilio The next sync brings the data back." in text(page)
    assert erasure_events().count() == 1


def test_flow_that_a_sync_found_meanwhile_is_not_erased(admin, flow_sid, monkeypatch):
    from flows.erasure import views

    preview = views.preview_erasure(identity="nowhere in the log")
    monkeypatch.setattr(views, "preview_erasure", lambda **_values: preview)

    page = erase(admin, flow_sid)

    assert page.status_code == 422
    assert erased_seqs() == []
    assert not erasure_events().exists()


@pytest.mark.parametrize("confirm", ["", "something else", NUMBER[:-1]])
def test_confirmation_must_be_the_subject(admin, deleted_sid, confirm):
    page = erase(admin, NUMBER, confirm=confirm)

    assert page.status_code == 422
    assert page.context["form"].errors.keys() == {"confirm"}
    assert erased_seqs() == []


@pytest.mark.parametrize("subject", ["", "  ", "+1", "\u200b"])
def test_subject_must_be_long_enough(admin, subject):
    page = admin.post(PATH, {"subject": subject})

    assert page.status_code == 422
    assert page.context["form"].errors.keys() == {"subject"}
    assert "Nothing was erased" in text(page)


def test_reason_must_not_contain_the_data(admin, deleted_sid):
    page = erase(admin, NUMBER, reason=f"Asked by {NUMBER}")

    assert page.status_code == 422
    assert "The reason contains the data to erase." in text(page)
    assert erased_seqs() == []


def test_change_with_an_unknown_outcome_takes_a_box_and_a_reason(admin, deleted_sid):
    append_attempt(deleted_sid)
    with clock_ahead():
        admin.get("/")  # the session is renewed by the later clock
        assert "Resolve the changes" in text(erase(admin, deleted_sid))
        without_reason = erase(admin, deleted_sid, despite_open_change="on")
        assert "Enter a reason" in text(without_reason)
        assert erased_seqs() == []

        page = erase(admin, deleted_sid, despite_open_change="on", reason="request 4711")

    assert page.status_code == 200
    assert "Needs your decision" in text(page)


def test_change_in_progress_must_end_first(admin, deleted_sid):
    append_attempt(deleted_sid)

    preview = admin.post(PATH, {"subject": deleted_sid})
    page = erase(admin, deleted_sid)

    assert "has no outcome yet. Try again in a minute." in text(preview)
    assert 'data-busy="Erasing…"' not in preview.content.decode()
    assert page.status_code == 422
    assert erased_seqs() == []


def test_nothing_is_erased_if_it_can_not_be_recorded(admin, deleted_sid):
    with failing_inserts("flows_auditevent"):
        page = erase(admin, NUMBER)

    assert page.status_code == 503
    assert "write to the audit log" in text(page)
    assert erased_seqs() == []


def test_page_says_that_the_files_may_still_contain_the_data(admin, deleted_sid, monkeypatch):
    def fail():
        raise CompactionFailed("Another connection still reads an older state.")

    monkeypatch.setattr(compaction, "compact", fail)

    page = text(erase(admin, NUMBER))

    assert "files may still contain it. Another connection still reads an older state." in page
    assert "Stop the site and run erase_personal_data again." in page


def test_what_can_not_be_erased_is_listed(admin, deleted_sid, actor):
    record(actor, target_sid=deleted_sid, reason=f"Calls from {NUMBER}")
    seq = AuditEvent.objects.latest("seq").seq

    preview = text(admin.post(PATH, {"subject": NUMBER}))
    result = text(erase(admin, NUMBER))

    sentence = f"Can’t be erased It is in the reason, user or browser of event {seq}, which"
    assert sentence in preview
    assert sentence in result


def test_unknown_subject_has_nothing_to_erase(admin):
    page = admin.post(PATH, {"subject": "+14155550100"})

    assert "there is nothing to erase" in text(page)
    assert "Erasing…" not in page.content.decode()


def test_result_of_a_second_click_says_that_nothing_is_left(admin, deleted_sid):
    erase(admin, NUMBER)

    page = erase(admin, NUMBER)

    assert "Nothing to erase" in text(page)
    assert erasure_events().count() == 1


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
def test_other_roles_may_not_erase(client_of, deleted_sid, role):
    client = client_of(role)

    assert client.get(PATH).status_code == 403
    assert erase(client, NUMBER).status_code == 403
    assert AuditEvent.objects.filter(action="audit.erase", result="denied").count() == 1
    assert erased_seqs() == []
    assert PATH not in client.get("/audit/").content.decode()


def test_administrator_of_one_account_may_not_erase(client_of, flow_sid, staging):
    client = client_of("admin", "eva", staging.account_sid)

    assert client.get(PATH).status_code == 403
    assert PATH not in client.get("/audit/").content.decode()


def test_log_leads_administrators_to_the_page(admin):
    assert f'href="{PATH}"' in admin.get("/audit/").content.decode()
    assert admin.get(PATH).status_code == 200


def test_preview_and_result_say_the_same_of_what_stays(admin, deleted_sid, actor):
    record(actor, target_sid=deleted_sid, reason=f"Calls from {NUMBER}")
    record(actor, friendly_name=f"Ext {NUMBER}77")

    def sentences(page):
        """Return the sentences that begin with a status, without "Out of reach"."""
        html = squeezed(page.content.decode()).split('class="panel erasure"')[1]
        found = re.findall(r'<p><span class="status \w+">(.*?)</p>', html)
        return [sentence for sentence in found if not sentence.startswith("Out of reach")]

    preview = sentences(admin.post(PATH, {"subject": NUMBER}))

    assert [sentence.split("<")[0] for sentence in preview] == ["Can’t be erased", "Stays"]
    assert sentences(erase(admin, NUMBER)) == preview


def test_forms_are_in_a_card(admin, deleted_sid):
    pages = [admin.get(PATH), admin.post(PATH, {"subject": NUMBER})]

    for page, last_field in zip(pages, ("subject", "reason"), strict=True):
        form = page.content.decode().split('<form class="sheet')[1].split("</form>")[0]
        card = form.split("<fieldset>")[1].split("</fieldset>")[0]
        assert f'name="{last_field}"' in card
