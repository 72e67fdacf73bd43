"""The pages of address configurations: types, dependent fields, and lost creations."""

import html
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from flows.audit.models import AuditEvent, OpenChange
from flows.changes import reconcile
from flows.migration.status import MigrationStatus
from flows.mirror.sync import sync_account
from flows.names.models import ResourceName
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.errors import FlexError
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.rules import format_timestamp
from tests import ACCOUNT
from tests.conftest import form_data
from tests.faults.acting import clock_ahead
from tests.flows.migration.adding import add_migration
from tests.flows.resources.conftest import common, sent

pytestmark = pytest.mark.django_db(transaction=True)
LIST_URL, NEW_URL = reverse("flex:address_configuration-list"), "/flex/addresses/new/"
PATH = "/conversations/v1/Configuration/Addresses"
NUMBER = "+14155550177"
STUDIO_SID = "FW" + "1" * 32
WEBHOOK_URL = "https://hooks.example.com/in"
STUDIO = {
    "type": "sms",
    "address": NUMBER,
    "friendly_name": "Orders",
    "auto_creation_enabled": "false",
    "auto_creation_type": "studio",
    "auto_creation_studio_flow_sid": STUDIO_SID,
    "auto_creation_studio_retry_count": "2",
}
WEBHOOK = {
    "type": "sms",
    "address": NUMBER,
    "auto_creation_enabled": "true",
    "auto_creation_type": "webhook",
    "auto_creation_webhook_url": WEBHOOK_URL,
    "auto_creation_webhook_method": "post",
    "auto_creation_webhook_filters": ["onMessageAdded", "onDeliveryUpdated"],
}


@pytest.fixture
def operator(client_of):
    return client_of("operator")


@pytest.fixture
def store(sandbox):
    return sandbox.store_of(ADDRESS_CONFIGURATION)


def text_of(response):
    return html.unescape(response.content.decode())


def last_event():
    return AuditEvent.objects.latest("seq")


def url_of(sid, page=""):
    return f"/flex/addresses/{sid}/{page}"


def find(store, **fields):
    """Return the SID of the first configuration with these values."""
    for sid, body in store.snapshot().items():
        snapshot = ADDRESS_CONFIGURATION.decode(body)
        if all(snapshot.get(name) == value for name, value in fields.items()):
            return sid
    raise LookupError(fields)


class TestList:
    def test_addresses_are_listed_with_what_they_do(self, client_of, store):
        page = client_of("viewer").get(LIST_URL)

        assert [row.sid for row in page.context["rows"]] == list(store.snapshot())
        assert "Auto-creation type" in text_of(page)
        assert "WhatsApp help desk" in text_of(page)
        assert not page.context["new_url"]

    def test_one_type_is_listed_by_twilio(self, operator, sandbox, store):
        page = operator.get(LIST_URL, {"type": "whatsapp"})

        assert {row.cells[1].value for row in page.context["rows"]} == {"WhatsApp"}
        assert sandbox.requests[-1].parameters["Type"] == "whatsapp"
        (current,) = [one for one in page.context["filter_choices"] if one.is_current]
        assert current.label == "WhatsApp"

    def test_filter_goes_along_to_the_next_page(self, operator, store):
        for number in range(50):
            body = {"sid": f"IG{number:032x}", "type": "whatsapp", "address": f"whatsapp:{number}"}
            store.add(body)
            store.add({**body, "sid": f"IG{number + 100:032x}", "type": "sms"})

        first = operator.get(LIST_URL, {"type": "whatsapp"})
        second = operator.get(first.context["next_url"])

        rows = [*first.context["rows"], *second.context["rows"]]
        assert (len(first.context["rows"]), len({row.sid for row in rows})) == (50, 53)
        assert {row.cells[1].value for row in rows} == {"WhatsApp"}

    @pytest.mark.parametrize("value", ["fax", "\x00", "x" * 9000, "../"])
    def test_unknown_type_limits_nothing(self, operator, sandbox, store, value):
        page = operator.get(LIST_URL, {"type": value})

        assert page.status_code == 200
        assert page.context["total"] == len(store.snapshot())
        assert "Type" not in sandbox.requests[-1].parameters

    def test_type_without_addresses_says_so(self, operator, store):
        page = operator.get(LIST_URL, {"type": "apple"})

        assert "Twilio lists none of this type" in text_of(page)


