"""Interactions, which Twilio doesn't list, and their channels: look-up, creation, and ending them."""

import html
import json

import pytest
from django.urls import reverse

from flows.audit.models import AuditEvent, OpenChange
from flows.changes import reconcile
from flows.mirror.models import LookedUpObject
from flows.resources import lookups
from flows.twilio.flex.interaction import INTERACTION, INTERACTION_CHANNEL
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.named_bodies import make_sid
from tests import ACCOUNT
from tests.conftest import form_data
from tests.flows.resources.conftest import common, sent

pytestmark = pytest.mark.django_db(transaction=True)
LIST_URL, NEW_URL = "/flex/interactions/", "/flex/interactions/new/"
ORDER, CALLBACK = make_sid("KD", "Order 4711"), make_sid("KD", "Callback 3")
OUTBOUND = {
    "channel_type": "sms",
    "channel_initiated_by": "agent",
    "customer_address": "+14155550123",
    "own_address": "+14155550100",
    "workspace_sid": "WS" + "1" * 32,
    "task_channel_unique_name": "sms",
}


@pytest.fixture
def operator(client_of):
    return client_of("operator")


def text_of(response):
    return html.unescape(response.content.decode())


def page_of(sid):
    return f"{LIST_URL}{sid}/"


def channel_store(sandbox, sid=ORDER):
    return sandbox.store_of(INTERACTION_CHANNEL, sid)


def channel_sid_of(sandbox, sid=ORDER):
    (channel_sid,) = channel_store(sandbox, sid).snapshot()
    return channel_sid


def channel_url(sandbox, page="", sid=ORDER):
    return f"{page_of(sid)}channels/{channel_sid_of(sandbox, sid)}/{page}"


class TestLookup:
    def test_sid_leads_to_the_interaction_and_is_remembered(self, client_of, sandbox, flow_on):
        viewer = client_of("viewer")

        answer = viewer.post(LIST_URL, {"sid": f" {ORDER} "})
        page = viewer.get(LIST_URL)

        assert answer.url == page_of(ORDER)
        assert [(one.sid, one.is_created_here) for one in page.context["known"]] == [(ORDER, False)]
        assert "Looked up here" in text_of(page)

    def test_reading_an_interaction_without_looking_it_up_keeps_nothing(
        self, operator, sandbox, flow_on
    ):
        operator.get(page_of(ORDER))

        assert not LookedUpObject.objects.exists()

    @pytest.mark.parametrize(
        ("sid", "message"),
        [
            ("", "Enter the SID of the interaction."),
            ("FO" + "1" * 32, "is not the SID of an interaction"),
            ("KD1", "is not the SID of an interaction"),
            ("KD" + "0" * 32, "Twilio has no interaction with this SID"),
        ],
    )
    def test_other_sid_is_refused_beside_the_field_and_kept(
        self, operator, sandbox, flow_on, sid, message
    ):
        answer = operator.post(LIST_URL, {"sid": sid})

        assert answer.status_code == 422
        assert message in str(answer.context["form"].errors["sid"])
        assert answer.context["form"]["sid"].value() == sid
        assert not LookedUpObject.objects.exists()

    def test_failing_twilio_is_said_and_the_sid_is_kept(self, operator, sandbox, flow_on):
        sandbox.inject(Fault(FaultKind.SERVER_ERROR, method="GET", times=None))

        answer = operator.post(LIST_URL, {"sid": ORDER})

        assert answer.status_code == 502
        assert "The interaction was not opened." in text_of(answer)
        assert answer.context["form"]["sid"].value() == ORDER

    def test_only_the_latest_are_kept(self, db, monkeypatch):
        monkeypatch.setattr(lookups, "MAX_KEPT", 2)
        for number in (1, 2, 3, 1):
            lookups.remember(INTERACTION, ACCOUNT, f"KD{number:032}")

        assert [one.sid for one in lookups.list_known(INTERACTION, ACCOUNT)] == [
            f"KD{1:032}", f"KD{3:032}",
        ]  # fmt: skip

    def test_other_accounts_look_ups_are_not_shown(self, db):
        lookups.remember(INTERACTION, "AC" + "9" * 32, ORDER)

        assert lookups.list_known(INTERACTION, ACCOUNT) == []


