"""The changes of objects of the Flex API: from the form to the wire, and what comes of them."""

import html
import json

import pytest
from django.urls import reverse

from flows.audit.models import AuditEvent, OpenChange
from flows.availability.models import Closure
from flows.changes import reconcile
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.named_bodies import make_sid
from tests import ACCOUNT
from tests.conftest import form_data
from tests.faults.acting import clock_ahead
from tests.flows.resources.conftest import (
    CONFIGURATION_SID,
    FACTS,
    RESOURCES,
    VALUES,
    common,
    form_values,
    path_of,
    place_of,
    sent,
)

pytestmark = pytest.mark.django_db(transaction=True)
CREATED = [name for name, facts in FACTS.items() if "create" in facts["calls"]]
# The configuration has tests of its own.
UPDATED = [
    name for name, facts in FACTS.items() if "update" in facts["calls"] and "list" in facts["calls"]
]
EACH_FIELD = [
    (name, field)
    for name in UPDATED
    for field in FACTS[name]["update"].values()
    if (name, field) != ("interaction_channel", "routing")  # never goes without the status
    # Those of the auto-creation's type only go with it.
    if field != "auto_creation_type" and field not in FACTS[name].get("takes", {})
]
# What a form sends if nothing was chosen.
DEFAULTS = {
    "questionnaire": {"Active": "true"},
    "address_configuration": {"AutoCreation.Enabled": "false"},
}


# How an object can be ended, for those that can.
ENDED = [
    (name, operation)
    for name, facts in FACTS.items()
    for operation in ("delete", "archive")
    if operation in facts["calls"]
]


@pytest.fixture
def operator(client_of):
    return client_of("operator")


@pytest.fixture
def admin(client_of):
    """An administrator, who may change all resources."""
    return client_of("admin")


def on_the_wire(values):
    """Return the values of a form as the parameters of a request have them."""
    items = json.loads(values.get("plugins", "[]"))
    texts = "\n".join(json.dumps(item, ensure_ascii=False) for item in items)
    return values | {"plugins": texts}


def new_url(name):
    return reverse(f"flex:{name}-new", kwargs=place_of(name))


def url_of(name, sid, page=""):
    url_name = f"flex:{name}-{page}" if page else f"flex:{name}"
    return reverse(url_name, kwargs={"sid": sid, **place_of(name)})


def last_event():
    return AuditEvent.objects.latest("seq")


def text_of(response):
    return html.unescape(response.content.decode())


