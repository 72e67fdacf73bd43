"""The Flex configuration: one object, sent as JSON, whose objects are merged into the live ones."""

import html
import json

import pytest
from django.urls import reverse

from flows.audit.models import AuditEvent
from flows.resources.models import ResourceRefusal
from flows.twilio.json_values import InvalidJson, is_same_json, merge_objects, parse_strictly
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.named_bodies import SECRET
from tests import ACCOUNT
from tests.conftest import form_data
from tests.flows.resources.conftest import FACTS, RESOURCES, common, sent

pytestmark = pytest.mark.django_db(transaction=True)
CONFIGURATION = RESOURCES["configuration"]
URL, EDIT_URL = "/flex/configuration/", "/flex/configuration/edit/"
# A new value of each field as a form has it, and as the request has it.
NEW_VALUES = {
    "text": ("de-DE", "de-DE"),
    "boolean": ("false", False),
    "url": ("https://new.example.com/x", "https://new.example.com/x"),
    "json": ('{"new": [1, null]}', {"new": [1, None]}),
    "json_list": ('[{"name": "German"}]', [{"name": "German"}]),
}


@pytest.fixture
def admin(client_of):
    return client_of("admin")


def text_of(response):
    return html.unescape(response.content.decode())


def stored(sandbox):
    return sandbox.store_of(CONFIGURATION).snapshot()[ACCOUNT]


def sent_json(sandbox):
    """Return the JSON bodies of the changes."""
    assert all(path == "/v1/Configuration" for _, path, _ in sent(sandbox))
    return [json.loads(parameters["json"]) for _, _, parameters in sent(sandbox)]


def save(client, **values):
    data = form_data(client.get(EDIT_URL))
    return client.post(EDIT_URL, {**data, **common(**values)})


def new_value(field):
    if field.kind == "sid":
        return (field.sid_prefix + "9" * 32,) * 2
    if field.name in ("call_recording_enabled",):
        return "true", True
    return NEW_VALUES[field.kind]


def test_page_shows_every_setting_under_its_heading(client_of, sandbox, flow_on):
    page = client_of("viewer").get(URL)

    shown = {cell.field.name for _, cells in page.context["sections"] for cell in cells}
    assert page.status_code == 200
    assert shown == CONFIGURATION.by_name.keys() - {"url"}
    assert [title for title, _ in page.context["sections"]][:2] == ["Flex", "Flex UI"]
    assert "flex_insights_hr" in text_of(page)
    assert SECRET not in text_of(page)
    assert not page.context["edit_url"]


EDITABLE = CONFIGURATION.fields_set_by("update")


@pytest.mark.parametrize("field", EDITABLE, ids=lambda field: field.name)
def test_only_the_changed_field_is_sent_as_json(admin, sandbox, flow_on, field):
    typed, expected = new_value(field)

    answer = save(admin, **{field.name: typed})

    assert answer.status_code == 302, text_of(answer)
    assert sent_json(sandbox) == [{"account_sid": ACCOUNT, field.name: expected}]
    assert stored(sandbox)[field.name] == expected
    event = AuditEvent.objects.latest("seq")
    assert (event.action, event.result) == ("configuration.update", "succeeded")
    assert (event.target_sid, event.changed_fields) == (ACCOUNT, [field.name])


def test_masked_secret_stays_while_the_rest_of_its_object_changes(admin, sandbox, flow_on):
    page = admin.get(EDIT_URL)
    attributes = json.loads(form_data(page)["crm_attributes"])
    mask = attributes["api_token"]

    answer = save(admin, crm_attributes=json.dumps({**attributes, "theme": "dark"}))

    assert SECRET not in text_of(page)
    assert "Masked secrets are kept." in text_of(page)
    assert mask.startswith("masked-")
    assert answer.status_code == 302
    assert sent_json(sandbox)[0]["crm_attributes"] == {
        **attributes,
        "api_token": SECRET,
        "theme": "dark",
    }
    assert stored(sandbox)["crm_attributes"]["api_token"] == SECRET
    event = AuditEvent.objects.latest("seq")
    assert SECRET not in f"{event.payload.before} {event.payload.requested} {event.payload.after}"


def test_masked_secret_in_a_list_stays_while_another_item_changes(admin, sandbox, flow_on):
    items = [{"name": "CRM", "config": {"api_token": SECRET}}, {"name": "Chat", "active": True}]
    sandbox.store_of(CONFIGURATION).edit(ACCOUNT, {"integrations": items})
    shown = json.loads(form_data(admin.get(EDIT_URL))["integrations"])

    save(admin, integrations=json.dumps([shown[0], {**shown[1], "active": False}]))

    assert shown[0]["config"]["api_token"].startswith("masked-")
    assert stored(sandbox)["integrations"] == [items[0], {"name": "Chat", "active": False}]


