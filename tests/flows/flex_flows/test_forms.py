"""The forms on their own: the small ones, the order and the choices of the large one, and `base`.

The values that its fields send and refuse are in test_form_to_wire.py and test_form_errors.py,
through the pages.
"""

import uuid

import pytest
from django.core import signing
from django.http import QueryDict

from flows.changes.forms.conflict import Conflict
from flows.changes.forms.reason import DeleteForm, EnabledForm, ReasonForm
from flows.flex_flows.forms import BASE_SALT, FlowForm, read_base, sign_base
from flows.redaction.redacted import redact_fields
from flows.twilio.flex.flex_flow import FLEX_FLOW
from tests.data import EXAMPLES, FACTS, INTEGRATION_TYPES, PARAMETERS, required_by, taken_by

SID = "FO" + "1" * 32
CHANGE_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
FLOW = {
    "sid": SID, "friendly_name": "Lyon", "channel_type": "sms", "chat_service_sid": "IS" + "1" * 32, "enabled": True,
    "integration_type": "studio", "integration_flow_sid": "FW" + "1" * 32, "long_lived": None, "janitor_enabled": False,
}  # fmt: skip


def choices(form, name):
    return [value for value, _ in form.fields[name].choices]


# What every change carries


def test_a_reason_is_not_demanded():
    form = ReasonForm({"change_id": CHANGE_ID})

    assert form.is_valid()
    assert form.cleaned_data == {"reason": "", "change_id": uuid.UUID(CHANGE_ID), "refers_to": None}


def test_a_change_without_its_id_is_none():
    form = ReasonForm({"reason": "why"})

    assert form.error_list == [("id_change_id", "This field is required.")]


def test_error_list_leads_to_the_fields_and_says_what_belongs_to_none():
    form = ReasonForm({"reason": "r" * 201, "change_id": CHANGE_ID})
    form.add_error(None, "All of it is wrong.")

    assert [field_id for field_id, _ in form.error_list] == ["id_reason", ""]
    assert form.error_list[1][1] == "All of it is wrong."


@pytest.mark.parametrize(("text", "enabled"), [("true", True), ("false", False)])
def test_switch(text, enabled):
    form = EnabledForm({"enabled": text, "change_id": CHANGE_ID})

    assert form.is_valid()
    assert form.cleaned_data["enabled"] is enabled


@pytest.mark.parametrize("text", [None, "", "on", "True", "1", "toggle"])
def test_switch_to_what_is_neither_on_nor_off(text):
    form = EnabledForm({"change_id": CHANGE_ID} | ({} if text is None else {"enabled": text}))

    assert "enabled" in form.errors


@pytest.mark.parametrize(
    ("expected", "entered"),
    [
        ("Lyon", "Lyon"), ("Lyon", " Lyon\t"), ("two  words\r\nmore", "two words more"), ("<b>&\"'", "<b>&\"'"),
        ("\u202eesrever", "\u202eesrever"), (SID, SID), ("Łódź", "Łódź"), ("\u202eesrever", f" {SID} "), ("手机", SID),
    ],
    ids=ascii,
)  # fmt: skip
def test_delete_takes_the_name_as_it_is_shown(expected, entered):
    form = DeleteForm({"confirm_name": entered, "change_id": CHANGE_ID}, expected=expected, sid=SID)

    assert form.is_valid()
    assert list(form.fields)[:2] == ["confirm_name", "reason"]


@pytest.mark.parametrize(
    ("expected", "entered"),
    [("Lyon", "lyon"), ("Lyon", "Lyons"), ("Lyon", "L yon"), ("Lyon", ""), ("Lyon", " "), ("Łódź", "Lodz"), (SID, SID[:-1]),
     ("\u202eesrever", "esrever"), ("Lyon", None)],
    ids=ascii,
)  # fmt: skip
def test_delete_takes_no_other_name(expected, entered):
    form = DeleteForm(
        {"change_id": CHANGE_ID} | ({} if entered is None else {"confirm_name": entered}),
        expected=expected,
        sid=SID,
    )

    assert "confirm_name" in form.errors