class TestCreate:
    @pytest.mark.parametrize("name", CREATED)
    def test_each_field_arrives_under_its_right_name(self, admin, sandbox, flow_on, name):
        values = form_values(name, "create", flow_on)

        answer = admin.post(new_url(name), common(**values))

        sent_values = on_the_wire(values)
        expected = {
            wire: sent_values[field]
            for wire, field in FACTS[name]["create"].items()
            if field in values
        }
        assert answer.status_code == 302, text_of(answer)
        assert sent(sandbox) == [("POST", path_of(name), expected)]
        event = last_event()
        assert (event.action, event.result) == (f"{name}.create", "succeeded")
        assert answer.url == url_of(name, event.target_sid)

    @pytest.mark.parametrize("name", CREATED)
    def test_empty_fields_are_not_sent(self, admin, sandbox, flow_on, name):
        page = admin.get(new_url(name))
        required = {FACTS[name]["create"][wire]: wire for wire in FACTS[name]["required"]}
        values = {one: form_values(name, "create", flow_on)[one] for one in required}

        admin.post(new_url(name), {**form_data(page), **values})

        ((_, _, parameters),) = sent(sandbox)
        defaults = DEFAULTS.get(name, {})
        assert parameters == {required[one]: value for one, value in values.items()} | defaults

    @pytest.mark.parametrize("name", CREATED)
    def test_missing_fields_are_said_beside_them(self, admin, sandbox, flow_on, name):
        answer = admin.post(new_url(name), common())

        labels = [field.label for field in RESOURCES[name].fields if field.required_on_create]
        assert answer.status_code == 422
        assert all(f"{label} is missing." in text_of(answer) for label in labels)
        assert sent(sandbox) == []

    def test_review_shows_what_will_be_sent(self, operator, sandbox, flow_on):
        values = form_values("channel", "create", flow_on)

        page = operator.post(new_url("channel"), common(**values, review="1"))

        assert page.status_code == 200
        assert [row["label"] for row in page.context["rows"]][:2] == ["Flex Flow", "Identity"]
        assert sandbox.flows[flow_on]["friendly_name"] in text_of(page)
        assert sent(sandbox) == []

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('{"a": 1,}', "in line 1, column 9"),
            ('{\n"a": tru}', "in line 2, column 6"),
            ("[1]", "must be a JSON object"),
            ('"text"', "must be a JSON object"),
            ("{" * 3, "is not valid JSON"),
            ('{"a": ' * 5000 + "1" + "}" * 5000, "nested too deeply"),
        ],
    )
    def test_json_that_cannot_be_read_keeps_what_was_typed(
        self, operator, sandbox, flow_on, text, message
    ):
        values = form_values("channel", "create", flow_on) | {"pre_engagement_data": text}

        answer = operator.post(new_url("channel"), common(**values))

        assert answer.status_code == 422
        assert message in text_of(answer)
        assert answer.context["form"]["pre_engagement_data"].value() == text
        assert sent(sandbox) == []

    def test_list_of_sids_names_the_wrong_one(self, operator, sandbox, flow_on):
        values = form_values("questionnaire", "create", flow_on)

        answer = operator.post(
            new_url("questionnaire"), common(**values | {"questions": "GE" + "1" * 32 + " FO1"})
        )

        assert answer.status_code == 422
        assert "“FO1” is not a SID that starts with GE" in text_of(answer)

    def test_refusal_is_said_at_the_field(self, operator, sandbox, flow_on):
        fault = Fault(
            FaultKind.REFUSE, method="POST", status=400, code=20001,
            message="Invalid parameter Identity: too strange",
        )  # fmt: skip
        sandbox.inject(fault)

        answer = operator.post(
            new_url("channel"), common(**form_values("channel", "create", flow_on))
        )

        assert answer.status_code == 422
        assert "too strange" in str(answer.context["form"]["identity"].errors)
        assert last_event().result == "failed"

    def test_known_code_has_its_own_advice(self, operator, sandbox, flow_on):
        sandbox.inject(Fault(FaultKind.REFUSE, method="POST", status=409, code=45208))

        answer = operator.post(
            new_url("channel"), common(**form_values("channel", "create", flow_on))
        )

        assert "Another chat already has this unique name." in text_of(answer)
        assert "45208" in text_of(answer)

    def test_double_click_is_one_change(self, operator, sandbox, flow_on):
        data = common(**form_values("channel", "create", flow_on))

        operator.post(new_url("channel"), data)
        again = operator.post(new_url("channel"), data)

        assert len(sent(sandbox)) == 1
        assert again.url == url_of("channel", last_event().target_sid)