def test_new_secret_replaces_the_masked_one(admin, sandbox, flow_on):
    attributes = json.loads(form_data(admin.get(EDIT_URL))["crm_attributes"])

    save(admin, crm_attributes=json.dumps({**attributes, "api_token": "an0ther-s3cret"}))

    assert stored(sandbox)["crm_attributes"]["api_token"] == "an0ther-s3cret"
    assert "an0ther-s3cret" not in str(AuditEvent.objects.latest("seq").payload.requested)


def test_mask_in_another_place_is_refused(admin, sandbox, flow_on):
    attributes = json.loads(form_data(admin.get(EDIT_URL))["crm_attributes"])
    moved = {"copy": attributes["api_token"]}

    answer = save(admin, crm_attributes=json.dumps({**attributes, **moved}))

    assert answer.status_code == 422
    assert "contains a masked secret. Enter the secret itself." in text_of(answer)
    assert sent(sandbox) == []


def test_secret_that_someone_else_changed_meanwhile_is_theirs(admin, sandbox, flow_on):
    data = form_data(admin.get(EDIT_URL))
    attributes = json.loads(data["crm_attributes"])
    theirs = {**stored(sandbox)["crm_attributes"], "api_token": "theirs-n3w-s3cret"}
    sandbox.store_of(CONFIGURATION).edit(ACCOUNT, {"crm_attributes": theirs})
    mine = json.dumps({**attributes, "theme": "dark"})

    answer = admin.post(EDIT_URL, {**data, **common(crm_attributes=mine)})

    assert answer.status_code == 302, text_of(answer)
    assert stored(sandbox)["crm_attributes"] == {**theirs, "theme": "dark"}


def test_conflict_about_an_object_with_a_secret_shows_masks_and_can_be_saved(
    admin, sandbox, flow_on
):
    data = form_data(admin.get(EDIT_URL))
    attributes = json.loads(data["crm_attributes"])
    theirs = {**stored(sandbox)["crm_attributes"], "theme": "light"}
    sandbox.store_of(CONFIGURATION).edit(ACCOUNT, {"crm_attributes": theirs})
    mine = json.dumps({**attributes, "theme": "dark"})

    conflict = admin.post(EDIT_URL, {**data, **common(crm_attributes=mine)})
    answer = admin.post(EDIT_URL, {**form_data(conflict), **common()})

    assert conflict.status_code == 409
    assert conflict.context["form"].error_list == []
    assert SECRET not in text_of(conflict)
    assert answer.status_code == 302, text_of(answer)
    assert stored(sandbox)["crm_attributes"] == {**theirs, "theme": "dark"}


def test_edits_within_one_object_are_merged(admin, sandbox, flow_on):
    data = form_data(admin.get(EDIT_URL))
    mine = json.loads(data["ui_attributes"])
    mine["theme"]["isLight"] = False
    theirs = json.loads(data["ui_attributes"])
    theirs["custom_data"]["greeting"] = "Hello"
    sandbox.store_of(CONFIGURATION).edit(ACCOUNT, {"ui_attributes": theirs})

    answer = admin.post(EDIT_URL, {**data, **common(ui_attributes=json.dumps(mine))})

    assert answer.status_code == 302
    now = stored(sandbox)["ui_attributes"]
    assert now["theme"] == {"isLight": False}
    assert now["custom_data"] == {"greeting": "Hello", "features": {"callbacks": True}}


def test_edits_of_the_same_part_are_a_conflict(admin, sandbox, flow_on):
    data = form_data(admin.get(EDIT_URL))
    mine, theirs = json.loads(data["ui_attributes"]), json.loads(data["ui_attributes"])
    mine["theme"]["isLight"], theirs["theme"]["isLight"] = False, "auto"
    sandbox.store_of(CONFIGURATION).edit(ACCOUNT, {"ui_attributes": theirs})

    answer = admin.post(EDIT_URL, {**data, **common(ui_attributes=json.dumps(mine))})

    assert answer.status_code == 409
    assert "UI attributes" in text_of(answer)
    assert sent(sandbox) == []


