"""Faults that a hostile reading of these pages has found, each with the test that it lacked."""

import html
from datetime import timedelta

import pytest
from django.core import signing
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from flows.accounts.clients import resource_client
from flows.audit.models import AuditEvent, AuditPayload, OpenChange
from flows.changes import reconcile
from flows.flex_flows.forms import FlowForm
from flows.mirror.sync import sync_account
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.resource import Snapshot
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.named_bodies import SECRET
from tests import ACCOUNT
from tests.conftest import form_data
from tests.faults.acting import clock_ahead
from tests.flows.resources.conftest import CONFIGURATION_SID, RESOURCES, common, form_values, sent

pytestmark = pytest.mark.django_db(transaction=True)
HOOK = "https://hooks.example.com/services/T00/B00/Xy7zAbCdEfGh?sig=0123456789abcdef"


@pytest.fixture
def operator(client_of):
    return client_of("operator")


@pytest.fixture
def admin(client_of):
    return client_of("admin")


def text_of(response):
    return html.unescape(response.content.decode())


def url_of(name, sid, page=""):
    return reverse(f"flex:{name}-{page}" if page else f"flex:{name}", kwargs={"sid": sid})


def create(client, name, flow_sid, **values):
    values = form_values(name, "create", flow_sid) | values
    return client.post(reverse(f"flex:{name}-new"), common(**values))


def lose(sandbox, kind=FaultKind.APPLY_THEN_DROP):
    sandbox.inject(Fault(kind, method="POST"))


def last_event():
    return AuditEvent.objects.latest("seq")


def test_requested_values_are_masked_as_strictly_as_those_read(operator, sandbox, flow_on):
    create(operator, "questionnaire", flow_on, description=f"see {HOOK}")

    payload = last_event().payload
    assert "Xy7zAbCdEfGh" not in str(payload.requested)
    assert payload.requested["description"] == payload.after["description"]


def test_lost_creation_with_a_secret_in_a_text_is_recognised(operator, sandbox, flow_on):
    lose(sandbox)
    create(operator, "questionnaire", flow_on, description=f"see {HOOK}")

    reconcile.reconcile()

    assert OpenChange.objects.get().ambiguity.startswith("Twilio has a questionnaire")


def test_erasure_by_the_sid_of_a_channel_erases_its_creation(operator, sandbox, flow_on):
    create(operator, "channel", flow_on)
    sid = last_event().target_sid

    call_command("erase_personal_data", "--flow", sid, "--reason", "asked")

    payloads = AuditPayload.objects.filter(event__action="channel.create")
    assert payloads.count() == 2
    assert all(payload.erased_at for payload in payloads)
    assert "Ana" not in str(list(payloads.values()))


def test_absence_long_after_a_creation_proves_nothing(operator, sandbox, flow_on):
    lose(sandbox)
    create(operator, "channel", flow_on)
    store = sandbox.store_of(RESOURCES["channel"])
    store.delete(next(iter(store.snapshot())))

    with clock_ahead(minutes=30):
        reconcile.reconcile()

    assert "may have been deleted since" in OpenChange.objects.get().ambiguity


def test_questionnaire_that_twilio_stored_differently_is_a_candidate(operator, sandbox, flow_on):
    lose(sandbox)
    create(operator, "questionnaire", flow_on)
    store = sandbox.store_of(RESOURCES["questionnaire"])
    sid = next(iter(store.snapshot()))
    store.edit(sid, {"description": "trimmed"})

    reconcile.reconcile()

    assert OpenChange.objects.get().candidates == [sid]


def test_lost_update_without_dates_needs_a_decision(operator, sandbox, make):
    sid = make("questionnaire")
    data = form_data(operator.get(url_of("questionnaire", sid, "edit")))
    lose(sandbox, FaultKind.DROP)
    operator.post(url_of("questionnaire", sid, "edit"), {**data, **common(name="New")})

    reconcile.reconcile()

    assert "doesn't say when the questionnaire last changed" in OpenChange.objects.get().ambiguity


def test_open_creation_of_a_channel_hides_no_flow(operator, sandbox, flow_on):
    lose(sandbox)
    create(operator, "channel", flow_on)
    new_sid = sandbox.add_flow(friendly_name="Made in the Console")

    sync_account(ACCOUNT)

    assert AuditEvent.objects.filter(action="flow.drift", target_sid=new_sid).exists()