class TestCreate:
    def test_fields_and_json_become_two_objects(self, operator, sandbox, flow_on):
        routing = '{"properties": {"attributes": {"name": "Ana"}}}'

        answer = operator.post(NEW_URL, common(**OUTBOUND, routing=routing))

        ((_, path, parameters),) = sent(sandbox)
        assert answer.status_code == 302, text_of(answer)
        assert path == "/v1/Interactions"
        assert json.loads(parameters["Channel"]) == {
            "type": "sms",
            "initiated_by": "agent",
            "participants": [{"address": "+14155550123", "proxy_address": "+14155550100"}],
        }
        assert json.loads(parameters["Routing"]) == {
            "properties": {
                "attributes": {"name": "Ana"},
                "workspace_sid": "WS" + "1" * 32,
                "task_channel_unique_name": "sms",
            }
        }
        assert AuditEvent.objects.latest("seq").result == "succeeded"

    def test_created_one_is_known_here(self, operator, sandbox, flow_on):
        answer = operator.post(NEW_URL, common(**OUTBOUND))

        (known,) = operator.get(LIST_URL).context["known"]
        assert (known.url, known.is_created_here) == (answer.url, True)

    def test_answer_with_another_channel_object_is_no_surprise(self, operator, sandbox, flow_on):
        operator.post(NEW_URL, common(**OUTBOUND))
        page = operator.get(LIST_URL)

        assert "different value" not in text_of(page)

    def test_review_shows_the_objects_and_keeps_the_fields(self, operator, sandbox, flow_on):
        page = operator.post(NEW_URL, common(**OUTBOUND, review="1"))
        data = form_data(page)

        operator.post(NEW_URL, {**data, **common()})

        assert '"address": "+14155550123"' in text_of(page)
        assert json.loads(sent(sandbox)[0][2]["Channel"])["type"] == "sms"

    @pytest.mark.parametrize(
        ("values", "field", "message"),
        [
            ({"channel_type": ""}, "channel_type", "Channel type is missing."),
            ({"channel_type": "pigeon"}, "channel_type", "must be one of the choices"),
            ({"workspace_sid": "WS1"}, "workspace_sid", "must start with WS"),
            ({"channel": '{"type": "email"}'}, "channel_type", "in the JSON below too"),
            ({"channel": '{"participants": "all"}'}, "customer_address", "in the JSON below too"),
            ({"channel": '{"type": '}, "channel", "is not valid JSON"),
            ({"channel": "[1]"}, "channel", "must be a JSON object"),
        ],
    )
    def test_bad_input_is_said_beside_the_field_and_kept(
        self, operator, sandbox, flow_on, values, field, message
    ):
        typed = {**OUTBOUND, **values}

        answer = operator.post(NEW_URL, common(**typed))

        form = answer.context["form"]
        assert answer.status_code == 422
        assert message in str(form.errors[field])
        assert {name: form[name].value() for name in typed} == typed
        assert sent(sandbox) == []

    def test_same_value_in_both_places_is_accepted(self, operator, sandbox, flow_on):
        operator.post(NEW_URL, common(**OUTBOUND, channel='{"type": "sms"}'))

        assert json.loads(sent(sandbox)[0][2]["Channel"])["type"] == "sms"

    def test_twilio_sets_the_channel_up_afterwards(self, operator, sandbox, flow_on):
        page_url = operator.post(NEW_URL, common(**OUTBOUND)).url
        waits = 'hx-trigger="load delay:2s"'
        assert "Twilio is still working on this." not in text_of(operator.get(page_of(ORDER)))

        pages = [text_of(operator.get(page_url)) for _ in range(2)]

        assert "Being set up" in pages[0]
        assert waits in pages[0]
        assert "Active" in pages[1]
        assert waits not in pages[1]

    def test_page_asks_less_often_and_stops(self, operator, sandbox, flow_on):
        channel_store(sandbox).edit(channel_sid_of(sandbox), {"status": "setup"})
        polls = []
        for number in ("0", "3", "9", "10", "x"):
            page = operator.get(page_of(ORDER), {"polls": number})
            channel_store(sandbox).edit(channel_sid_of(sandbox), {"status": "setup"})
            polls.append(page.context["children"][0]["poll"])

        assert [poll and poll.delay for poll in polls] == [2, 4, 30, None, None]
        assert polls[1].url == f"{page_of(ORDER)}?polls=4"

    def test_page_that_asks_again_keeps_its_list_if_twilio_fails(self, operator, sandbox, flow_on):
        sandbox.inject(Fault(FaultKind.SERVER_ERROR, method="GET", times=None))

        answer = operator.get(page_of(ORDER), headers={"HX-Request": "true"})

        assert answer.status_code == 502  # which htmx doesn't show

    def test_failure_of_the_set_up_is_shown_with_its_code(self, operator, sandbox, flow_on):
        values = {**OUTBOUND, "customer_address": "+14155550000"}
        page_url = operator.post(NEW_URL, common(**values)).url
        operator.get(page_url)

        page = text_of(operator.get(page_url))

        assert "Failed" in page
        assert "45770" in page

    def test_lost_creation_waits_for_a_decision(self, operator, sandbox, flow_on):
        sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
        event_url = operator.post(NEW_URL, common(**OUTBOUND)).url

        assert reconcile.reconcile() == []
        page = operator.get(event_url)

        assert OpenChange.objects.get().ambiguity == (
            "Twilio has no list of interactions to look in, so reading can't tell."
        )
        assert "SID of the created interaction" in text_of(page)

    @pytest.mark.parametrize("is_real", [True, False])
    def test_decision_names_the_interaction_that_was_created(
        self, operator, sandbox, flow_on, is_real
    ):
        sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
        event_url = operator.post(NEW_URL, common(**OUTBOUND)).url
        reconcile.reconcile()
        made = next(iter(sandbox.store_of(INTERACTION).snapshot()))
        decision_url = reverse(
            "audit:decide", kwargs={"event_id": event_url.strip("/").rpartition("/")[2]}
        )
        data = form_data(operator.get(event_url))
        named = made if is_real else "KD" + "0" * 32

        answer = operator.post(
            decision_url,
            {**data, "verdict": "applied", "sid": named, "reason": "Seen on the desktop"},
        )

        assert OpenChange.objects.exists() is not is_real
        if is_real:
            assert AuditEvent.objects.latest("seq").target_sid == made
        else:
            assert "Twilio has none with this SID" in text_of(answer)

    def test_interaction_that_was_looked_up_before_can_not_be_the_created_one(
        self, operator, sandbox, flow_on
    ):
        operator.post(LIST_URL, {"sid": CALLBACK})
        sandbox.inject(Fault(FaultKind.SERVER_ERROR, method="POST"))
        event_url = operator.post(NEW_URL, common(**OUTBOUND)).url
        reconcile.reconcile()
        decision_url = f"{event_url}decide/"
        data = form_data(operator.get(event_url))

        answer = operator.post(
            decision_url, {**data, "verdict": "applied", "sid": CALLBACK, "reason": "Surely"}
        )

        assert answer.status_code == 422
        assert "it existed before" in text_of(answer)
        assert OpenChange.objects.get().read_at is None

    def test_unknown_creation_locks_nothing_that_was_looked_up_before(
        self, operator, sandbox, flow_on
    ):
        operator.post(LIST_URL, {"sid": CALLBACK})
        sandbox.inject(Fault(FaultKind.SERVER_ERROR, method="POST"))
        operator.post(NEW_URL, common(**OUTBOUND))
        edit_url = f"{page_of(CALLBACK)}edit/"
        data = form_data(operator.get(edit_url))

        answer = operator.post(edit_url, {**data, **common(webhook_ttid="hook 1")})

        assert answer.url == page_of(CALLBACK)

    def test_decision_records_the_channel_as_twilio_has_it(self, operator, sandbox, flow_on):
        sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
        event_url = operator.post(NEW_URL, common(**OUTBOUND)).url
        reconcile.reconcile()
        made = next(iter(sandbox.store_of(INTERACTION).snapshot()))
        data = form_data(operator.get(event_url))

        operator.post(
            f"{event_url}decide/", {**data, "verdict": "applied", "sid": made, "reason": "Seen"}
        )

        after = AuditEvent.objects.latest("seq").payload.after
        assert after["channel"]["sid"].startswith("UO")