class TestUpdate:
    @pytest.mark.parametrize(("name", "field"), EACH_FIELD)
    def test_only_the_changed_field_is_sent(self, operator, sandbox, make, name, field):
        sid, value = make(name), "Renamed" if field == "name" else VALUES[field]
        data = form_data(operator.get(url_of(name, sid, "edit")))
        data = {**data, "chat_status": "", **common(**{field: value})}
        before = len(sent(sandbox))

        answer = operator.post(url_of(name, sid, "edit"), data)

        (wire,) = (one for one, known in FACTS[name]["update"].items() if known == field)
        always = {"Active": "true"} if name == "questionnaire" else {}
        assert answer.status_code == 302, text_of(answer)
        ((_, path, parameters),) = sent(sandbox)[before:]
        assert path == f"{path_of(name)}/{sid}"
        assert parameters == always | {wire: value}
        assert last_event().changed_fields == [field]

    def test_nothing_to_change_sends_nothing(self, operator, sandbox, make):
        sid = make("questionnaire")
        data = form_data(operator.get(url_of("questionnaire", sid, "edit")))
        before = len(sent(sandbox))

        answer = operator.post(url_of("questionnaire", sid, "edit"), {**data, **common()})

        assert answer.url == url_of("questionnaire", sid)
        assert len(sent(sandbox)) == before

    def test_edits_of_different_fields_are_merged(self, operator, sandbox, make):
        sid = make("questionnaire")
        data = form_data(operator.get(url_of("questionnaire", sid, "edit")))
        sandbox.store_of(RESOURCES["questionnaire"]).edit(sid, {"name": "Renamed elsewhere"})

        operator.post(url_of("questionnaire", sid, "edit"), {**data, **common(description="Mine")})

        now = sandbox.store_of(RESOURCES["questionnaire"]).snapshot()[sid]
        assert (now["name"], now["description"]) == ("Renamed elsewhere", "Mine")

    def test_edits_of_the_same_field_are_a_conflict_until_it_is_saved_again(
        self, operator, sandbox, make
    ):
        sid, url = (made := make("questionnaire")), url_of("questionnaire", made, "edit")
        store = sandbox.store_of(RESOURCES["questionnaire"])
        data = form_data(operator.get(url))
        store.edit(sid, {"name": "Theirs", "description": "Theirs, too"})
        before = len(sent(sandbox))

        conflict = operator.post(url, {**data, **common(name="Mine")})
        untouched = len(sent(sandbox)) == before
        operator.post(url, {**form_data(conflict), **common()})

        assert (conflict.status_code, untouched) == (409, True)
        (row,) = conflict.context["conflicts"]
        assert [cell.value for cell in row["values"]] == ["Quick check", "Theirs", "Mine"]
        now = store.snapshot()[sid]
        assert (now["name"], now["description"]) == ("Mine", "Theirs, too")

    def test_form_without_its_base_is_refused_and_keeps_the_input(self, operator, sandbox, make):
        sid = make("questionnaire")

        answer = operator.post(url_of("questionnaire", sid, "edit"), common(name="Mine"))

        assert answer.status_code == 422
        assert "This form is incomplete" in text_of(answer)
        assert answer.context["form"]["name"].value() == "Mine"

    def test_base_of_another_object_is_refused(self, operator, sandbox, make):
        one, other = make("questionnaire"), make("questionnaire")
        data = form_data(operator.get(url_of("questionnaire", one, "edit")))
        before = len(sent(sandbox))

        answer = operator.post(
            url_of("questionnaire", other, "edit"), {**data, **common(name="Mine")}
        )

        assert answer.status_code == 422
        assert len(sent(sandbox)) == before

    def test_web_chat_is_ended(self, operator, sandbox, make):
        sid = make("web_channel")
        page = operator.get(url_of("web_channel", sid, "edit"))

        operator.post(url_of("web_channel", sid, "edit"), {**form_data(page), **common()})

        assert "End chat" in text_of(page)
        assert sent(sandbox)[-1][2] == {"ChatStatus": "inactive"}
        assert last_event().result == "succeeded"


class TestDelete:
    @pytest.mark.parametrize(("name", "operation"), ENDED)
    def test_object_is_ended_once_it_was_confirmed(self, operator, sandbox, make, name, operation):
        sid, url = (made := make(name)), url_of(name, made, operation)
        page = operator.get(url)
        before = len(sent(sandbox))

        wrong = operator.post(url, {**form_data(page), **common(confirm_name="nothing")})
        answer = operator.post(
            url, {**form_data(page), **common(confirm_name=page.context["form"].expected)}
        )

        assert RESOURCES[name].deletion_effect.split(":")[0][:40] in text_of(page)
        assert (wrong.status_code, answer.status_code) == (422, 302)
        path = f"{path_of(name)}/{sid}"
        is_deletion = operation == "delete"
        request = ("DELETE", path, {}) if is_deletion else ("POST", f"{path}/Archive", {})
        assert sent(sandbox)[before:] == [request]
        assert answer.url == (reverse(f"flex:{name}-list") if is_deletion else url_of(name, sid))
        assert (last_event().action, last_event().result) == (f"{name}.{operation}", "succeeded")

    def test_page_of_a_deleted_object_has_its_history(self, operator, sandbox, make):
        sid = make("channel")
        page = operator.get(url_of("channel", sid, "delete"))
        operator.post(
            url_of("channel", sid, "delete"), {**form_data(page), **common(confirm_name=sid)}
        )

        page = operator.get(url_of("channel", sid))

        assert page.status_code == 200
        assert "Deleted at Twilio" in text_of(page)
        assert [event.action for event in page.context["history"]] == ["channel.delete"]

    def test_object_that_changed_meanwhile_has_to_be_confirmed_again(self, operator, sandbox, make):
        sid = make("questionnaire")
        page = operator.get(url_of("questionnaire", sid, "delete"))
        sandbox.store_of(RESOURCES["questionnaire"]).edit(sid, {"active": False})
        before = len(sent(sandbox))

        answer = operator.post(
            url_of("questionnaire", sid, "delete"),
            {**form_data(page), **common(confirm_name="Quick check")},
        )

        assert answer.status_code == 409
        assert "Changed: Status" in text_of(answer)
        assert answer.context["form"]["confirm_name"].value() is None
        assert len(sent(sandbox)) == before