def test_open_creation_of_another_account_hides_no_flow(client_of, sandbox, staging, flow_on):
    lose(sandbox)
    values = {
        "friendly_name": "New", "chat_service_sid": "IS" + "2" * 32, "channel_type": "web",
        "integration_type": "studio", "integration_flow_sid": "FW" + "3" * 32,
    }  # fmt: skip
    client_of("operator").post(reverse("flows:new"), common(**values, account=ACCOUNT))
    sync_account(staging.account_sid)
    new_sid = staging.add_flow(friendly_name="Made in the Console")

    sync_account(staging.account_sid)

    assert OpenChange.objects.get().attempt.account_sid == ACCOUNT
    assert AuditEvent.objects.filter(action="flow.drift", target_sid=new_sid).exists()


def test_operator_decides_nothing_that_only_administrators_change(
    admin, operator, sandbox, flow_on
):
    lose(sandbox)
    admin.post(reverse("flex:plugin_release-new"), common(configuration_sid=CONFIGURATION_SID))
    reconcile.reconcile()
    change = OpenChange.objects.get()
    url = reverse("audit:decide", kwargs={"event_id": change.attempt.event_id})

    page = operator.get(reverse("audit:detail", kwargs={"event_id": change.attempt.event_id}))
    answer = operator.post(url, {"verdict": "not_applied", "reason": "I say so", "seen": "x"})

    assert page.context["form"] is None
    assert answer.status_code == 403
    assert OpenChange.objects.exists()
    assert last_event().result == "denied"


def test_values_that_an_update_carries_along_are_in_the_log(operator, sandbox, make):
    sid = make("questionnaire")
    data = form_data(operator.get(url_of("questionnaire", sid, "edit")))

    operator.post(url_of("questionnaire", sid, "edit"), {**data, **common(name="New")})

    event = last_event()
    assert sent(sandbox)[-1][2] == {"Active": "true", "Name": "New"}
    assert event.payload.requested == {"active": True, "name": "New"}
    assert event.changed_fields == ["name"]


def test_update_without_the_value_to_carry_along_is_not_sent(operator, sandbox, make):
    sid = make("questionnaire")
    data = form_data(operator.get(url_of("questionnaire", sid, "edit")))
    sandbox.store_of(RESOURCES["questionnaire"]).edit(sid, {"active": None})
    before = len(sent(sandbox))

    answer = operator.post(
        url_of("questionnaire", sid, "edit"), {**data, "active": "", **common(name="New")}
    )

    assert answer.status_code in (409, 422, 502)
    assert len(sent(sandbox)) == before


def test_event_says_what_twilio_does_not_show(operator, sandbox, flow_on):
    create(operator, "channel", flow_on)

    page = text_of(operator.get(f"/audit/{last_event().event_id}/"))

    assert "Not shown by Twilio" in page
    assert "Differs from request" not in page


@pytest.mark.parametrize("page", ["edit/", ""])
def test_pages_of_the_configuration_carry_no_secret(admin, sandbox, flow_on, page):
    response = admin.get(f"/flex/configuration/{page}")

    assert SECRET not in response.content.decode()
    if page:
        base = signing.loads(
            response.context["form"].initial["base"], salt="flows.resources.base.configuration"
        )
        assert SECRET not in str(base)


def test_pages_that_confirm_carry_no_secret(operator, sandbox, make):
    sid = make("questionnaire")
    sandbox.store_of(RESOURCES["questionnaire"]).edit(
        sid, {"name": f"x {HOOK}", "token": "s3cr3t-s3cr3t"}
    )

    page = operator.get(url_of("questionnaire", sid, "delete"))

    base = signing.loads(
        page.context["form"].initial["base"], salt="flows.resources.base.questionnaire"
    )
    assert "s3cr3t-s3cr3t" not in str(base) + page.content.decode()
    assert "Xy7zAbCdEfGh" not in page.content.decode()


def test_same_release_is_not_sent_twice_while_its_outcome_is_unknown(admin, sandbox, flow_on):
    lose(sandbox)
    data = {"configuration_sid": CONFIGURATION_SID}
    admin.post(reverse("flex:plugin_release-new"), common(**data))

    answer = admin.post(reverse("flex:plugin_release-new"), common(**data))

    assert answer.status_code == 409
    assert len(sent(sandbox)) == 1