class TestDetail:
    def test_studio_flow_has_its_name_and_other_types_fields_are_not_shown(
        self, operator, store, sandbox
    ):
        sid = find(store, auto_creation_type="studio")
        studio_sid = store.get(sid)["auto_creation"]["studio_flow_sid"]
        ResourceName.objects.create(
            account_sid=ACCOUNT,
            sid=studio_sid,
            resource="studio_flow",
            name="Order status",
            changed_at=timezone.now(),
        )

        page = operator.get(url_of(sid))

        shown = {cell.field.name for cell in page.context["cells"]}
        assert "Order status" in text_of(page)
        assert "auto_creation_studio_retry_count" in shown
        assert "auto_creation_webhook_url" not in shown

    def test_secret_of_a_webhook_is_masked(self, client_of, store):
        sid = find(store, auto_creation_type="webhook")

        page = client_of("viewer").get(url_of(sid))

        assert "made-up-secret" not in text_of(page)
        assert "hooks.example.com" in text_of(page)
        assert "Message added, Conversation's state changed" in text_of(page)


class TestForm:
    def test_new_address_begins_off_and_says_what_on_does(self, operator, sandbox):
        page = operator.get(NEW_URL)

        assert page.context["form"]["auto_creation_enabled"].value() == "false"
        assert "may answer the same message as well" in text_of(page)
        assert text_of(page).count('type="checkbox"') == 10

    @pytest.mark.parametrize("values", [STUDIO, WEBHOOK])
    def test_fields_of_the_type_are_sent(self, operator, sandbox, values):
        answer = operator.post(NEW_URL, common(**values))

        assert answer.status_code == 302, text_of(answer)
        ((method, path, parameters),) = sent(sandbox)
        assert (method, path) == ("POST", PATH)
        wire = {field.name: field.wire for field in ADDRESS_CONFIGURATION.fields}
        expected = {
            wire[name]: "\n".join(value) if isinstance(value, list) else value
            for name, value in values.items()
        }
        assert parameters == expected
        assert (last_event().action, last_event().result) == (
            "address_configuration.create",
            "succeeded",
        )

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            (
                "auto_creation_webhook_url",
                WEBHOOK_URL,
                "is not used with Auto-creation type Studio",
            ),
            ("auto_creation_webhook_method", "get", "Webhook method is not used"),
            ("auto_creation_webhook_filters", ["onMessageAdded"], "Webhook filter is not used"),
            ("auto_creation_studio_retry_count", "4", "must be 3 or less"),
            ("auto_creation_studio_flow_sid", "", "Studio Flow SID is missing."),
            ("auto_creation_studio_flow_sid", "FO1", "must start with FW"),
            ("auto_creation_webhook_filters", ["onNothing"], "Webhook filter is not used"),
            ("type", "fax", "Type must be one of the choices."),
            ("address", "", "Address is missing."),
            ("address_country", "USA", "at most 2 characters"),
            ("friendly_name", "x" * 257, "at most 256 characters"),
        ],
    )
    def test_bad_input_is_said_beside_its_field_and_nothing_is_sent(
        self, operator, sandbox, name, value, message
    ):
        answer = operator.post(NEW_URL, common(**{**STUDIO, name: value}))

        assert answer.status_code == 422
        assert message in html.unescape(str(answer.context["form"][name].errors))
        assert answer.context["form"][name].value() == value
        assert sent(sandbox) == []

    def test_field_of_a_type_needs_the_type(self, operator, sandbox):
        answer = operator.post(NEW_URL, common(**{**STUDIO, "auto_creation_type": ""}))

        errors = str(answer.context["form"]["auto_creation_studio_flow_sid"].errors)
        assert "needs a choice in Auto-creation type" in errors
        assert sent(sandbox) == []

    def test_unknown_event_of_a_webhook_is_named(self, operator, sandbox):
        values = {**WEBHOOK, "auto_creation_webhook_filters": ["onMessageAdded", "onNothing"]}

        answer = operator.post(NEW_URL, common(**values))

        errors = html.unescape(str(answer.context["form"]["auto_creation_webhook_filters"].errors))
        assert "“onNothing” is not one of the choices" in errors

    def test_review_keeps_each_event_and_going_back_does_too(self, operator, sandbox):
        review = operator.post(NEW_URL, common(**WEBHOOK, review="1"))
        back = operator.post(NEW_URL, common(**WEBHOOK, edit_again="1"))

        assert review.status_code == 200
        assert text_of(review).count('name="auto_creation_webhook_filters"') == 2
        assert "Message added, Delivery changed" in text_of(review)
        assert text_of(back).count(" checked") == 2
        assert sent(sandbox) == []

    def test_viewer_can_not_change_anything(self, client_of, sandbox, store):
        viewer, sid = client_of("viewer"), next(iter(store.snapshot()))

        answers = [
            viewer.post(url, common(**STUDIO))
            for url in (NEW_URL, url_of(sid, "edit/"), url_of(sid, "delete/"))
        ]

        assert [answer.status_code for answer in answers] == [403, 403, 403]
        assert sent(sandbox) == []

    def test_refusal_of_a_second_configuration_is_shown(self, operator, sandbox, store):
        taken = store.get(find(store, type="sms"))["address"]

        answer = operator.post(NEW_URL, common(**{**STUDIO, "address": taken}))

        assert answer.status_code == 422
        assert "with this Address already" in text_of(answer)
        assert last_event().result == "failed"


