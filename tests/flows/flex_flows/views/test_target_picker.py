"""The form offers what a flow can point to by name. Any other SID can still be entered."""

import html

import pytest
from django.db import transaction
from django.utils import timezone

from flows.core.safe_text import short
from flows.flex_flows.target_choices import TargetChoices
from flows.flex_flows.target_picker import MAX_OPTIONS
from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.conftest import form_data
from tests.flows.flex_flows.form_fields import has_error_beside, offered_values, written
from tests.flows.names.adding import add_name

pytestmark = pytest.mark.django_db(transaction=True)

USED_SID, UNUSED_SID = "FW" + "1" * 32, "FW" + "2" * 32  # the first is that of `flow_sid`
TYPED_SID = "FW" + "9" * 32
WORKSPACES = ["WS" + "1" * 32, "WS" + "2" * 32]
WORKFLOWS = ["WW" + "1" * 32, "WW" + "2" * 32]
TASK = {"integration_type": "task", "friendly_name": "Claims", "channel_type": "web"}


@pytest.fixture
def client(client_of):
    return client_of("operator")


@pytest.fixture
def task_router(sandbox):
    """Two workspaces with a workflow each, and the same task channel in both."""
    for workspace, workflow, name in zip(WORKSPACES, WORKFLOWS, ("Front", "Back"), strict=True):
        add_name(workspace, f"{name} office", resource="workspace")
        add_name(workflow, f"{name} work", resource="workflow", parent_sid=workspace)
        channel = {"resource": "task_channel", "parent_sid": workspace, "reference": "sms"}
        add_name("TC" + workflow[2:], "SMS", **channel)


def text_of(page):
    return " ".join(html.unescape(page.content.decode()).split())


def picker_of(page, name):
    """Return the HTML of a field's select and input."""
    return " ".join(str(page.context["form"][name]).split())


def test_names_are_offered_with_the_number_of_flows_the_most_used_first(client, flow_sid, sandbox):
    add_name(USED_SID, "Support IVR")
    add_name(UNUSED_SID, "A new one", status="draft", revision=1)
    add_name("FW" + "3" * 32, "Deleted", gone_at=timezone.now())
    sandbox.add_flow(integration_flow_sid=USED_SID)
    sync_account(ACCOUNT)

    page = client.get(f"/flows/{flow_sid}/edit/")

    assert offered_values(page.context["form"], "integration_flow_sid") == [USED_SID, UNUSED_SID]
    text = text_of(page)
    assert f'<option value="{USED_SID}" selected> Support IVR · FW1111…1111 · 2 flows' in text
    assert f'<option value="{UNUSED_SID}"> A new one · FW2222…2222 · draft <' in text


def test_name_from_twilio_cannot_bring_markup(client, flow_sid):
    add_name(USED_SID, "</option><script>alert(1)</script>\u202e")

    page = client.get(f"/flows/{flow_sid}/edit/").content.decode()

    assert "<script>alert" not in page
    assert "\u202e" not in page


def test_chosen_name_is_sent_as_its_sid(client, flow_sid, sandbox):
    add_name(UNUSED_SID, "Order status")
    url = f"/flows/{flow_sid}/edit/"
    data = form_data(client.get(url))

    client.post(url, {**data, "integration_flow_sid": UNUSED_SID, "reason": "because"})

    assert written(sandbox) == [{"Integration.FlowSid": UNUSED_SID}]


@pytest.mark.parametrize(
    "fields",
    [
        {"integration_flow_sid": "_other", "integration_flow_sid_other": TYPED_SID},
        {"integration_flow_sid": TYPED_SID},  # as a script sends it
    ],
)
def test_any_other_sid_can_be_entered(client, flow_sid, sandbox, fields):
    add_name(UNUSED_SID, "Order status")
    url = f"/flows/{flow_sid}/edit/"
    data = {**form_data(client.get(url)), **fields}

    review = client.post(url, {**data, "review": "1"})
    client.post(url, {**form_data(review), "reason": "because"})

    assert written(sandbox) == [{"Integration.FlowSid": TYPED_SID}]


def test_input_beside_a_chosen_name_does_not_count(client, flow_sid, sandbox):
    add_name(UNUSED_SID, "Order status")
    url = f"/flows/{flow_sid}/edit/"
    fields = {"integration_flow_sid": UNUSED_SID, "integration_flow_sid_other": TYPED_SID}

    client.post(url, {**form_data(client.get(url)), **fields})

    assert written(sandbox) == [{"Integration.FlowSid": UNUSED_SID}]


def test_invalid_sid_comes_back_in_the_input(client, flow_sid):
    add_name(UNUSED_SID, "Order status")
    url = f"/flows/{flow_sid}/edit/"
    fields = {"integration_flow_sid": "_other", "integration_flow_sid_other": "FW12"}

    page = client.post(url, {**form_data(client.get(url)), **fields})

    assert page.status_code == 422
    assert '<option value="_other" selected>' in text_of(page)
    assert 'name="integration_flow_sid_other" value="FW12"' in text_of(page)


def test_input_that_was_left_empty_stays_open_with_its_error(client, flow_sid):
    add_name(UNUSED_SID, "Order status")
    url = f"/flows/{flow_sid}/edit/"
    fields = {"integration_flow_sid": "_other", "integration_flow_sid_other": ""}

    page = client.post(url, {**form_data(client.get(url)), **fields, "review": "1"})

    assert page.status_code == 422
    assert has_error_beside(page, "integration_flow_sid")
    assert "Studio Flow SID is missing." in text_of(page)
    assert 'value="_other" selected' in picker_of(page, "integration_flow_sid")
    assert 'name="integration_flow_sid_other" value=""' in text_of(page)