class TestChannel:
    def test_closing_sends_only_the_status(self, operator, sandbox, flow_on):
        url = channel_url(sandbox, "edit/")
        data = form_data(operator.get(url))

        answer = operator.post(url, {**data, **common(status="closed")})

        assert answer.url == channel_url(sandbox)
        assert sent(sandbox)[-1][2] == {"Status": "closed"}
        event = AuditEvent.objects.latest("seq")
        assert (event.action, event.parent_sid) == ("interaction_channel.update", ORDER)
        assert channel_url(sandbox) in text_of(operator.get("/audit/"))

    def test_setting_inactive_needs_its_routing(self, operator, sandbox, flow_on):
        url = channel_url(sandbox, "edit/")
        data = form_data(operator.get(url)) | common(status="inactive")

        refused = operator.post(url, data)
        operator.post(url, {**data, "routing": '{"status": "closed"}'})

        assert refused.status_code == 422
        assert "Routing is missing." in text_of(refused)
        assert sent(sandbox)[-1][2] == {"Status": "inactive", "Routing": '{"status": "closed"}'}
        assert len(sent(sandbox)) == 1

    def test_other_states_are_no_choices(self, operator, sandbox, flow_on):
        url = channel_url(sandbox, "edit/")
        page = operator.get(url)

        answer = operator.post(url, {**form_data(page), **common(status="failed")})

        choices = [value for value, _ in page.context["form"].fields["status"].choices]
        assert choices == ["", "closed", "inactive"]
        assert answer.status_code == 422

    @pytest.mark.parametrize("name", ["Return 15", "Callback 3"])
    def test_channel_that_has_ended_offers_no_end(self, operator, sandbox, flow_on, name):
        page = operator.get(channel_url(sandbox, sid=make_sid("KD", name)))

        assert page.status_code == 200
        assert not page.context["edit_url"]

    def test_lost_closing_is_found_again_by_reading(self, operator, sandbox, flow_on):
        url = channel_url(sandbox, "edit/")
        data = form_data(operator.get(url))
        sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
        operator.post(url, {**data, **common(status="closed")})

        (event,) = reconcile.reconcile()

        assert (event.result, event.target_sid) == ("applied", channel_sid_of(sandbox))

    def test_channel_of_another_interaction_is_not_found(self, operator, sandbox, flow_on):
        other = channel_url(sandbox).replace(ORDER, CALLBACK)
        before = operator.get(other).status_code
        url = channel_url(sandbox, "edit/")
        operator.post(
            url, {**form_data(operator.get(url)), **common(status="inactive", routing="{}")}
        )

        assert (before, operator.get(other).status_code) == (404, 404)

    def test_routing_goes_with_the_status(self, operator, sandbox, flow_on):
        channel_store(sandbox).edit(channel_sid_of(sandbox), {"status": "inactive"})
        url = channel_url(sandbox, "edit/")
        data = form_data(operator.get(url))

        operator.post(url, {**data, **common(routing='{"status": "closed"}')})

        expected = {"Status": "inactive", "Routing": '{"status": "closed"}'}
        assert sent(sandbox)[-1][2] == expected

    def test_viewer_sees_the_channel_and_can_not_close_it(self, client_of, sandbox, flow_on):
        viewer = client_of("viewer")

        page = viewer.get(channel_url(sandbox))
        answer = viewer.post(channel_url(sandbox, "edit/"), common(status="closed"))

        assert page.status_code == 200
        assert not page.context["edit_url"]
        assert answer.status_code == 403
        assert sent(sandbox) == []
