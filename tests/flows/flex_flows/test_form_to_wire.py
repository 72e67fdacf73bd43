"""From the form to the wire: the sandbox receives what a user enters on the real pages.

The wire names are those of tests/data. An error appears beside its field, the input stays, and
nothing is sent.
"""

import html
import itertools
import uuid

import pytest

from flows.twilio.flex.flex_flow import FLEX_FLOW
from tests.conftest import form_data
from tests.data import EXAMPLES, FACTS, INTEGRATION_TYPES, PARAMETERS, WIRE, required_by, taken_by

pytestmark = pytest.mark.django_db

KIND = {fact["name"]: fact["kind"] for fact in PARAMETERS.values()}
BOOLEANS = [name for name, kind in KIND.items() if kind == "boolean"]
INTEGERS = [name for name, kind in KIND.items() if kind == "integer"]
SIDS = {fact["name"]: fact["prefix"] for fact in PARAMETERS.values() if fact["kind"] == "sid"}
REQUIRED_ON_CREATE = [PARAMETERS[wire]["name"] for wire in FACTS["required_on_create"]]
# Every field with every integration type that takes it. From the table, so that a new field is tested at once.
ACCEPTED_VALUES = [
    (field.name, kind)
    for field in FLEX_FLOW.writable_fields
    for kind in field.takes or INTEGRATION_TYPES
]
OPTIONAL = ["contact_identity", "integration_timeout", "integration_priority", "integration_retry_count",
            "integration_creation_on_message"]  # fmt: skip


def kind_for(name):
    """Return an integration type that has the field."""
    return (PARAMETERS[WIRE[name]].get("takes") or ["studio"])[0]


def written(sandbox):
    return [request.parameters for request in sandbox.requests if request.method != "GET"]


def has_error_beside(page, name):
    return f'id="id_{name}_error"' in page.content.decode()


@pytest.fixture
def operator(client_of):
    return client_of("operator")


@pytest.fixture
def flow_of(sandbox):
    """Add a flow with every field of its integration type, none of them as in EXAMPLES."""

    def make(kind, **fields):
        other_values = {
            "boolean": lambda name: EXAMPLES[name] != "true",
            "integer": lambda name: int(EXAMPLES[name]) + 1,
            "sid": lambda name: SIDS[name] + "e" * 32,
        }
        full = {
            name: other_values[KIND[name]](name)
            for name in taken_by(kind)
            if KIND[name] in other_values
        }
        channel = fields.pop("channel_type", "sms")
        sid = sandbox.add_flow(
            **{**full, "channel_type": "sms", "integration_type": kind, **fields}
        )
        sandbox.edit_flow(sid, channel_type=channel)
        return sid

    return make


@pytest.fixture
def create(operator):
    """Submit the form for a new flow: the required fields of its type, with changes by the test."""

    def post(kind, **changes):
        data = form_data(operator.get("/flows/new/")) | {"integration_type": kind}
        data |= {name: EXAMPLES[name] for name in (*REQUIRED_ON_CREATE, *required_by(kind))}
        return operator.post("/flows/new/", data | changes)

    return post


@pytest.fixture
def edit(operator):
    """Open a flow's form and submit it with changes. None leaves a field out."""

    def post(sid, **changes):
        data = form_data(operator.get(f"/flows/{sid}/edit/")) | changes
        return operator.post(
            f"/flows/{sid}/edit/",
            {name: value for name, value in data.items() if value is not None},
        )

    return post


# What is filled in is sent


def test_every_field_of_the_facts_is_in_the_table():
    assert {name for name, _ in ACCEPTED_VALUES} == set(EXAMPLES)


@pytest.mark.parametrize("kind", INTEGRATION_TYPES)
def test_create_sends_the_fields_of_its_type_and_no_other(create, sandbox, kind):
    answer = create(kind, **EXAMPLES | {"integration_type": kind})

    assert answer.status_code == 302
    assert written(sandbox) == [
        {WIRE[name]: EXAMPLES[name] for name in taken_by(kind)} | {"IntegrationType": kind}
    ]


