"""Import of flows from text or a file: accepted formats, errors, and the resulting draft."""

import csv
import io
import json
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse

from flows.audit.models import AuditEvent
from flows.mirror import mirror
from flows.mirror.models import Flow
from flows.plans import import_text
from flows.plans.models import Plan
from flows.twilio.flex.flex_flow import FIELDS_BY_NAME, from_response
from tests import ACCOUNT
from tests.faults.acting import SECRET, SECRET_URL, dump_tables
from tests.markup import squeezed

pytestmark = pytest.mark.django_db(transaction=True)
IMPORT = "/flows/plans/import/"
NEW = {
    "friendly_name": "New", "chat_service_sid": "IS" + "2" * 32, "channel_type": "web",
    "integration_type": "studio", "integration_flow_sid": "FW" + "3" * 32,
}  # fmt: skip


@pytest.fixture
def operator(client_of):
    return client_of("operator")


@pytest.fixture
def sids(sandbox, db):
    created_sids = [
        sandbox.add_flow(
            friendly_name=name,
            channel_type="sms",
            contact_identity=f"+1415555010{number}",
            integration_type="studio",
            integration_flow_sid="FW" + "1" * 32,
            integration_retry_count=3,
            enabled=not number,
        )
        for number, name in enumerate(["=1+1", 'Ünï, "quoted"; tab\there', "plain"])
    ]
    mirror.sync(ACCOUNT)
    return created_sids


def send(client, text="", file=None, **more):
    data = {"entries": text, **more}
    if file is not None:
        data["file"] = SimpleUploadedFile("flows.csv", file)
    return client.post(IMPORT, data)


def columns_of(page):
    form = page.context["form"]
    return {name: form[name].value() or "" for name in form.fields}


def send_table(client, text="", file=None, **columns):
    """Import a table through the columns page, with the proposed mapping."""
    page = send(client, text, file)
    assert page.status_code == 200, page.context["error"]
    return send(client, page.context["text"], **(columns_of(page) | columns))


def changes():
    return list(Plan.objects.get().changes.order_by("position"))


def error_of(response):
    assert response.status_code == 422, response
    assert not Plan.objects.exists()
    form = response.context.get("form")
    return response.context.get("error") or "; ".join(message for _, message in form.error_list)


def exported(client, sids, form):
    return client.post("/flows/copy-out/", {"sid": sids, "format": form}).content


# Export and import


def test_exported_json_is_imported_without_a_change(operator, sids):
    send(operator, exported(operator, sids, "json").decode())

    assert {change.skip_reason for change in changes()} == {"Already set."}
    event = AuditEvent.objects.get(action="flow.export")
    assert (event.actor_label, event.payload.requested) == (
        "operator",
        {"format": "json", "flows": 3},
    )


@pytest.mark.parametrize("is_file", [True, False], ids=["file", "pasted"])
def test_exported_csv_is_imported_without_a_change(operator, sids, is_file):
    data = exported(operator, sids, "csv")

    send_table(operator, **({"file": data} if is_file else {"text": data.decode()}))

    assert {change.skip_reason for change in changes()} == {"Already set."}


def test_edited_cell_of_an_exported_csv_changes_one_field(operator, sids):
    text = (
        exported(operator, sids, "csv")
        .decode()
        .replace("'=1+1", "'=2+2")
        .replace("plain", "simple")
    )

    send_table(operator, text)

    assert {
        change.target_sid: change.requested for change in changes() if not change.skip_reason
    } == {
        sids[0]: {"friendly_name": "=2+2"},
        sids[2]: {"friendly_name": "simple"},
    }