def test_help_and_error_belong_to_the_select_and_to_the_input(client, flow_sid):
    add_name(UNUSED_SID, "Order status")
    url = f"/flows/{flow_sid}/edit/"
    fields = {"integration_flow_sid": "_other", "integration_flow_sid_other": "FW12"}
    ids = "id_integration_flow_sid_helptext id_integration_flow_sid_error"

    opened = client.get(url)
    refused = client.post(url, {**form_data(opened), **fields})

    picker = picker_of(opened, "integration_flow_sid")
    assert picker.count('aria-describedby="id_integration_flow_sid_helptext"') == 2
    assert "aria-invalid" not in picker
    picker = picker_of(refused, "integration_flow_sid")
    assert picker.count(f'aria-describedby="{ids}"') == 2
    assert picker.count('aria-invalid="true"') == 2


def test_deleted_target_stays_chosen(client, flow_sid):
    add_name(USED_SID, "Old IVR", gone_at=timezone.now())

    page = text_of(client.get(f"/flows/{flow_sid}/edit/"))

    assert f'<option value="{USED_SID}" selected> Old IVR · FW1111…1111 · deleted at Twilio' in page


def test_chosen_target_beyond_the_bound_is_not_said_to_be_elsewhere(client, flow_sid):
    add_name(USED_SID, "Support IVR")
    with transaction.atomic():
        for number in range(MAX_OPTIONS):
            add_name(f"FW{number:032x}", f"Flow {number:03}")
    last_sid = f"FW{MAX_OPTIONS - 1:032x}"  # by name; the one that a flow uses is the first
    data = {**form_data(client.get(f"/flows/{flow_sid}/edit/")), "integration_flow_sid": last_sid}

    page = client.post(f"/flows/{flow_sid}/edit/", {**data, "update_fields": "1"})

    group = f'<optgroup label="Current"> <option value="{last_sid}" selected>'
    assert f"{group} Flow {MAX_OPTIONS - 1} · {short(last_sid)} </option>" in text_of(page)


def test_account_without_names_and_flows_has_a_plain_input(client, sandbox):
    page = text_of(client.get("/flows/new/"))

    assert '<input type="text" name="chat_service_sid"' in page
    assert "chat_service_sid_other" not in page


@pytest.mark.usefixtures("task_router")
def test_workflows_are_those_of_the_chosen_workspace(client):
    def offered(name, **fields):
        data = {**TASK, **fields, "update_fields": "1"}
        form = client.post("/flows/new/", data).context["form"]
        return offered_values(form, name)

    assert offered("integration_workflow_sid") == [WORKFLOWS[1], WORKFLOWS[0]]  # by name
    for workspace, workflow in zip(WORKSPACES, WORKFLOWS, strict=True):
        chosen = {"integration_workspace_sid": workspace}
        assert offered("integration_workflow_sid", **chosen) == [workflow]
        assert offered("integration_channel", **chosen) == ["sms"]


@pytest.mark.usefixtures("task_router")
def test_workflow_of_another_workspace_stays_chosen_and_says_so(client):
    fields = {
        "integration_workspace_sid": WORKSPACES[0],
        "integration_workflow_sid": WORKFLOWS[1],
        "update_fields": "1",
    }

    page = text_of(client.post("/flows/new/", {**TASK, **fields}))

    label = "Back work · WW2222…2222 · in another workspace"
    assert f'<option value="{WORKFLOWS[1]}" selected> {label}' in page


@pytest.mark.usefixtures("task_router")
def test_typed_workspace_is_kept_when_the_fields_are_updated(client):
    typed = "WS" + "7" * 32
    fields = {
        "integration_workspace_sid": "_other",
        "integration_workspace_sid_other": typed,
        "update_fields": "1",
    }

    form = client.post("/flows/new/", {**TASK, **fields}).context["form"]

    assert form["integration_workspace_sid"].value() == typed


@pytest.mark.usefixtures("task_router")
def test_another_sid_stays_selected_while_it_is_still_to_be_typed(client):
    fields = {"integration_workspace_sid": "_other", "update_fields": "1"}

    page = client.post("/flows/new/", {**TASK, **fields})

    assert '<option value="_other" selected>' in text_of(page)
    form = page.context["form"]
    assert len(offered_values(form, "integration_workflow_sid")) == 2


def test_names_of_another_account_are_not_offered(client, sandbox, staging):
    add_name(UNUSED_SID, "Of staging", account_sid=staging.account_sid)
    sandbox.add_flow(integration_flow_sid=USED_SID)
    sync_account(ACCOUNT)
    data = {"integration_type": "studio", "account": ACCOUNT, "update_fields": "1"}

    form = client.post("/flows/new/", data).context["form"]

    assert offered_values(form, "integration_flow_sid") == [USED_SID]


def test_choices_take_two_queries(sandbox, django_assert_num_queries):
    for number in range(5):
        add_name(f"FW{number:032x}", f"Flow {number}")
        sandbox.add_flow(integration_flow_sid=f"FW{number:032x}")
    sync_account(ACCOUNT)

    with django_assert_num_queries(2):
        TargetChoices(ACCOUNT)