def test_release_of_someone_else_is_no_proof(admin, sandbox, flow_on):
    lose(sandbox, FaultKind.DROP)
    admin.post(reverse("flex:plugin_release-new"), common(configuration_sid=CONFIGURATION_SID))
    client = resource_client(RESOURCES["plugin_release"], ACCOUNT)
    client.create({"configuration_sid": CONFIGURATION_SID})

    assert reconcile.reconcile() == []
    assert OpenChange.objects.get().ambiguity.startswith("Twilio has a plugin release")


def test_name_of_another_accounts_flow_is_not_shown(client_of, sandbox, staging, flow_on):
    secret_name = sandbox.flows[flow_on]["friendly_name"]
    operator = client_of("operator", account_sid=staging.account_sid)
    values = form_values("channel", "create", flow_on)

    page = operator.post(
        reverse("flex:channel-new"),
        common(**values, review="1", account=staging.account_sid),
    )

    assert page.status_code == 200
    assert secret_name not in text_of(page)


def test_change_in_an_account_that_the_user_cannot_see_is_logged(client_of, sandbox, staging):
    client = client_of("operator", account_sid=ACCOUNT)

    answer = client.post(
        url_of("channel", "CH" + "1" * 32, "delete"), common(account=staging.account_sid)
    )

    assert answer.status_code == 403
    assert (last_event().action, last_event().result) == ("channel.delete", "denied")


def test_viewers_post_without_an_account_is_logged(client_of, sandbox, staging):
    answer = client_of("viewer").post(reverse("flex:channel-new"), common())

    assert answer.status_code == 403
    assert (last_event().action, last_event().result) == ("channel.create", "denied")


@pytest.mark.parametrize("value", [["a", "b"], {"a": 1}, [], {}])
def test_untouched_form_of_an_odd_flow_changes_nothing(value):
    base = Snapshot({"sid": "FO" + "1" * 32, "friendly_name": value, "channel_type": "sms"})
    form = FlowForm(base=base)
    data = {name: str(form[name].value() or "") for name in form.fields}

    bound = FlowForm(data, base=base)

    assert bound.is_valid() or "friendly_name" not in bound.errors
    assert "friendly_name" not in FLEX_FLOW.differing_fields(
        base, bound.cleaned_data, ["friendly_name"]
    )


def test_half_a_character_in_json_is_said_beside_the_field(admin, sandbox, flow_on):
    answer = create(
        admin, "plugin_configuration", flow_on, plugins='[{"plugin_version": "\\ud800"}]'
    )

    assert answer.status_code == 422
    assert "half of a character" in text_of(answer)
    assert not OpenChange.objects.exists()


def test_change_id_of_another_kind_of_change_leads_to_its_event(operator, sandbox, flow_on):
    data = common(**form_values("channel", "create", flow_on))
    operator.post(reverse("flex:channel-new"), data)
    values = form_values("questionnaire", "create", flow_on)

    answer = operator.post(
        reverse("flex:questionnaire-new"), {**values, "change_id": data["change_id"], "reason": ""}
    )

    assert answer.status_code == 302
    assert answer.url == f"/audit/{last_event().event_id}/"


def test_outdated_page_says_nothing_about_the_resource(client_of, sandbox, flow_on):
    sandbox.inject(Fault(FaultKind.REFUSE, path="/Channels", status=404, code=20404))

    page = client_of("viewer").get(reverse("flex:channel-list"), {"page": "3", "token": "old"})
    overview = client_of("viewer").get(reverse("flex:overview"))

    assert page.status_code in (200, 502)
    assert overview.context["unavailable"] == []


def test_newest_release_is_told_by_its_date(client_of, sandbox, flow_on):
    store = sandbox.store_of(RESOURCES["plugin_release"])
    sids = list(store.snapshot())
    later = (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    store.edit(sids[-1], {"date_created": later})

    page = client_of("viewer").get(url_of("plugin_release", sids[-1]))

    assert page.context["is_active"]


def test_oldest_release_is_compared_with_nothing(client_of, sandbox, flow_on):
    oldest = list(sandbox.store_of(RESOURCES["plugin_release"]).snapshot())[-1]

    page = text_of(client_of("viewer").get(url_of("plugin_release", oldest)))

    assert "Nothing (the first release)" in page
    assert "No earlier release" in page
