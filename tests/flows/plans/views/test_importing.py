"""Formats of an import: this site's exports, spreadsheets, the API, and twilio-cli."""

import csv
import io
import json

import pytest

from flows.audit.models import AuditEvent
from flows.local_details.reading import load_details
from flows.mirror.sync import sync_account
from flows.plans.models import Plan
from tests import ACCOUNT
from tests.faults.acting import SECRET, SECRET_URL, dump_tables
from tests.flows.local_details.changing import set_details
from tests.flows.plans.views.import_pages import (
    export,
    planned_changes,
    send,
    send_table,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_exported_json_is_imported_without_a_change(operator, csv_sids):
    send(operator, export(operator, csv_sids, "json").decode())

    assert {change.skip_reason for change in planned_changes()} == {"Already set."}
    event = AuditEvent.objects.get(action="flow.export")
    assert (event.actor_label, event.payload.requested) == (
        "operator",
        {"format": "json", "flows": 3},
    )


def test_owner_tags_and_note_are_exported_and_not_imported(operator, csv_sids):
    set_details(csv_sids[0], owner="=Claims", tags=["lyon", "vip"], note="Ring\nfirst")
    data = json.loads(export(operator, csv_sids, "json"))
    rows = list(csv.DictReader(io.StringIO(export(operator, csv_sids, "csv").decode("utf-8-sig"))))

    page = operator.post(
        "/flows/plans/import/",
        {"entries": json.dumps(data).replace("=Claims", "Sales")},
        follow=True,
    )

    exported = next(flow for flow in data["flows"] if flow["sid"] == csv_sids[0])
    assert list(exported.items())[-3:] == [
        ("owner", "=Claims"), ("tags", ["lyon", "vip"]), ("note", "Ring\nfirst"),
    ]  # fmt: skip
    row = next(row for row in rows if row["sid"] == csv_sids[0])
    assert list(row.items())[-3:] == [
        ("owner", "'=Claims"), ("tags", "lyon, vip"), ("note", "Ring\nfirst"),
    ]  # fmt: skip
    assert {change.skip_reason for change in planned_changes()} == {"Already set."}
    assert "Owners, tags and notes were not imported." in page.content.decode()
    assert load_details(csv_sids[0]).owner == "=Claims"


def test_import_without_owners_says_nothing_of_them(operator, csv_sids):
    page = operator.post(
        "/flows/plans/import/",
        {"entries": export(operator, csv_sids, "json").decode()},
        follow=True,
    )

    assert "were not imported" not in page.content.decode()


@pytest.mark.parametrize("is_file", [True, False], ids=["file", "pasted"])
def test_exported_csv_is_imported_without_a_change(operator, csv_sids, is_file):
    data = export(operator, csv_sids, "csv")

    send_table(operator, **({"file": data} if is_file else {"text": data.decode()}))

    assert {change.skip_reason for change in planned_changes()} == {"Already set."}


def test_edited_cell_of_an_exported_csv_changes_one_field(operator, csv_sids):
    text = (
        export(operator, csv_sids, "csv")
        .decode()
        .replace("'=1+1", "'=2+2")
        .replace("plain", "simple")
    )

    send_table(operator, text)

    assert {
        change.target_sid: change.requested
        for change in planned_changes()
        if not change.skip_reason
    } == {
        csv_sids[0]: {"friendly_name": "=2+2"},
        csv_sids[2]: {"friendly_name": "simple"},
    }


@pytest.mark.parametrize(("delimiter", "name"), [(";", "semicolon"), ("\t", "tab"), (",", "comma")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r"], ids=ascii)
def test_csv_as_spreadsheets_save_it(operator, csv_sids, delimiter, name, encoding, newline):
    rows = csv.reader(
        io.StringIO(export(operator, csv_sids, "csv").decode("utf-8-sig"), newline="")
    )
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator=newline).writerows(rows)
    data = buffer.getvalue().encode(encoding)

    page = send(operator, file=data)
    send_table(operator, file=data)

    assert f"separated by {name}s" in page.content.decode()
    assert {change.skip_reason for change in planned_changes()} == {"Already set."}


def test_separator_line_of_excel_counts_as_a_line(operator, csv_sids):
    send_table(operator, f"sep=;\nsid;friendly_name\n{csv_sids[0]};One\nFO1;Two")

    assert [(change.requested, change.skip_reason) for change in planned_changes()] == [
        ({"friendly_name": "One"}, ""),
        ({}, "Line 4: “FO1” is not a Flex Flow SID (FO…)."),
    ]


def test_masked_secret_is_kept(operator, sandbox):
    sid = sandbox.add_flow(integration_type="external", integration_url=SECRET_URL)
    sync_account(ACCOUNT)

    for file_format, send_file in (("json", send), ("csv", send_table)):
        Plan.objects.all().delete()
        send_file(operator, export(operator, [sid], file_format).decode())
        assert [change.skip_reason for change in planned_changes()] == ["Already set."]
    assert SECRET not in dump_tables()


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
def test_api_responses_and_cli_output_are_imported(operator, sandbox, csv_sids, shape):
    flows = [
        sandbox.flows[sid] | {"url": "https://flex-api.twilio.com/v1/FlexFlows/" + sid}
        for sid in csv_sids
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

    assert planned_changes()[0].requested == {"integration_retry_count": 1}
    assert {change.skip_reason for change in planned_changes()[1:]} <= {"Already set."}