def test_review_shows_the_changed_parts_of_an_object(admin, sandbox, flow_on):
    data = form_data(admin.get(EDIT_URL))
    mine = json.loads(data["ui_attributes"])
    mine["theme"] = {"isLight": False}
    mine["new"] = 1

    page = admin.post(EDIT_URL, {**data, **common(ui_attributes=json.dumps(mine), review="1")})

    assert [row["label"] for row in page.context["rows"]] == [
        "UI attributes: theme.isLight",
        "UI attributes: new",
    ]


def test_collision_at_twilio_has_its_own_advice(admin, sandbox, flow_on):
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST", status=409, code=45102))

    answer = save(admin, ui_language="de-DE")

    assert answer.status_code == 422
    assert "Someone else changed the configuration at the same moment." in text_of(answer)


def test_account_without_flex_is_said_once(admin, sandbox, flow_on):
    sandbox.inject(
        Fault(FaultKind.REFUSE, path="/Configuration", status=404, code=45101, times=None)
    )

    page = admin.get(URL)

    assert page.status_code == 200
    assert "not set up in this account" in text_of(page)
    assert ResourceRefusal.objects.get().resource == "configuration"


def test_operator_sees_and_changes_nothing(client_of, sandbox, flow_on):
    operator = client_of("operator")

    assert operator.get(URL).status_code == 200
    assert operator.get(EDIT_URL).status_code == 403
    assert operator.post(EDIT_URL, common(ui_language="x")).status_code == 403
    assert sent(sandbox) == []


def test_each_account_has_its_own(client_of, sandbox, staging):
    admin = client_of("admin")

    page = admin.get(URL, {"account": staging.account_sid})

    (cell,) = (
        cell for _, cells in page.context["sections"] for cell in cells if cell.field.name == "sid"
    )
    assert cell.value == staging.account_sid
    assert len(page.context["account_choices"]) == 2


@pytest.mark.parametrize(
    ("base", "theirs", "mine", "expected"),
    [
        ({"a": 1}, {"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": 1}, {"a": 3}, {"a": 1}, {"a": 3}),
        ({"a": 1}, {"a": 2}, {"a": 2}, {"a": 2}),
        ({"a": 1}, {"a": 1, "b": 1}, {"a": 2}, {"a": 2, "b": 1}),
        ({"a": 1, "b": 1}, {"a": 1, "b": 1}, {"b": 1}, {"b": 1}),
        ({"a": {"x": 1}}, {"a": {"x": 1, "y": 2}}, {"a": {"x": 9}}, {"a": {"x": 9, "y": 2}}),
        ({}, {"n": {"x": 1}}, {}, {"n": {"x": 1}}),
    ],
)
def test_objects_are_merged(base, theirs, mine, expected):
    merged = merge_objects(base, theirs, mine)

    assert (merged.value, merged.conflicts) == (expected, [])


@pytest.mark.parametrize(
    ("base", "theirs", "mine"),
    [
        ({"a": 1}, {"a": 2}, {"a": 3}),
        ({"a": 1}, {}, {"a": 3}),
        ({"a": 1}, {"a": 2}, {}),
        ({}, {"a": {"x": 1}}, {"a": {"x": 2}}),
        ({"a": [1]}, {"a": [1, 2]}, {"a": [1, 3]}),
    ],
)
def test_objects_with_the_same_part_changed_are_a_conflict(base, theirs, mine):
    merged = merge_objects(base, theirs, mine)

    assert merged.conflicts
    assert merged.value.get("a") == mine.get("a")


def test_conflict_of_one_part_leaves_the_others_merged():
    merged = merge_objects(
        {"t": {"a": 1, "b": 1}, "c": 0},
        {"t": {"a": 2, "b": 1, "n": 1}},
        {"t": {"a": 3, "b": 9}, "c": 0},
    )

    assert merged.conflicts == ["t.a"]
    assert merged.value == {"t": {"a": 3, "b": 9, "n": 1}}


def test_second_save_after_a_conflict_keeps_what_others_added(admin, sandbox, flow_on):
    store = sandbox.store_of(CONFIGURATION)
    store.edit(ACCOUNT, {"attributes": {"a": 1, "c": 0}, "markdown": {"x": 1}})
    data = form_data(admin.get(EDIT_URL))
    store.edit(
        ACCOUNT,
        {"attributes": {"a": 2, "c": 0, "new": 1}, "markdown": {"x": 1, "added": True}},
    )
    mine = {"attributes": '{"a": 3, "c": 0}', "markdown": '{"x": 5}'}

    conflict = admin.post(EDIT_URL, {**data, **common(**mine)})
    admin.post(EDIT_URL, {**form_data(conflict), **common()})

    assert conflict.status_code == 409
    assert [row["label"] for row in conflict.context["conflicts"]] == ["Attributes: a"]
    assert stored(sandbox)["attributes"] == {"a": 3, "c": 0, "new": 1}
    assert stored(sandbox)["markdown"] == {"x": 5, "added": True}