@pytest.mark.parametrize(
    "form",
    [
        EnabledForm({"enabled": "true", "reason": "why", "change_id": CHANGE_ID}),
        DeleteForm(
            {"confirm_name": "x", "reason": "why", "change_id": CHANGE_ID}, expected="Lyon", sid=SID
        ),
        FlowForm(
            QueryDict(f"friendly_name=x&reason=why&integration_url=parked&change_id={CHANGE_ID}")
        ),
        FlowForm({"friendly_name": "x", "reason": "why", "change_id": CHANGE_ID}, base=FLOW),
    ],
    ids=lambda form: type(form).__name__,
)
def test_the_form_shown_again_keeps_what_was_typed_and_is_a_new_change(form):
    reopened = form.reopen()

    assert type(reopened) is type(form)
    assert {name: reopened.data[name] for name in form.data} | {"change_id": CHANGE_ID} == dict(
        form.data.items()
    )
    assert uuid.UUID(reopened.data["change_id"]) != uuid.UUID(CHANGE_ID)
    assert getattr(reopened, "snapshot", None) == getattr(form, "snapshot", None)
    assert getattr(reopened, "sid", None) == getattr(form, "sid", None)
    assert getattr(reopened, "expected", None) == getattr(form, "expected", None)


# The form of a flow


@pytest.mark.parametrize("kind", INTEGRATION_TYPES)
@pytest.mark.parametrize("base", [None, FLOW], ids=["new", "edit"])
def test_form_has_the_fields_of_its_type_each_once(kind, base):
    form = FlowForm(base=base, initial={"integration_type": kind})

    bound_fields = [*form.channel_fields, form.handling, *form.integration, *form.options]
    assert sorted(field.name for field in bound_fields) == sorted(taken_by(kind))
    names = [field.name for field in bound_fields]
    assert [name for name in form.fields if name in EXAMPLES] == names  # so have the errors


@pytest.mark.parametrize("kind", INTEGRATION_TYPES)
def test_new_form_requires_what_twilio_requires(kind):
    form = FlowForm(initial={"integration_type": kind})

    required = {name for name, field in form.fields.items() if field.required}
    on_create = {PARAMETERS[wire]["name"] for wire in FACTS["required_on_create"]}
    assert required == {*on_create, *required_by(kind), "change_id"}


def test_fields_say_what_they_are():
    form = FlowForm(initial={"integration_type": "task"})

    for name in taken_by("task"):
        assert form.fields[name].label == FLEX_FLOW.by_name[name].label
        assert form.fields[name].help_text == FLEX_FLOW.by_name[name].help
        assert form.fields[name].widget.attrs["autocomplete"] == "off"
    assert form.fields["integration_timeout"].widget.attrs["placeholder"] == "86400"
    assert form.fields["integration_workspace_sid"].widget.attrs["spellcheck"] == "false"


def test_each_form_has_a_change_id_of_its_own():
    first, second = (FlowForm()["change_id"].value() for _ in range(2))

    assert str(uuid.UUID(first)) == first
    assert first != second


def test_choices_of_a_new_flow():
    form = FlowForm()

    assert sorted(choices(form, "channel_type")) == sorted(["", *FACTS["channel_types"]])
    assert sorted(choices(form, "integration_type")) == sorted(["", *FACTS["integration_types"]])
    assert choices(form, "enabled") == ["", "true", "false"]


def test_what_a_flow_has_cannot_be_chosen_away():
    form = FlowForm(base=FLOW)

    assert choices(form, "enabled") == choices(form, "janitor_enabled") == ["true", "false"]
    assert "" not in choices(form, "channel_type")
    assert "" not in choices(form, "integration_type")
    assert choices(form, "long_lived") == ["", "true", "false"]
    assert choices(form, "integration_creation_on_message") == ["", "true", "false"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("channel_type", "telepathy"),
        ("integration_type", "bot"),
        ("enabled", "perhaps"),
        ("enabled", 2),
    ],
)
def test_a_choice_that_nobody_knows_can_stay(name, value):
    form = FlowForm(base=FLOW | {name: value})

    assert choices(form, name)[-1] == value
    assert form[name].value() == value