@pytest.mark.parametrize(("delimiter", "name"), [(";", "semicolon"), ("\t", "tab"), (",", "comma")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r"], ids=ascii)
def test_csv_as_spreadsheets_save_it(operator, sids, delimiter, name, encoding, newline):
    rows = csv.reader(io.StringIO(exported(operator, sids, "csv").decode("utf-8-sig"), newline=""))
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator=newline).writerows(rows)
    data = buffer.getvalue().encode(encoding)

    page = send(operator, file=data)
    send_table(operator, file=data)

    assert f"separated by {name}s" in page.content.decode()
    assert {change.skip_reason for change in changes()} == {"Already set."}


def test_separator_line_of_excel_counts_as_a_line(operator, sids):
    send_table(operator, f"sep=;\nsid;friendly_name\n{sids[0]};One\nFO1;Two")

    assert [(change.requested, change.skip_reason) for change in changes()] == [
        ({"friendly_name": "One"}, ""),
        ({}, "Line 4: “FO1” is not a Flex Flow SID (FO…)."),
    ]


def test_masked_secret_is_kept(operator, sandbox):
    sid = sandbox.add_flow(integration_type="external", integration_url=SECRET_URL)
    mirror.sync(ACCOUNT)

    for form, how in (("json", send), ("csv", send_table)):
        Plan.objects.all().delete()
        how(operator, exported(operator, [sid], form).decode())
        assert [change.skip_reason for change in changes()] == ["Already set."]
    assert SECRET not in dump_tables()


# JSON of the API and of twilio-cli


def camel(name):
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def as_cli(flow):
    """Return a flow as twilio-cli prints it with `-o json`."""
    integration = {camel(name): value for name, value in flow["integration"].items()}
    return {camel(name): value for name, value in flow.items()} | {"integration": integration}


@pytest.mark.parametrize(
    "shape", ["list", "one", "cli", "cli one", "cli, nested as the API has it"]
)
def test_api_responses_and_cli_output_are_imported(operator, sandbox, sids, shape):
    flows = [
        sandbox.flows[sid] | {"url": "https://flex-api.twilio.com/v1/FlexFlows/" + sid}
        for sid in sids
    ]
    flows[0]["integration"] = flows[0]["integration"] | {"retry_count": 1}
    text = {
        "list": {
            "meta": {"page": 0, "key": "flex_flows", "next_page_url": None},
            "flex_flows": flows,
        },
        "one": flows[0],
        "cli": [as_cli(flow) for flow in flows],
        "cli one": as_cli(flows[0]),
        "cli, nested as the API has it": [
            as_cli(flow) | {"integration": flow["integration"]} for flow in flows
        ],
    }[shape]

    send(operator, json.dumps(text, default=str))

    assert changes()[0].requested == {"integration_retry_count": 1}
    assert {change.skip_reason for change in changes()[1:]} <= {"Already set."}


def test_unknown_field_from_twilio_is_accepted(operator, sandbox, sids):
    sandbox.edit_flow(sids[0], region="ie1")
    mirror.sync(ACCOUNT)
    assert Flow.objects.get(sid=sids[0]).resource["region"] == "ie1"

    send(
        operator, json.dumps([{"sid": sids[0], "region": "ie1"}, {"sid": sids[1], "region": "ie1"}])
    )

    assert [change.skip_reason for change in changes()] == [
        "Already set.",
        "Entry 2: Unknown field “region”.",
    ]


def test_numbers_and_booleans_as_text_are_parsed(operator, sids):
    send(
        operator,
        json.dumps(
            [
                {
                    "sid": sids[0],
                    "integration_retry_count": "1",
                    "enabled": "False",
                    "channel_type": "WEB",
                }
            ]
        ),
    )

    assert changes()[0].requested == {
        "integration_retry_count": 1,
        "enabled": False,
        "channel_type": "web",
    }


@pytest.mark.parametrize(
    ("cell", "is_enabled"),
    [("yes", True), ("On", True), ("TRUE", True), ("1", True), ("no", False), ("0", False)],
)
def test_spellings_of_booleans_in_a_table_are_parsed(operator, sids, cell, is_enabled):
    place = 1 if is_enabled else 0
    send_table(operator, f"sid,enabled\n{sids[place]},{cell}\n")

    assert changes()[0].requested == {"enabled": is_enabled}


# Columns


def test_columns_are_proposed_by_name_label_and_parameter(operator, sids):
    page = send(
        operator,
        "SID;Friendly name;contactIdentity;Integration.FlowSid;Studio flow;Date created;Notes\na;b;c;d;e;f;g\n",
    )

    assert list(columns_of(page).values()) == [
        "sid",
        "friendly_name",
        "contact_identity",
        "integration_flow_sid",
        "",
        "",
        "",
    ]
    text = squeezed(unescape(page.content.decode()))
    assert "Ignored:<bdi>Studio flow</bdi>,<bdi>Date created</bdi>,<bdi>Notes</bdi></p>" in text
    assert "Rows with a SID update that flow" in text


def test_every_writable_field_has_a_column_of_its_name(operator):
    names = ["sid", "account_sid", *(name for name, entry in FIELDS_BY_NAME.items() if entry.wire)]

    page = send(operator, ",".join(names) + "\n" + ",".join("x" for _ in names))

    assert list(columns_of(page).values()) == names


def test_column_can_be_mapped_or_ignored_by_the_user(operator, sids):
    send_table(
        operator, f"id,old,new\n{sids[2]},x,Renamed\n", column_0="sid", column_2="friendly_name"
    )

    assert [(change.target_sid, change.requested) for change in changes()] == [
        (sids[2], {"friendly_name": "Renamed"})
    ]


def test_table_without_a_sid_says_that_it_creates(operator):
    page = send(operator, ",".join(NEW) + "\n" + ",".join(NEW.values()))
    send_table(operator, ",".join(NEW) + "\n" + ",".join(NEW.values()))

    assert "There is no SID column, so each row creates a new flow." in page.content.decode()
    assert [(change.action, change.requested) for change in changes()] == [("flow.create", NEW)]


def test_first_values_and_empty_columns_are_shown(operator):
    page = send(operator, "friendly_name,notes\n'=1+1,\nTwo,\n\nThree,\nFour,")

    [name, notes] = page.context["form"].columns
    assert (name["samples"], notes["samples"]) == (["=1+1", "Two", "Three"], [])
    assert "Empty" in page.content.decode()


@pytest.mark.parametrize(("targets", "message"), [
    ({"column_0": "friendly_name", "column_1": "friendly_name"}, "Column 1 (“a”) and Column 2 (“b”) are both mapped to Friendly name."),
    ({"column_0": "", "column_1": ""}, "Choose a field for at least one column other than the SIDs."),
    ({"column_0": "sid", "column_1": "account_sid"}, "Choose a field for at least one column other than the SIDs."),
    ({"column_0": "url", "column_1": ""}, "Choose a field from the list, or ignore the column."),
])  # fmt: skip
def test_invalid_mapping_is_refused_with_an_error(operator, targets, message):
    answer = send(operator, "a,b\nx,y", **targets)

    assert message in error_of(answer)
    assert answer.context["text"] == "a,b\nx,y"
    assert [answer.context["form"][name].value() for name in ("column_0", "column_1")] == list(
        targets.values()
    )


def test_empty_cell_leaves_the_field_unchanged(operator, sids):
    send_table(
        operator, f"sid,friendly_name,contact_identity\n{sids[0]},,\n{sids[1]},New name,  \n"
    )

    assert [(change.requested, change.skip_reason) for change in changes()] == [
        ({}, "Already set."),
        ({"friendly_name": "New name"}, ""),
    ]


# Unreadable input


@pytest.mark.parametrize(("text", "message"), [
    ("", "Paste flows as JSON or CSV, or choose a file."),
    ("  \n ", "Paste flows as JSON or CSV, or choose a file."),
    ("\ufeff", "Paste flows as JSON or CSV, or choose a file."),
    ("{", "Line 1, column 2: invalid JSON."),
    ('[\n {"sid": 1},\n {]', "Line 3, column 3: invalid JSON."),
    ('{"a": 1}', "This JSON contains no list of flows."),
    ("[]", "The list of flows is empty."),
    ('{"flows": [], "flows": []}', "“flows” appears twice. Use one list of flows."),
    ("[" * 5000, "This JSON is nested too deeply."),
    ('[{"friendly_name": ' + "[" * 100_000 + "]" * 100_000 + "}]", "This JSON is nested too deeply."),
    ("[" + "9" * 5000 + "]", "A number in this JSON is too long."),
    ("[NaN]", "NaN is not valid JSON"),
    ("[-Infinity]", "-Infinity is not valid JSON"),
    ("hello", "Line 1: this is neither JSON nor a table."),
    ("friendly_name", "The table has a header but no rows."),
    ('sid,friendly_name\nFO1,"x', "Line 2: a quotation mark is missing its partner."),
    ('sid,friendly_name\na,b\nc,"d" e\n', "Line 3: there is text after a closing quotation mark."),
    ('sid,friendly_name\na,"b\nc"\nd,"e"x', "Line 4: there is text after a closing quotation mark."),
    ("friendly_name,b\n" + "x" * 140_000 + ",\n", "Line 2: a cell is too long."),
    ("sep=|\nsid|friendly_name", "Line 1: “|” is not a supported separator."),
    ("friendly_name" + "," * 100 + "\nx", "Line 1: 101 columns. The maximum is 100."),
    ("friendly_name\none\ntwo\x00\n", "Line 3: this line contains a character that can't be stored (U+0000)."),
], ids=lambda text: text[:24])  # fmt: skip
def test_unreadable_text_is_refused_and_stays_in_the_form(operator, text, message):
    answer = send(operator, text)

    assert error_of(answer).startswith(message)
    assert answer.context["text"].removeprefix("\ufeff") == text.removeprefix("\ufeff")


@pytest.mark.parametrize(("data", "message"), [
    (b"", "The file “flows.csv” is empty."),
    ("friendly_name\none\ntélé".encode("cp1252"), "Line 3: byte 0xE9 is not UTF-8. In a spreadsheet, save as “CSV UTF-8”."),
    ("friendly_name\none".encode("utf-16-le"), "Line 1: this line contains a character that can't be stored (U+0000)."),
    ("friendly_name\none".encode("utf-16")[:-1], "The file looks like UTF-16, but is cut off or damaged."),
    (b"\xff\xfe\x00\xd8a\x00", "The file looks like UTF-16, but is cut off or damaged."),
    ("friendly_name\none".encode("utf-32"), "Line 1: this line contains a character that can't be stored (U+0000)."),
    (b"\x89PNG\r\n\x1a\n", "Line 1: byte 0x89 is not UTF-8."),
], ids=["empty", "cp1252", "utf-16-le", "cut off", "surrogate", "utf-32", "png"])  # fmt: skip
def test_unreadable_file_is_refused(operator, data, message):
    assert error_of(send(operator, file=data)).startswith(message)


def test_file_with_pasted_text_is_refused_and_the_text_stays(operator):
    answer = send(operator, "[typed", file=b"[]")

    assert error_of(answer) == "Choose a file or paste text, not both."
    assert answer.context["text"] == "[typed"


def test_text_of_an_unreadable_file_is_shown_in_the_form(operator):
    answer = send(operator, file=b'[{"sid": }]')

    assert error_of(answer).startswith("Line 1, column 10: invalid JSON.")
    assert answer.context["text"] == '[{"sid": }]'


def test_too_many_flows_are_refused_with_their_number(operator, monkeypatch):
    monkeypatch.setattr("flows.plans.import_table.MAX_FLOWS", 2)
    monkeypatch.setattr(import_text, "MAX_FLOWS", 2)

    assert (
        error_of(send(operator, json.dumps([{}] * 3)))
        == "The list has 3 flows. At most 2 can be imported at once."
    )
    assert error_of(send(operator, "friendly_name\na\nb\n\nc\n")) == (
        "Line 5: the table has 3 rows. At most 2 can be imported at once."
    )


@pytest.mark.parametrize(("entry", "reason"), [
    ("a", "This is a text, not a flow."),
    (None, "This is nothing, not a flow."),
    ([], "This is a list, not a flow."),
    (5, "This is a number, not a flow."),
    ({"friendly_nam": "x"}, "Unknown field “friendly_nam”."),
    ({"integration": {"type": "studio"}}, "Unknown field “integration.type”."),
    ({"sid": "FO1", "friendly_name": "x"}, "“FO1” is not a Flex Flow SID (FO…)."),
    ({"sid": 5, "friendly_name": "x"}, "“5” is not a Flex Flow SID (FO…)."),
    ({"sid": "\x00"}, "Flex Flow SID contains a character that can't be stored (U+0000)."),
    ({"sid": "FO" + "1" * 32, "account_sid": "\ud800"}, "Account SID contains a character that can't be stored (U+D800)."),
    ({"account_sid": "AC1"}, "“AC1” is not an account SID (AC…)."),
    ({"friendly_name": "a\x00b"}, "Friendly name contains a character that can't be stored (U+0000)."),
    ({"friendly_name": "a\udfffb"}, "Friendly name contains a character that can't be stored (U+DFFF)."),
    ({"\x00": 1}, "\u2400 contains a character that can't be stored (U+0000)."),
    ({"friendly_name": {"a": 1}}, "Friendly name must be a single value."),
    ({"friendly_name": "x", "friendlyName": "y"}, "“friendly_name” appears twice."),
    ({"integration": {"flowSid": "x"}, "integration_flow_sid": "y"}, "“integration_flow_sid” appears twice."),
    ({"friendly_name": "x"}, "Chat service SID is missing."),
    ({**NEW, "integration_retry_count": 2.5}, "Retry count must be a whole number, such as 3."),
    ({**NEW, "integration_retry_count": 1e400}, "Retry count must be a whole number, such as 3."),
    ({**NEW, "account_sid": "AC" + "9" * 32}, f"You can't create flows in account AC{'9' * 32}."),
    ({**NEW, "integration_type": "task", "integration_workspace_sid": "WS" + "2" * 32, "integration_workflow_sid": "WW" + "2" * 32,
      "integration_channel": "sms", "integration_flow_sid": None, "integration_retry_count": 2},
     "Retry count doesn't apply to this integration type."),
    ({**NEW, "integration_type": "external", "integration_flow_sid": None, "integration_url": "https://a.example/?token=masked-abcdef"},
     "Webhook URL contains a masked secret"),
    ({**NEW, "integration_type": "external", "integration_flow_sid": None, "integration_url": "https://a.example/?token=canary"},
     "Webhook URL contains a secret"),
], ids=lambda value: ascii(value)[:40])  # fmt: skip
def test_invalid_entry_is_skipped_with_its_number(operator, entry, reason):
    send(operator, json.dumps([NEW, entry]).replace("Infinity", "1e400"))

    good, bad = changes()
    assert good.skip_reason == ""
    assert bad.skip_reason.startswith(f"Entry 2: {reason}")


def test_repeated_key_of_an_entry_is_named(operator):
    send(
        operator,
        '[{"friendly_name": "x", "friendly_name": "y"}, {"integration": {"url": "a", "url": "b"}}]',
    )

    assert [change.skip_reason for change in changes()] == [
        "Entry 1: “friendly_name” appears twice.",
        "Entry 2: “url” appears twice.",
    ]


@pytest.mark.parametrize(("row", "reason"), [
    ("{0},a,b,c,d", "The row has 5 cells, but the header has 4."),
    ("{0},,,7", "Retry count must be 3 or less."),
    ("{0},,4.91556E+11,", "Contact identity “4.91556E+11” was shortened by a spreadsheet. Format the column as text."),
    ("FO9,,,", "“FO9” is not a Flex Flow SID (FO…)."),
    ("FO" + "9" * 32 + ",x,,", "No flow with this SID has been synced."),
])  # fmt: skip
def test_invalid_row_is_skipped_with_its_line(operator, sids, row, reason):
    header = "sid,friendly_name,contact_identity,integration_retry_count"
    text = f'{header}\n{sids[1]},"two\nlines",,\n\n{row.format(sids[0])}\n'

    send_table(operator, text)

    good, bad = changes()
    assert good.skip_reason == ""
    assert bad.skip_reason.startswith(f"Line 5: {reason}")


def test_row_with_fewer_cells_leaves_other_fields_unchanged(operator, sids):
    send_table(operator, f"sid,friendly_name,enabled\n{sids[1]},Shorter\n")

    assert changes()[0].requested == {"friendly_name": "Shorter"}


def test_same_sid_twice_names_the_line(operator, sids):
    send_table(operator, f"sid,friendly_name\n{sids[0]},a\n{sids[0]},b\n")

    assert [change.skip_reason for change in changes()] == [
        "",
        "Line 3: Same SID as line 2. Only the first one is used.",
    ]


def test_flow_is_not_moved_to_another_account(operator, staging, sids):
    send(
        operator,
        json.dumps([{"sid": sids[0], "account_sid": staging.account_sid, "friendly_name": "x"}]),
    )

    assert (
        changes()[0].skip_reason
        == f"Entry 1: The flow isn't in account {staging.account_sid}. A flow can't be moved."
    )


def test_imported_values_are_sent_to_twilio(operator, sandbox, sids):
    send_table(operator, f"sid;Friendly name;Retry count;enabled\n{sids[0]};Neu;0;no\n")
    operator.post(reverse("flows:plan-start", args=[Plan.objects.get().pk]), {"reason": "import"})
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)

    flow = from_response(sandbox.flows[sids[0]])
    assert (flow["friendly_name"], flow["integration_retry_count"], flow["enabled"]) == (
        "Neu",
        0,
        False,
    )