def test_secret_that_came_since_the_form_was_opened_is_masked_in_the_conflict(
    admin, sandbox, flow_on
):
    store = sandbox.store_of(CONFIGURATION)
    store.edit(ACCOUNT, {"attributes": {"a": 1}})
    data = form_data(admin.get(EDIT_URL))
    store.edit(ACCOUNT, {"attributes": {"a": 2, "api_token": "s3cr3t-s3cr3t"}})

    conflict = admin.post(EDIT_URL, {**data, **common(attributes='{"a": 3}')})
    admin.post(EDIT_URL, {**form_data(conflict), **common()})

    assert "s3cr3t-s3cr3t" not in text_of(conflict)
    assert stored(sandbox)["attributes"] == {"a": 3, "api_token": "s3cr3t-s3cr3t"}


@pytest.mark.parametrize(("old", "new"), [({"a": 1}, {"a": True}), ({"a": 0}, {"a": False})])
def test_one_is_not_true(admin, sandbox, flow_on, old, new):
    sandbox.store_of(CONFIGURATION).edit(ACCOUNT, {"attributes": old})

    save(admin, attributes=json.dumps(new))

    assert is_same_json(stored(sandbox)["attributes"], new)
    assert not is_same_json(old, new)


def test_untouched_part_with_a_character_that_cannot_be_stored_stays(admin, sandbox, flow_on):
    sandbox.store_of(CONFIGURATION).edit(ACCOUNT, {"attributes": {"k": "x\x00y", "b": 1}})
    data = form_data(admin.get(EDIT_URL))
    mine = json.loads(data["attributes"]) | {"b": 2}

    admin.post(EDIT_URL, {**data, **common(attributes=json.dumps(mine))})

    assert stored(sandbox)["attributes"] == {"k": "x\x00y", "b": 2}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1e999}', "number beyond range"),
        ('{"a": NaN}', "NaN, which is not JSON"),
        ('{"a": 1, "a": 2}', "twice in one object"),
        ('{"a": ' * 60 + "1" + "}" * 60, "nested too deeply"),
        ('{"a": ' * 450 + "1" + "}" * 450, "nested too deeply"),
        ('{"a": ' * 900 + "1" + "}" * 900, "nested too deeply"),
        ('{"a": "\\ud800"}', "half of a character"),
    ],
)
def test_json_that_would_not_arrive_as_typed_is_refused(admin, sandbox, flow_on, text, message):
    answer = save(admin, attributes=text)

    assert answer.status_code == 422
    assert message in text_of(answer)
    assert sent(sandbox) == []
    with pytest.raises(InvalidJson):
        parse_strictly(text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ui_attributes", []),
        ("ui_attributes", '{"a":1}'),
        ("integrations", ["a"]),
        ("channel_configs", {"a": 1}),
        ("attributes", 7),
        ("call_recording_enabled", {"a": 1}),
    ],
)
def test_odd_value_of_another_field_prevents_no_edit(admin, sandbox, flow_on, name, value):
    sandbox.store_of(CONFIGURATION).edit(ACCOUNT, {name: value})

    answer = save(admin, ui_version="~2.7.0")

    assert answer.status_code == 302, text_of(answer)
    assert sent_json(sandbox) == [{"account_sid": ACCOUNT, "ui_version": "~2.7.0"}]


def test_secret_that_twilio_quotes_is_masked(admin, sandbox, flow_on):
    secret = "hunter2correct!"
    fault = Fault(
        FaultKind.REFUSE, method="POST", status=400, code=20001,
        message=f"The value {secret} of attributes.api_token is invalid",
    )  # fmt: skip
    sandbox.inject(fault)

    answer = save(admin, attributes=json.dumps({"api_token": secret}))

    assert secret not in AuditEvent.objects.latest("seq").payload.message
    assert f"The value {secret}" not in text_of(answer)


def test_channel_with_an_odd_flow_is_shown(client_of, sandbox, flow_on):
    store = sandbox.store_of(RESOURCES["channel"])
    first = next(iter(store.snapshot()))
    store.edit(first, {"flex_flow_sid": {"sid": "x"}})

    assert client_of("viewer").get(reverse("flex:channel-list")).status_code == 200


def test_name_of_the_page(client_of, sandbox, flow_on):
    assert reverse("flex:configuration") == URL
    assert FACTS["configuration"]["path"] == "/v1/Configuration"