class TestEdit:
    def test_address_and_type_are_not_in_the_form(self, operator, store):
        page = operator.get(url_of(next(iter(store.snapshot())), "edit/"))

        names = [field.name for field in page.context["form"].resource_fields]
        assert "address" not in names
        assert "type" not in names

    def test_turning_it_on_sends_only_that(self, operator, sandbox, store):
        sid = find(store, auto_creation_enabled=False, auto_creation_type="studio")
        data = form_data(operator.get(url_of(sid, "edit/")))

        operator.post(url_of(sid, "edit/"), {**data, **common(auto_creation_enabled="true")})

        assert sent(sandbox) == [("POST", f"{PATH}/{sid}", {"AutoCreation.Enabled": "true"})]
        assert last_event().changed_fields == ["auto_creation_enabled"]

    def test_another_type_leaves_the_fields_of_the_old_one_to_twilio(
        self, operator, sandbox, store
    ):
        sid = find(store, auto_creation_type="studio")
        data = form_data(operator.get(url_of(sid, "edit/")))
        webhook = {name: value for name, value in WEBHOOK.items() if "webhook" in name}

        answer = operator.post(
            url_of(sid, "edit/"),
            {**data, **webhook, **common(auto_creation_type="webhook")},
        )

        assert answer.status_code == 302, text_of(answer)
        ((_, _, parameters),) = sent(sandbox)
        assert parameters == {
            "AutoCreation.Type": "webhook",
            "AutoCreation.WebhookUrl": WEBHOOK_URL,
            "AutoCreation.WebhookMethod": "post",
            "AutoCreation.WebhookFilters": "onMessageAdded\nonDeliveryUpdated",
        }
        assert "studio_flow_sid" not in store.get(sid)["auto_creation"]

    def test_method_in_capitals_is_no_change(self, operator, sandbox, store):
        sid = find(store, auto_creation_type="webhook")
        data = form_data(operator.get(url_of(sid, "edit/")))

        answer = operator.post(url_of(sid, "edit/"), {**data, **common()})

        assert store.get(sid)["auto_creation"]["webhook_method"] == "POST"
        assert answer.url == url_of(sid)
        assert sent(sandbox) == []

    def test_events_can_be_changed_one_by_one_but_not_all_removed(self, operator, sandbox, store):
        sid = find(store, auto_creation_type="webhook")
        data = form_data(operator.get(url_of(sid, "edit/")))
        name = "auto_creation_webhook_filters"

        none = operator.post(url_of(sid, "edit/"), {**data, **common(**{name: []})})
        one = operator.post(url_of(sid, "edit/"), {**data, **common(**{name: ["onMessageAdded"]})})

        assert "Webhook filter is missing." in text_of(none)
        assert one.status_code == 302
        assert store.get(sid)["auto_creation"]["webhook_filters"] == ["onMessageAdded"]

    def test_events_survive_a_conflict_about_another_field(self, operator, sandbox, store):
        sid = find(store, auto_creation_type="webhook")
        data = form_data(operator.get(url_of(sid, "edit/")))
        store.edit(sid, {"friendly_name": "Theirs"})
        events = ["onMessageAdded", "onMessageRemoved"]

        conflict = operator.post(
            url_of(sid, "edit/"),
            {**data, **common(friendly_name="Mine", auto_creation_webhook_filters=events)},
        )
        operator.post(url_of(sid, "edit/"), {**form_data(conflict), **common()})

        assert conflict.status_code == 409
        assert conflict.context["form"]["auto_creation_webhook_filters"].value() == events
        assert store.get(sid)["friendly_name"] == "Mine"
        assert store.get(sid)["auto_creation"]["webhook_filters"] == events


