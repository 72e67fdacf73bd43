"""Integration types switched in the form: fields of each type, and input that is not lost."""

import pytest

from tests.conftest import form_data
from tests.data import EXAMPLES, INTEGRATION_TYPES, taken_by
from tests.flows.flex_flows.form_fields import written

pytestmark = pytest.mark.django_db


def names_of(page):
    return [field.name for field in page.context["form"].integration]


@pytest.mark.parametrize("htmx", [False, True])
def test_switching_shows_the_fields_of_each_type_and_loses_nothing(operator, switch, sandbox, htmx):
    path = "/flows/new/"
    page = operator.get(path)
    assert names_of(page) == []
    for kind in INTEGRATION_TYPES:
        page = switch(path, page, kind, htmx=htmx)
        assert sorted(names_of(page)) == sorted(
            name for name in taken_by(kind) if "integration_" in name and name != "integration_type"
        )
        page = switch(
            path,
            page,
            kind,
            **{name: EXAMPLES[name] for name in names_of(page)},
            friendly_name="Lyon",
        )

    for kind in [*INTEGRATION_TYPES, "", *INTEGRATION_TYPES]:
        page = switch(path, page, kind, htmx=htmx)
        data = form_data(page)
        integration = {
            name: value for name, value in EXAMPLES.items() if name.startswith("integration_")
        }
        assert {name: data[name] for name in integration} == integration | {
            "integration_type": kind
        }
        assert data["friendly_name"] == "Lyon"
        text = page.content.decode()
        assert all(
            f'name="{name}"' in text
            for name in integration
            if name != "integration_type" or not htmx
        )
    assert written(sandbox) == []


def test_switching_keeps_the_change_id_and_the_base(operator, switch, flow_of):
    path = f"/flows/{flow_of('studio')}/edit/"
    page = operator.get(path)

    task_page = switch(path, page, "task")

    assert form_data(task_page)["change_id"] == form_data(page)["change_id"]
    assert form_data(task_page)["base"] == form_data(page)["base"]


def test_what_was_emptied_stays_so_over_a_switch(operator, switch, sandbox, flow_of):
    path = f"/flows/{flow_of('studio', integration_retry_count=2)}/edit/"
    page = switch(path, operator.get(path), "task", integration_retry_count="")

    page = switch(path, page, "studio")
    assert form_data(page)["integration_retry_count"] == ""
    answer = operator.post(path, form_data(page))

    assert answer.status_code == 302
    assert written(sandbox) == [{"Integration.RetryCount": ""}]


def test_an_edit_switched_to_and_fro_sends_what_was_changed_alone(
    operator, switch, sandbox, flow_of
):
    path = f"/flows/{flow_of('studio')}/edit/"
    flow_sid = EXAMPLES["integration_flow_sid"]
    page = switch(path, operator.get(path), "external", integration_flow_sid=flow_sid)
    page = switch(path, page, "task", integration_url="https://h.example/?token=abc")
    page = switch(path, page, "studio", integration_timeout="not yet a number")

    answer = operator.post(path, form_data(page))

    assert answer.status_code == 302
    assert written(sandbox) == [{"Integration.FlowSid": flow_sid}]


def test_what_is_parked_is_not_checked_and_is_kept_when_the_form_is_wrong(create, sandbox):
    page = create("studio", friendly_name="", integration_timeout="soon", integration_url="<b>&\"'")

    assert page.status_code == 422
    assert set(page.context["form"].errors) == {"friendly_name"}
    parked = dict(page.context["form"].parked)
    assert (parked["integration_timeout"], parked["integration_url"]) == ("soon", "<b>&\"'")
    assert (
        '<input type="hidden" name="integration_url" value="&lt;b&gt;&amp;&quot;&#x27;">'
        in page.content.decode()
    )
    assert written(sandbox) == []


def test_the_form_of_an_unknown_type_has_no_fields_and_keeps_what_was_there(
    operator, edit, sandbox, flow_of
):
    sid = flow_of("bot", integration_flow_sid="anything", integration_timeout=5)

    page = operator.get(f"/flows/{sid}/edit/")
    answer = edit(sid, contact_identity="+14155550177")

    assert names_of(page) == []
    assert page.context["form"].handling.value() == "bot"
    assert '<option value="bot" selected>bot</option>' in page.content.decode()
    assert answer.status_code == 302
    assert written(sandbox) == [{"ContactIdentity": "+14155550177"}]