def test_create_without_a_type_sends_nothing_of_an_integration(create, sandbox):
    answer = create("", **EXAMPLES | {"integration_type": ""})

    assert answer.status_code == 302
    (request,) = written(sandbox)
    assert request == {
        WIRE[name]: value for name, value in EXAMPLES.items() if not name.startswith("integration")
    }


@pytest.mark.parametrize("kind", INTEGRATION_TYPES)
def test_create_sends_no_field_that_was_left_empty(create, sandbox, kind):
    answer = create(kind)

    assert answer.status_code == 302
    names = {*REQUIRED_ON_CREATE, *required_by(kind), "integration_type"}
    assert [set(request) for request in written(sandbox)] == [{WIRE[name] for name in names}]


def test_a_new_task_begins_with_the_default_channel(operator, sandbox):
    data = form_data(operator.get("/flows/new/"))
    names = [*REQUIRED_ON_CREATE, "integration_workspace_sid", "integration_workflow_sid"]

    answer = operator.post(
        "/flows/new/",
        data | {name: EXAMPLES[name] for name in names} | {"integration_type": "task"},
    )

    assert answer.status_code == 302
    assert (
        written(sandbox)[0]["Integration.Channel"]
        == FACTS["parameters"]["Integration.Channel"]["default"]
    )


@pytest.mark.parametrize(
    ("name", "kind"), [pair for pair in ACCEPTED_VALUES if pair[0] != "integration_type"]
)
def test_edit_sends_the_one_field_that_was_changed(edit, sandbox, flow_of, name, kind):
    sid = flow_of(kind)

    answer = edit(sid, **{name: EXAMPLES[name]})

    assert answer.status_code == 302
    assert written(sandbox) == [{WIRE[name]: EXAMPLES[name]}]


@pytest.mark.parametrize("kind", INTEGRATION_TYPES)
def test_edit_that_changes_nothing_sends_nothing(edit, sandbox, flow_of, kind):
    answer = edit(flow_of(kind), reason="just looking")

    assert answer.status_code == 302
    assert written(sandbox) == []


@pytest.mark.parametrize("kind", INTEGRATION_TYPES)
def test_edit_never_sends_the_fields_of_another_type(edit, sandbox, flow_of, kind):
    sid = flow_of(kind)
    foreign = {name: EXAMPLES[name] for name in EXAMPLES if name not in taken_by(kind)}

    answer = edit(sid, contact_identity="+14155550177", **foreign)

    assert answer.status_code == 302
    assert written(sandbox) == [{"ContactIdentity": "+14155550177"}]


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(INTEGRATION_TYPES, 2)))
def test_edit_of_the_type_sends_it_with_the_fields_it_brings(edit, sandbox, flow_of, before, after):
    sid = flow_of(before)
    brought = [name for name in taken_by(after) if name not in taken_by(before)]

    answer = edit(sid, integration_type=after, **{name: EXAMPLES[name] for name in brought})

    assert answer.status_code == 302
    assert written(sandbox) == [
        {WIRE[name]: EXAMPLES[name] for name in brought} | {"IntegrationType": after}
    ]
    assert sandbox.flows[sid]["integration_type"] == after


@pytest.mark.parametrize("name", BOOLEANS)
@pytest.mark.parametrize("before", [None, True, False])
@pytest.mark.parametrize(("entered", "wire_value"), [("true", "true"), ("false", "false")])
def test_yes_and_no_are_sent_unless_it_is_so_already(
    edit, sandbox, flow_of, name, before, entered, wire_value
):
    sid = flow_of(kind_for(name), **{name: before})

    assert edit(sid, **{name: entered}).status_code == 302

    assert written(sandbox) == (
        [] if before is not None and before == (entered == "true") else [{WIRE[name]: wire_value}]
    )


@pytest.mark.parametrize("name", BOOLEANS)
def test_a_boolean_that_is_not_set_stays_so(edit, sandbox, flow_of, name):
    sid = flow_of(kind_for(name), **{name: None})

    assert edit(sid, contact_identity="+14155550177", **{name: ""}).status_code == 302

    assert written(sandbox) == [{"ContactIdentity": "+14155550177"}]