class TestUnknownOutcome:
    """What is lost is locked, shown as unknown, and settled by reading, or put before a user."""

    def lose(self, sandbox, kind=FaultKind.APPLY_THEN_DROP, method="POST"):
        sandbox.inject(Fault(kind, method=method))

    def test_lost_creation_needs_a_decision_because_others_create_channels_too(
        self, operator, sandbox, flow_on
    ):
        self.lose(sandbox)
        answer = operator.post(
            new_url("channel"), common(**form_values("channel", "create", flow_on))
        )
        event_page = answer.url

        assert reconcile.reconcile() == []
        change = OpenChange.objects.get()
        page = operator.get(event_page)

        made = next(iter(sandbox.store_of(RESOURCES["channel"]).snapshot()))
        assert change.candidates == [made]
        assert change.ambiguity == (
            "Twilio has a channel that this change may have created, but others may have created "
            "it as well."
        )
        assert f"/flex/channels/{made}/" in text_of(page)
        assert "it created no channel" in text_of(page) or "none of these" in text_of(page)
        assert "this flow" not in text_of(page)

    def test_decision_settles_it(self, operator, sandbox, flow_on):
        self.lose(sandbox)
        answer = operator.post(
            new_url("channel"), common(**form_values("channel", "create", flow_on))
        )
        reconcile.reconcile()
        change = OpenChange.objects.get()
        page = operator.get(answer.url)
        data = {
            "verdict": change.candidates[0],
            "seen": page.context["form"].findings_token,
            "reason": "Ana is in it",
        }

        operator.post(reverse("audit:decide", kwargs={"event_id": change.attempt.event_id}), data)

        event = last_event()
        assert (event.result, event.target_sid) == ("applied", change.candidates[0])
        assert not OpenChange.objects.exists()

    def test_creation_that_never_arrived_is_not_applied_after_two_reads(
        self, operator, sandbox, flow_on
    ):
        self.lose(sandbox, FaultKind.DROP)
        operator.post(new_url("channel"), common(**form_values("channel", "create", flow_on)))

        first = reconcile.reconcile()
        with clock_ahead(minutes=2):
            (event,) = reconcile.reconcile()

        assert first == []
        assert (event.action, event.result) == ("channel.create", "not_applied")

    def test_lost_end_of_a_chat_cannot_be_read(self, operator, sandbox, make):
        sid = make("web_channel")
        data = form_data(operator.get(url_of("web_channel", sid, "edit")))
        self.lose(sandbox)
        operator.post(url_of("web_channel", sid, "edit"), {**data, **common()})

        assert reconcile.reconcile() == []
        page = operator.get(url_of("web_channel", sid))

        assert OpenChange.objects.get().ambiguity.startswith("Twilio doesn't show the values")
        assert "Unknown outcome" in text_of(page)
        assert not page.context["edit_url"]

    def test_lost_update_and_deletion_are_found_by_reading(self, operator, sandbox, make):
        sid = make("questionnaire")
        data = form_data(operator.get(url_of("questionnaire", sid, "edit")))
        self.lose(sandbox)
        operator.post(url_of("questionnaire", sid, "edit"), {**data, **common(name="New")})
        (updated,) = reconcile.reconcile()
        data = form_data(operator.get(url_of("questionnaire", sid, "delete")))
        sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="DELETE", times=2))
        operator.post(
            url_of("questionnaire", sid, "delete"), {**data, **common(confirm_name="New")}
        )

        assert (updated.action, updated.result) == ("questionnaire.update", "applied")
        assert last_event().result in ("succeeded", "applied") or reconcile.reconcile()

    def test_open_creation_locks_no_older_channel(self, operator, sandbox, flow_on, make):
        older = list(sandbox.store_of(RESOURCES["channel"]).snapshot())[-1]
        self.lose(sandbox)
        operator.post(new_url("channel"), common(**form_values("channel", "create", flow_on)))
        page = operator.get(url_of("channel", older, "delete"))

        answer = operator.post(
            url_of("channel", older, "delete"),
            {**form_data(page), **common(confirm_name=older)},
        )

        assert answer.status_code == 302
        assert older not in sandbox.store_of(RESOURCES["channel"]).snapshot()