@pytest.mark.parametrize("value", [True, False, None])
def test_booleans_are_shown_as_they_are(value):
    assert (
        FlowForm(base=FLOW | {"enabled": value})["enabled"].value()
        == {True: "true", False: "false", None: None}[value]
    )


def test_the_default_of_another_type_does_not_take_the_place_of_what_is_there():
    leftover = FLOW | {"integration_channel": "voice"}

    assert (
        FlowForm(base=leftover, initial={"integration_type": "task"})["integration_channel"].value()
        == "voice"
    )
    assert (
        FlowForm(base=FLOW, initial={"integration_type": "task"})["integration_channel"].value()
        == "default"
    )


def test_fields_left_alone_follow_what_is_at_twilio_now_and_the_rest_stays_typed():
    data = {
        "friendly_name": "Plaintes",
        "enabled": "true",
        "integration_flow_sid": "FW" + "1" * 32,
        "change_id": CHANGE_ID,
    }
    form = FlowForm(data, base=FLOW)
    assert form.is_valid()
    theirs = FLOW | {
        "enabled": False,
        "friendly_name": "Lyon Est",
        "integration_flow_sid": "FW" + "2" * 32,
    }

    reopened = form.rebase(theirs, Conflict(redact_fields({})))

    assert reopened["friendly_name"].value() == "Plaintes"
    assert reopened["enabled"].value() == "false"
    assert reopened["integration_flow_sid"].value() == "FW" + "2" * 32
    assert reopened.snapshot == theirs
    assert read_base(reopened.data["base"], SID)["friendly_name"] == "Lyon Est"


# The flow as the operator saw it


def test_base_comes_back_whole_with_the_fields_that_were_not_there():
    snapshot = FLOW | {"mood_nobody_knows": [1], "integration_url": "https://u:p@h.example/"}

    back = read_base(sign_base(snapshot), SID)

    assert back == dict.fromkeys(EXAMPLES) | snapshot


@pytest.mark.parametrize(
    "value",
    [
        "", "x", ":", "::", "a:b:c", "\x00", "é:é:é", signing.dumps(FLOW), signing.dumps(FLOW, salt="another"),
        signing.dumps(FLOW | {"sid": "FO" + "2" * 32}, salt=BASE_SALT), signing.dumps({"friendly_name": "x"}, salt=BASE_SALT),
        signing.dumps([SID], salt=BASE_SALT), signing.dumps(SID, salt=BASE_SALT), signing.dumps(None, salt=BASE_SALT),
    ],
    ids=["empty", "x", "colon", "colons", "parts", "nul", "accents", "no salt", "another salt", "another flow", "no flow",
         "list", "text", "null"],
)  # fmt: skip
def test_what_is_no_base(value):
    assert read_base(value, SID) is None


def test_base_of_another_site_is_none(settings):
    base = sign_base(FLOW)
    settings.SECRET_KEY = "another site's key, which is as long as it has to be"

    assert read_base(base, SID) is None


# The words of an error


@pytest.mark.parametrize(
    ("name", "entered", "says"),
    [
        ("integration_timeout", "soon", "a whole number"),
        ("integration_timeout", "  ", "a whole number"),
        ("integration_timeout", "-1", "0 or more"),
        ("integration_priority", "2147483648", "2147483647 or less"),
        ("integration_channel", "c" * 65, "64 characters"),
        ("integration_channel", "", "is missing"),
        ("integration_workspace_sid", "WS1", "start with WS"),
        ("integration_url", "ftp://h.example", "https://"),
        ("integration_url", "https://masked-0a1b2c@h.example", "masked"),
        ("integration_flow_sid", "", "is missing"),
        ("channel_type", "telepathy", "one of the choices"),
        ("friendly_name", "", "is missing"),
        ("friendly_name", "x\x00", "control character (U+0000)"),
    ],
    ids=ascii,
)
def test_an_error_says_what_is_wrong_with_what(name, entered, says):
    kind = (FLEX_FLOW.by_name[name].takes or ("studio",))[0]
    good = {field: EXAMPLES[field] for field in taken_by(kind)} | {
        "integration_type": kind,
        "change_id": CHANGE_ID,
    }

    form = FlowForm(good | {name: entered})

    assert set(form.errors) == {name}
    assert says in form.errors[name][0]