@pytest.mark.parametrize("name", INTEGERS)
def test_zero_is_a_value(create, edit, sandbox, flow_of, name):
    kind = kind_for(name)

    assert create(kind, **{name: "0"}).status_code == 302
    assert edit(flow_of(kind), **{name: "0"}).status_code == 302

    assert [request[WIRE[name]] for request in written(sandbox)] == ["0", "0"]


@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize("edge", ["minimum", "maximum"])
def test_an_integer_at_its_limit(create, sandbox, name, edge):
    limit = str(PARAMETERS[WIRE[name]][edge])

    assert create(kind_for(name), **{name: f" {limit} "}).status_code == 302

    assert written(sandbox)[0][WIRE[name]] == limit


@pytest.mark.parametrize("name", OPTIONAL)
def test_what_is_emptied_is_sent_as_empty(edit, sandbox, flow_of, name):
    assert edit(flow_of(kind_for(name)), **{name: ""}).status_code == 302

    assert written(sandbox) == [{WIRE[name]: ""}]


@pytest.mark.parametrize("kind", INTEGRATION_TYPES)
def test_fields_missing_in_a_scripts_post_are_left_alone(edit, sandbox, flow_of, kind):
    missing = dict.fromkeys(name for name in taken_by(kind) if name != "friendly_name")

    answer = edit(flow_of(kind), **missing, friendly_name="Plaintes", reason=None)

    assert answer.status_code == 302
    assert written(sandbox) == [{"FriendlyName": "Plaintes"}]


def test_a_scripts_new_type_with_its_required_fields_alone(operator, sandbox, flow_of):
    sid = flow_of("studio")
    base = form_data(operator.get(f"/flows/{sid}/edit/"))["base"]
    values = {
        "integration_type": "task",
        "integration_workspace_sid": EXAMPLES["integration_workspace_sid"],
        "integration_workflow_sid": EXAMPLES["integration_workflow_sid"],
    }

    answer = operator.post(
        f"/flows/{sid}/edit/", {"base": base, "change_id": str(uuid.uuid4()), **values}
    )

    assert answer.status_code == 302
    expected = {WIRE[name]: value for name, value in values.items()} | {
        "Integration.Channel": "default"
    }
    assert written(sandbox) == [expected]


# What people write


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script> & \"'", "{{ 7*7 }}{% now %}", "\u202eesrever\u202c", "zero\u200bwidth", "👩‍👩‍👧 équipe",
        "東京 お問い合わせ", "a" * 256, "é" * 256, "100%_\\", "=1+1", "ﬁ ﬂ", "a=b&c;d#e+f%20",
    ],
    ids=ascii,
)  # fmt: skip
def test_names_go_to_the_wire_as_they_were_written(create, edit, sandbox, flow_of, operator, name):
    assert create("studio", friendly_name=name).status_code == 302
    sid = flow_of("studio")
    assert edit(sid, friendly_name=name).status_code == 302

    assert [request["FriendlyName"] for request in written(sandbox)] == [name, name]
    assert "<script>alert(1)" not in operator.get(f"/flows/{sid}/edit/").content.decode()


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com", "http://127.0.0.1:8000/in", "HTTPS://HOOKS.EXAMPLE.COM/A?b=c#d", "https://[::1]:8443/",
        "https://user:pass@hooks.example.com/?token=abc", "https://bücher.example/pfad", "https://h.example/?q=a%20b+c&e=",
        "https://localhost/" + "a" * 2029,
    ],
    ids=lambda url: url[:40],
)  # fmt: skip
def test_addresses_go_to_the_wire_as_they_were_written(create, sandbox, url):
    assert create("external", integration_url=url).status_code == 302

    assert written(sandbox)[0]["Integration.Url"] == url


# What is wrong

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


# The flow as the operator saw it


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


# The type switched to and fro


@pytest.fixture
def switch(operator):
    """Select another integration type as the button or htmx does, and return the page."""

    def post(path, page, kind, *, htmx=False, **entered):
        data = form_data(page) | entered | {"integration_type": kind, "update_fields": "1"}
        answer = operator.post(path, data, headers={"HX-Request": "true"} if htmx else {})
        assert answer.status_code == 200
        assert answer.context["form"].errors == {}
        return answer

    return post


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