class TestLostCreation:
    def lose(self, operator, sandbox, kind=FaultKind.APPLY_THEN_DROP):
        sandbox.inject(Fault(kind, method="POST"))
        operator.post(NEW_URL, common(**STUDIO))
        assert OpenChange.objects.count() == 1

    def reads(self, sandbox):
        """Return the paths of the reads since the last change."""
        paths = [one.path for one in sandbox.requests]
        last_write = max(i for i, one in enumerate(sandbox.requests) if one.method == "POST")
        return paths[last_write + 1 :]

    def test_is_applied_if_the_address_has_it_now(self, operator, sandbox, store):
        self.lose(operator, sandbox)

        (event,) = reconcile.reconcile()

        assert (event.result, event.target_sid) == ("applied", find(store, address=NUMBER))
        assert self.reads(sandbox) == [f"{PATH}/%2B14155550177"]
        assert not OpenChange.objects.exists()

    def test_is_not_applied_after_two_reads_if_twilio_has_no_such_address(
        self, operator, sandbox, store
    ):
        self.lose(operator, sandbox, FaultKind.DROP)

        first = reconcile.reconcile()
        with clock_ahead(minutes=2):
            (event,) = reconcile.reconcile()

        assert first == []
        assert event.result == "not_applied"
        assert self.reads(sandbox) == 2 * [f"{PATH}/%2B14155550177", PATH]

    def test_is_not_applied_if_the_address_had_a_configuration_before(
        self, operator, sandbox, store
    ):
        taken = find(store, type="sms")
        store.edit(taken, {"address": NUMBER})
        self.lose(operator, sandbox, FaultKind.DROP)

        reconcile.reconcile()
        with clock_ahead(minutes=2):
            (event,) = reconcile.reconcile()

        assert event.result == "not_applied"

    def test_needs_a_decision_if_the_address_has_another_configuration_since(
        self, operator, sandbox, store
    ):
        self.lose(operator, sandbox, FaultKind.DROP)
        now = format_timestamp(timezone.now() + timedelta(seconds=1))
        other = {"sid": "IG" + "9" * 32, "address": NUMBER, "type": "sms", "date_created": now}
        store.add({**other, "friendly_name": "Theirs", "auto_creation": {"enabled": True}})

        assert reconcile.reconcile() == []

        change = OpenChange.objects.get()
        assert change.candidates == [other["sid"]]
        assert "differs from the requested one" in change.ambiguity

    def test_is_found_in_the_list_if_twilio_writes_the_address_in_another_way(
        self, operator, sandbox, store
    ):
        self.lose(operator, sandbox)
        sid = find(store, address=NUMBER)
        store.edit(sid, {"address": "+1 (415) 555-0177"})

        assert reconcile.reconcile() == []

        assert OpenChange.objects.get().candidates == [sid]

    def test_stays_open_while_twilio_can_not_be_read(self, operator, sandbox, store):
        self.lose(operator, sandbox)
        sandbox.inject(Fault(FaultKind.SERVER_ERROR, method="GET", times=None))

        with pytest.raises(FlexError):
            reconcile.reconcile()

        assert OpenChange.objects.count() == 1


