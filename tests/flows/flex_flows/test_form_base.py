"""Edits against the flow as the user saw it, with odd values of Twilio and eaten white space."""

import pytest

from tests.conftest import form_data
from tests.flows.flex_flows.form_fields import written

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "forgery", ["missing", "empty", "tampered", "of another flow", "made up", "nul", "not ascii"]
)
def test_a_base_that_is_not_this_forms_is_not_believed(operator, edit, sandbox, flow_of, forgery):
    sid, other = flow_of("studio"), flow_of("studio")
    base = form_data(operator.get(f"/flows/{sid}/edit/"))["base"]
    bases = {
        "missing": None,
        "empty": "",
        "tampered": base[:-1] + ("A" if base[-1] != "A" else "B"),
        "of another flow": form_data(operator.get(f"/flows/{other}/edit/"))["base"],
        "made up": ":".join(["e30", *base.split(":")[1:]]),
        "nul": "\x00",
        "not ascii": "é:é:é",
    }

    page = edit(sid, friendly_name="Plaintes", base=bases[forgery])

    assert page.status_code == 422
    assert written(sandbox) == []
    assert page.context["form"]["friendly_name"].value() == "Plaintes"
    data = form_data(page)
    assert operator.post(f"/flows/{sid}/edit/", data).status_code == 302
    assert written(sandbox) == [{"FriendlyName": "Plaintes"}]


ODD = [
    ("studio", "friendly_name", "x" * 300), ("studio", "friendly_name", None), ("studio", "friendly_name", ""),
    ("studio", "friendly_name", "   "), ("studio", "friendly_name", "nul\x00nul"), ("studio", "friendly_name", "two\r\nlines"),
    ("studio", "friendly_name", "half\ud83d"), ("studio", "chat_service_sid", None), ("studio", "chat_service_sid", ""),
    ("studio", "chat_service_sid", "IS1"), ("studio", "channel_type", "telepathy"), ("studio", "channel_type", None),
    ("studio", "integration_type", "bot"), ("studio", "integration_type", None), ("studio", "enabled", None),
    ("studio", "enabled", "perhaps"), ("studio", "enabled", 1), ("studio", "long_lived", None), ("studio", "janitor_enabled", "yes"),
    ("studio", "integration_flow_sid", None), ("studio", "integration_flow_sid", ""), ("studio", "integration_flow_sid", "flow one"),
    ("studio", "integration_retry_count", 9), ("studio", "integration_retry_count", -1), ("studio", "integration_retry_count", "many"),
    ("studio", "integration_retry_count", 1.5), ("studio", "integration_retry_count", "3"), ("studio", "integration_retry_count", 0),
    ("studio", "integration_creation_on_message", "perhaps"),
    ("external", "integration_url", None), ("external", "integration_url", "ftp://h.example/"), ("external", "integration_url", "gone"),
    ("external", "integration_url", "https://h.example/a b"), ("external", "integration_url", "https://h.example/" + "a" * 3000),
    ("external", "integration_url", "https://masked-0a1b2c@h.example/"),
    ("task", "integration_workspace_sid", None), ("task", "integration_workflow_sid", "WW"), ("task", "integration_channel", None),
    ("task", "integration_channel", "c" * 100), ("task", "integration_timeout", 10**12), ("task", "integration_priority", -7),
]  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize(("kind", "name", "value"), ODD, ids=lambda value: ascii(value)[:30])
def test_what_a_form_would_not_take_does_not_stand_in_the_way(
    edit, sandbox, flow_of, kind, name, value
):
    sid = flow_of(kind, **{name: value})

    page = edit(sid, contact_identity="+14155550177")

    assert page.status_code == 302, page.context["form"].errors
    assert written(sandbox) == [{"ContactIdentity": "+14155550177"}]


@pytest.mark.long
@pytest.mark.parametrize(("kind", "name", "value"), ODD, ids=lambda value: ascii(value)[:30])
def test_nor_when_a_script_leaves_it_out(edit, sandbox, flow_of, kind, name, value):
    sid = flow_of(kind, **{name: value})

    page = edit(sid, contact_identity="+14155550177", **{name: None})

    assert page.status_code == 302, page.context["form"].errors
    assert written(sandbox) == [{"ContactIdentity": "+14155550177"}]


@pytest.mark.parametrize(
    ("kind", "name", "value", "entered"),
    [
        ("studio", "friendly_name", "x" * 300, "x" * 299),
        ("studio", "chat_service_sid", "IS1", "IS2"),
        ("studio", "channel_type", "telepathy", "smoke"),
        ("studio", "integration_type", "bot", "agent"),
        ("studio", "integration_retry_count", 9, "8"),
        ("external", "integration_url", "ftp://h.example/", "ftp://h.example/2"),
        (
            "external",
            "integration_url",
            "https://masked-0a1b2c@h.example/",
            "https://masked-0a1b2c@other.example/",
        ),
    ],
)
def test_but_it_is_no_leave_to_write_something_else_as_odd(
    edit, sandbox, flow_of, kind, name, value, entered
):
    page = edit(flow_of(kind, **{name: value}), **{name: entered})

    assert page.status_code == 422
    assert set(page.context["form"].errors) == {name}
    assert written(sandbox) == []


SPACED = "  Réclamations \u00a0Lyon\r\ncentre\t "


@pytest.mark.parametrize(
    "entered",
    [
        SPACED, SPACED.strip(), SPACED.replace("\r\n", ""), SPACED.replace("\r\n", "").strip(),
        SPACED.replace("\r\n", "\n"), f"\n{SPACED}",
    ],
    ids=ascii,
)  # fmt: skip
def test_white_space_that_a_browser_eats_is_no_change(edit, sandbox, flow_of, entered):
    sid = flow_of("studio", friendly_name=SPACED)

    assert edit(sid, friendly_name=entered, contact_identity="+14155550177").status_code == 302

    assert written(sandbox) == [{"ContactIdentity": "+14155550177"}]


@pytest.mark.parametrize(
    ("before", "after"),
    [("sms support", "smssupport"), ("smssupport", "sms support"), ("sms  support", "sms support")],
)
def test_words_joined_or_parted_are_a_change(edit, sandbox, flow_of, before, after):
    assert edit(flow_of("studio", friendly_name=before), friendly_name=after).status_code == 302

    assert written(sandbox) == [{"FriendlyName": after}]
