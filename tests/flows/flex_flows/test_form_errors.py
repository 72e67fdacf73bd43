"""Wrong input in the form of a flow: an error beside its field, and nothing is sent."""

import html

import pytest

from tests.data import INTEGRATION_TYPES, required_by
from tests.flows.flex_flows.form_fields import (
    BOOLEANS,
    INTEGERS,
    KIND,
    REQUIRED_ON_CREATE,
    SIDS,
    has_error_beside,
    kind_for,
    written,
)

pytestmark = pytest.mark.django_db
BAD = [
    *((name, "1e3") for name in INTEGERS), *((name, "abc") for name in INTEGERS), *((name, "-1") for name in INTEGERS),
    *((name, "٣") for name in INTEGERS), *((name, "３") for name in INTEGERS), *((name, "3.0") for name in INTEGERS),
    *((name, "1_0") for name in INTEGERS), *((name, "1 0") for name in INTEGERS), *((name, "0x1") for name in INTEGERS),
    *((name, "+1") for name in INTEGERS), *((name, "9" * 5000) for name in INTEGERS), *((name, "½") for name in INTEGERS),
    *((name, "2147483648") for name in INTEGERS), ("integration_retry_count", "4"),
    *((name, prefix) for name, prefix in SIDS.items()), *((name, "XX" + "a" * 32) for name in SIDS),
    *((name, prefix + "a" * 31) for name, prefix in SIDS.items()), *((name, prefix + "a" * 33) for name, prefix in SIDS.items()),
    *((name, prefix + "g" * 32) for name, prefix in SIDS.items()), *((name, prefix + "٣" * 32) for name, prefix in SIDS.items()),
    *((name, prefix.lower() + "a" * 32) for name, prefix in SIDS.items()), *((name, "https://x") for name in SIDS),
    *((name, prefix + "a" * 16 + " " + "a" * 16) for name, prefix in SIDS.items()),
    *((name, "perhaps") for name in BOOLEANS), *((name, "True") for name in BOOLEANS), *((name, "1") for name in BOOLEANS),
    ("channel_type", "telepathy"), ("channel_type", "SMS"), ("integration_type", "bot"), ("integration_type", "Studio"),
    *(("integration_url", url) for url in (
        "ftp://h.example/", "javascript:alert(1)", "javascript://h.example/%0aalert(1)", "data:text/html,x", "file:///etc/passwd",
        "https://", "https:///path", "https://?q", "https://:80/", "//h.example/", "h.example/in", "https:h.example", "https://a b/",
        "https://h.example/a b", "https://h.example/\ta", "https://h.example/a\nb", "https://h.example:99999/", "https://h.example:x/",
        "https://h.example:0/", "https://[::1/", "https://h.example/\u00a0a", "https://h.example/\u2028x", "https://h.example/\x7f",
        "https://h.example/\u202ecod.exe", "https://h\u200b.example/",
        "https://localhost/" + "a" * 2031, "https://masked-0a1b2c@h.example/", "https://h.example/?token=masked-0a1b2c&a=1",
    )),
    ("friendly_name", "a" * 257), ("friendly_name", "x" * 10_000), ("friendly_name", "nul\x00nul"), ("friendly_name", " \t "),
    ("contact_identity", "a" * 257), ("contact_identity", "\x00"), ("integration_channel", "a" * 65), ("reason", "r" * 201),
]  # fmt: skip


def marked_up(value):
    """Return the value as the HTML of an input has it."""
    return f'value="{html.escape(value)}"'


@pytest.mark.long
@pytest.mark.parametrize(("name", "entered"), BAD, ids=lambda value: ascii(value[:30]))
def test_what_is_wrong_is_said_beside_its_field_and_not_sent(
    create, edit, sandbox, flow_of, name, entered
):
    kind = kind_for(name) if name != "reason" else "studio"
    sid = flow_of(kind)

    for page in (create(kind, **{name: entered}), edit(sid, **{name: entered})):
        form = page.context["form"]
        assert page.status_code == 422
        assert name in form.errors
        assert has_error_beside(page, name)
        assert form[name].value() == entered
        if (
            KIND.get(name) not in {"boolean", "enum"}
            and "\x00" not in entered
            and "\n" not in entered
        ):
            assert marked_up(entered) in page.content.decode()
        assert page.context["form"].error_list[0][0] in {f"id_{name}", "id_integration_type"}

    assert written(sandbox) == []


@pytest.mark.parametrize("kind", INTEGRATION_TYPES)
def test_everything_that_a_create_requires(create, sandbox, kind):
    required = {*REQUIRED_ON_CREATE, *required_by(kind)}

    for name in required:
        page = create(kind, **{name: "", "contact_identity": "typed all the same"})
        assert page.status_code == 422
        assert set(page.context["form"].errors) == {name}
        assert has_error_beside(page, name)
        assert page.context["form"]["contact_identity"].value() == "typed all the same"

    assert written(sandbox) == []


def test_summary_has_the_order_of_the_page(create):
    page = create("studio", friendly_name="", channel_type="", chat_service_sid="")

    assert [field_id for field_id, _ in page.context["form"].error_list] == [
        "id_friendly_name",
        "id_channel_type",
        "id_chat_service_sid",
    ]


@pytest.mark.parametrize("kind", INTEGRATION_TYPES)
def test_everything_that_an_edit_requires(edit, sandbox, flow_of, kind):
    lasting = ["enabled", "integration_type", "long_lived", "janitor_enabled"]
    sid = flow_of(kind)

    for name in {*REQUIRED_ON_CREATE, *required_by(kind), *lasting}:
        page = edit(sid, **{name: "", "contact_identity": "typed all the same"})
        assert page.status_code == 422, name
        assert set(page.context["form"].errors) == {name}
        assert has_error_beside(page, name)
        assert page.context["form"]["contact_identity"].value() == "typed all the same"

    assert written(sandbox) == []


@pytest.mark.parametrize("kind", INTEGRATION_TYPES)
def test_a_type_that_is_new_to_the_flow_requires_its_fields(edit, sandbox, flow_of, kind):
    sid = flow_of("bot")

    page = edit(sid, integration_type=kind)

    # The task channel alone comes with a default.
    missing = set(required_by(kind)) - {"integration_channel"}
    assert page.status_code == 422
    assert set(page.context["form"].errors) == missing
    assert written(sandbox) == []


def test_an_empty_leftover_does_not_pass_for_what_a_new_type_requires(edit, sandbox, flow_of):
    sid = flow_of("studio", integration_url="")

    page = edit(sid, integration_type="external", integration_url="")

    assert page.status_code == 422
    assert set(page.context["form"].errors) == {"integration_url"}
    assert written(sandbox) == []


def test_the_word_none_is_a_text_like_any_other(edit, sandbox, flow_of):
    assert (
        edit(flow_of("studio", contact_identity=None), contact_identity="None").status_code == 302
    )

    assert written(sandbox) == [{"ContactIdentity": "None"}]


@pytest.mark.parametrize("change_id", [None, "", "7", "x" * 36, "\x00"], ids=ascii)
def test_without_a_change_id_nothing_is_sent(edit, sandbox, flow_of, change_id):
    page = edit(flow_of("studio"), friendly_name="Plaintes", change_id=change_id)

    assert page.status_code == 422
    assert "change_id" in page.context["form"].errors
    assert written(sandbox) == []
