"""From the form to the wire: the sandbox receives what a user enters on the real pages.

The wire names are those of tests/data. What is refused is in test_form_errors.py.
"""

import itertools
import uuid

import pytest

from flows.twilio.flex.flex_flow import FLEX_FLOW
from tests.conftest import form_data
from tests.data import EXAMPLES, FACTS, INTEGRATION_TYPES, PARAMETERS, WIRE, required_by, taken_by
from tests.flows.flex_flows.form_fields import (
    BOOLEANS,
    INTEGERS,
    REQUIRED_ON_CREATE,
    kind_for,
    written,
)

pytestmark = pytest.mark.django_db
# Every field with every integration type that takes it. From the table, so that a new field is tested at once.
ACCEPTED_VALUES = [
    (field.name, kind)
    for field in FLEX_FLOW.writable_fields
    for kind in field.takes or INTEGRATION_TYPES
]
OPTIONAL = ["contact_identity", "integration_timeout", "integration_priority", "integration_retry_count",
            "integration_creation_on_message"]  # fmt: skip


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
