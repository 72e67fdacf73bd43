"""The summary of a form's errors says what did not come of it: that nothing was sent to Twilio, only where something
would have been."""

import pytest
from django.template.loader import render_to_string

from flexadmin.people_forms import PersonForm, ReasonForm
from flows.forms.decision import DecisionForm
from flows.forms.flow import FlowForm
from tests.markup import squeezed

pytestmark = pytest.mark.django_db
TWILIO = "Nothing was sent to Twilio"


def test_form_about_users_says_nothing_of_twilio(client_of):
    page = client_of("admin").post("/people/new/", {"name": "", "role": "", "reason": ""}).content.decode()

    assert "to continue. Nothing was changed." in squeezed(page)
    assert TWILIO not in page


def test_form_of_a_flow_says_it(client_of):
    page = client_of("operator").post("/flows/new/", {"friendly_name": "", "step": "review"}).content.decode()

    assert TWILIO in page


class WithErrors:
    error_list = (("id", "Wrong."),)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (FlowForm, TWILIO),
        (DecisionForm, "Nothing was recorded"),
        (ReasonForm, "Nothing was changed"),
        (PersonForm, "Nothing was changed"),
    ],
)
def test_each_form_says_its_own(kind, sentence):
    form = WithErrors()
    if hasattr(kind, "when_refused"):
        form.when_refused = kind.when_refused

    text = render_to_string("_errors.html", {"form": form})

    assert f"Fix 1 problem to continue. {sentence}." in squeezed(text)
    with_problem = render_to_string("_errors.html", {"form": form, "problem": object()})
    assert "Fix 1 problem to continue.<" in squeezed(with_problem)