class TestLog:
    def test_change_is_found_by_sid_and_by_person(self, operator, client_of, sandbox, flow_on):
        operator.post(new_url("channel"), common(**form_values("channel", "create", flow_on)))
        sid = last_event().target_sid
        auditor = client_of("auditor")

        by_sid = text_of(auditor.get("/audit/", {"sid": sid}))
        by_actor = text_of(auditor.get("/audit/", {"actor": "operator"}))
        by_name = text_of(auditor.get("/audit/", {"q": "chat with ana"}))

        assert all("Created a channel" in page for page in (by_sid, by_actor, by_name))
        assert f"/flex/channels/{sid}/" in by_sid

    def test_event_offers_nothing_of_a_flow(self, operator, sandbox, make):
        sid = make("questionnaire")
        data = form_data(operator.get(url_of("questionnaire", sid, "edit")))
        operator.post(url_of("questionnaire", sid, "edit"), {**data, **common(name="New")})

        page = text_of(operator.get(f"/audit/{last_event().event_id}/"))

        assert "Changed a questionnaire: name" in page
        assert "Restore" not in page
        assert url_of("questionnaire", sid) in page

    def test_secrets_are_masked_in_the_log(self, operator, sandbox, flow_on):
        secret = json.dumps({"callback": "https://u:s3cr3t-pass@hooks.example.com/"})
        values = form_values("channel", "create", flow_on) | {"pre_engagement_data": secret}

        operator.post(new_url("channel"), common(**values))

        assert "s3cr3t-pass" not in str(last_event().payload.requested)
        assert sent(sandbox)[0][2]["PreEngagementData"] == secret


class TestPermissions:
    @pytest.mark.parametrize(("name", "operation"), ENDED)
    def test_viewer_is_refused_and_the_refusal_is_logged(
        self, client_of, sandbox, make, name, operation
    ):
        sid, viewer = make(name), client_of("viewer")
        before = len(sent(sandbox))

        answers = [
            viewer.post(new_url(name), common()).status_code,
            viewer.post(url_of(name, sid, operation), common()).status_code,
        ]

        denied = AuditEvent.objects.filter(result="denied").values_list("action", flat=True)
        assert answers == [403, 403]
        assert set(denied) == {f"{name}.create", f"{name}.{operation}"}
        assert len(sent(sandbox)) == before

    @pytest.mark.parametrize("name", CREATED)
    def test_read_only_mode_holds(self, admin, sandbox, make, name):
        sid = make(name)
        Closure.objects.create(account_sid=ACCOUNT, kind="change", since="2026-11-26T00:00:00Z")
        before = len(sent(sandbox))

        page = admin.get(url_of(name, sid))
        form_page = admin.get(new_url(name))
        answer = admin.post(
            new_url(name), common(**form_values(name, "create", next(iter(sandbox.flows))))
        )

        assert not page.context["delete_url"]
        assert not page.context["archive_url"]
        assert (form_page.status_code, answer.status_code) == (403, 403)
        assert len(sent(sandbox)) == before

    def test_operator_may_release_no_plugins(self, operator, sandbox, make):
        page = operator.get(url_of("plugin_configuration", CONFIGURATION_SID))
        answer = operator.post(
            new_url("plugin_release"), common(configuration_sid=CONFIGURATION_SID)
        )

        assert not page.context["release_url"]
        assert answer.status_code == 403
        assert (last_event().action, last_event().result) == ("plugin_release.create", "denied")


def test_lost_version_of_one_plugin_blocks_no_other_plugin(operator, sandbox, flow_on):
    other = {"parent_sid": make_sid("FP", "plugin-customer-card")}
    values = form_values("plugin_version", "create", flow_on)
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, method="POST"))
    operator.post(new_url("plugin_version"), common(**values))

    again = operator.post(new_url("plugin_version"), common(**values))
    answer = operator.post(reverse("flex:plugin_version-new", kwargs=other), common(**values))

    assert (again.status_code, answer.status_code) == (409, 302)
    assert "created a plugin version like this one" in text_of(again)


def test_mask_within_json_is_refused(operator, sandbox, flow_on):
    values = form_values("channel", "create", flow_on)
    values["pre_engagement_data"] = '{"auth": {"token": "masked-29e90f"}}'

    answer = operator.post(new_url("channel"), common(**values))

    assert answer.status_code == 422
    assert "contains a masked secret" in text_of(answer)
    assert sent(sandbox) == []
