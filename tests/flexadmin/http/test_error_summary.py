"""The error summary mentions Twilio only for forms that would send something to Twilio."""

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
