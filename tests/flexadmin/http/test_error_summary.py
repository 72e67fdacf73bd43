"""The error summary: its sentence, and its errors in the order of the page's fields."""

import re

import pytest
from django.template.loader import render_to_string

from flexadmin.users.forms import NewUserForm, ReasonForm
from flows.changes.forms.decision import DecisionForm
from flows.flex_flows.forms import FlowForm
from tests.markup import squeezed

pytestmark = pytest.mark.django_db
TWILIO = "Nothing was sent to Twilio"


def test_form_of_a_user_does_not_mention_twilio(client_of):
    page = (
        client_of("admin")
        .post("/people/new/", {"name": "", "role": "", "reason": ""})
        .content.decode()
    )

    assert "to continue. Nothing was changed." in squeezed(page)
    assert TWILIO not in page


def test_form_of_a_flow_mentions_twilio(client_of):
    page = (
        client_of("operator")
        .post("/flows/new/", {"friendly_name": "", "step": "review"})
        .content.decode()
    )

    assert TWILIO in page


class WithErrors:
    error_list = (("id", "Wrong."),)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (FlowForm, TWILIO),
        (DecisionForm, "Nothing was recorded"),
        (ReasonForm, "Nothing was changed"),
        (NewUserForm, "Nothing was changed"),
    ],
)
def test_each_kind_of_form_has_its_sentence(kind, sentence):
    form = WithErrors()
    if hasattr(kind, "when_refused"):
        form.when_refused = kind.when_refused

    text = render_to_string("_errors.html", {"form": form})

    assert f"Fix 1 problem to continue. {sentence}." in squeezed(text)
    with_problem = render_to_string("_errors.html", {"form": form, "problem": object()})
    assert "Fix 1 problem to continue.<" in squeezed(with_problem)


INVALID_FLOW = {
    "friendly_name": "",
    "channel_type": "x",
    "chat_service_sid": "y",
    "contact_identity": "9" * 300,
    "enabled": "maybe",
    "integration_type": "task",
    "integration_timeout": "-1",
    "integration_workspace_sid": "z",
    "long_lived": "maybe",
    "change_id": "8a6e0804-2bd0-4672-b79d-d97027f9071a",
    "review": "1",
}
DOUBLE_COLUMNS = {
    "entries": "a,b,c\nx,y,z",
    "column_0": "friendly_name",
    "column_1": "friendly_name",
    "column_2": "no field",
}


@pytest.mark.parametrize(
    ("role", "path", "data"),
    [
        ("operator", "/flows/new/", INVALID_FLOW),
        ("operator", "/flows/plans/import/", DOUBLE_COLUMNS),
        ("admin", "/people/new/", {"name": "n o"}),
    ],
)
def test_errors_are_in_the_order_of_the_fields(client_of, role, path, data):
    page = client_of(role).post(path, data)

    html = page.content.decode()
    summary = html.split('id="errors-title"')[1].split("</section>")[0]
    linked_ids = re.findall(r'href="#([^"]+)"', summary)
    places = [html.find(f' id="{field_id}"') for field_id in linked_ids]
    assert page.status_code == 422
    assert len(linked_ids) > 1
    assert places == sorted(places)
    assert -1 not in places