class TestWarnings:
    """What the review says about customers."""

    def add_flow(self, sandbox, **fields):
        values = {"friendly_name": "Orders IVR", "channel_type": "sms", "enabled": True}
        sandbox.add_flow(**values | {"contact_identity": NUMBER} | fields)
        sync_account(ACCOUNT)

    def review_new(self, operator, **values):
        return text_of(operator.post(NEW_URL, common(**STUDIO | values, review="1")))

    def test_flow_that_is_on_for_the_address_is_named_before_both_answer(self, operator, sandbox):
        self.add_flow(sandbox)

        page = self.review_new(operator, auto_creation_enabled="true")

        assert "“Orders IVR” is on for this address. Both may answer the same message." in page

    @pytest.mark.parametrize(
        ("flow", "address"),
        [
            ({}, {"auto_creation_enabled": "false"}),
            ({"enabled": False}, {}),
            ({"contact_identity": "+14155550178"}, {}),
            ({"channel_type": "whatsapp"}, {}),
        ],
        ids=["address is off", "flow is off", "another number", "another channel"],
    )
    def test_no_warning_if_only_one_can_answer(self, operator, sandbox, flow, address):
        self.add_flow(sandbox, **flow)

        page = self.review_new(operator, **{"auto_creation_enabled": "true"} | address)

        assert "Both may answer" not in page

    def test_other_spelling_of_a_number_is_the_same_address(self, operator, sandbox):
        self.add_flow(sandbox, contact_identity="+1 (415) 555-0177")

        assert "Both may answer" in self.review_new(operator, auto_creation_enabled="true")

    def test_number_without_country_code_is_doubted(self, operator, sandbox):
        page = self.review_new(operator, address="(206) 555-0122")

        assert "The address doesn't look like SMS. Expected a number such as +14155551234." in page

    def test_turning_off_what_alone_answers_is_said(self, operator, sandbox, store):
        sid = find(store, type="sms", auto_creation_enabled=True)
        page = operator.get(url_of(sid, "edit/"))
        data = form_data(page) | {"auto_creation_enabled": "false", "review": "1"}
        sentence = "No Flex Flow is on for this address. Customers get no answer unless"

        assert sentence in text_of(operator.post(url_of(sid, "edit/"), data))
        assert sentence in text_of(operator.get(url_of(sid, "delete/")))

    def test_flow_that_may_take_over_is_named(self, operator, sandbox, store):
        sid = find(store, type="sms", auto_creation_enabled=True)
        self.add_flow(sandbox, contact_identity=store.snapshot()[sid]["address"])

        page = text_of(operator.get(url_of(sid, "delete/")))

        assert "From then on, “Orders IVR” may get the messages to this address." in page

    @pytest.mark.parametrize(
        ("status", "is_said"),
        [
            (MigrationStatus.READY, True),
            (MigrationStatus.VERIFIED, True),
            (MigrationStatus.DONE, False),
            (MigrationStatus.ROLLED_BACK, False),
        ],
    )
    def test_unfinished_migration_to_the_address_is_named(self, operator, store, status, is_said):
        sid = find(store, type="sms")
        add_migration("FO" + "1" * 32, status, address_sid=sid)
        url = url_of(sid, "edit/")
        data = form_data(operator.get(url)) | {"friendly_name": "Other", "review": "1"}
        sentence = f"The migration of the flow FO{'1' * 32} isn't finished and uses this address."

        assert (sentence in text_of(operator.post(url, data))) is is_said
        assert (sentence in text_of(operator.get(url_of(sid, "delete/")))) is is_said


def test_review_shows_what_another_type_drops(operator, sandbox, store):
    sid = find(store, auto_creation_type="studio")
    old_sid = store.snapshot()[sid]["auto_creation"]["studio_flow_sid"]
    page = operator.get(url_of(sid, "edit/"))
    webhook = {name: value for name, value in WEBHOOK.items() if name.startswith("auto_creation")}
    data = form_data(page) | webhook | {"auto_creation_studio_flow_sid": "", "review": "1"}

    review = operator.post(url_of(sid, "edit/"), data)

    (row,) = [row for row in review.context["rows"] if row["label"] == "Studio Flow SID"]
    assert old_sid in str(row["now"])
    assert "Studio Flow SID" in text_of(review)
