"""Entries of an import: values, invalid entries, and the changes that they become."""

import json

import pytest
from django.urls import reverse

from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.plans.models import Plan
from flows.twilio.flex.flex_flow import FLEX_FLOW
from tests import ACCOUNT
from tests.flows.plans.running import run_worker
from tests.flows.plans.views.import_pages import (
    NEW_FLOW,
    planned_changes,
    send,
    send_table,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_unknown_field_from_twilio_is_accepted(operator, sandbox, csv_sids):
    sandbox.edit_flow(csv_sids[0], region="ie1")
    sync_account(ACCOUNT)
    assert Flow.objects.get(sid=csv_sids[0]).resource["region"] == "ie1"

    send(
        operator,
        json.dumps([{"sid": csv_sids[0], "region": "ie1"}, {"sid": csv_sids[1], "region": "ie1"}]),
    )

    assert [change.skip_reason for change in planned_changes()] == [
        "Already set.",
        "Entry 2: Unknown field “region”.",
    ]


def test_numbers_and_booleans_as_text_are_parsed(operator, csv_sids):
    send(
        operator,
        json.dumps(
            [
                {
                    "sid": csv_sids[0],
                    "integration_retry_count": "1",
                    "enabled": "False",
                    "channel_type": "WEB",
                }
            ]
        ),
    )

    assert planned_changes()[0].requested == {
        "integration_retry_count": 1,
        "enabled": False,
        "channel_type": "web",
    }


@pytest.mark.parametrize(
    ("cell", "is_enabled"),
    [("yes", True), ("On", True), ("TRUE", True), ("1", True), ("no", False), ("0", False)],
)
def test_spellings_of_booleans_in_a_table_are_parsed(operator, csv_sids, cell, is_enabled):
    number = 1 if is_enabled else 0
    send_table(operator, f"sid,enabled\n{csv_sids[number]},{cell}\n")

    assert planned_changes()[0].requested == {"enabled": is_enabled}


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
    ({**NEW_FLOW, "integration_retry_count": 2.5}, "Retry count must be a whole number, such as 3."),
    ({**NEW_FLOW, "integration_retry_count": 1e400}, "Retry count must be a whole number, such as 3."),
    ({**NEW_FLOW, "account_sid": "AC" + "9" * 32}, f"You can't create flows in account AC{'9' * 32}."),
    ({**NEW_FLOW, "integration_type": "task", "integration_workspace_sid": "WS" + "2" * 32, "integration_workflow_sid": "WW" + "2" * 32,
      "integration_channel": "sms", "integration_flow_sid": None, "integration_retry_count": 2},
     "Retry count doesn't apply to this integration type."),
    ({**NEW_FLOW, "integration_type": "external", "integration_flow_sid": None, "integration_url": "https://a.example/?token=masked-abcdef"},
     "Webhook URL contains a masked secret"),
    ({**NEW_FLOW, "integration_type": "external", "integration_flow_sid": None, "integration_url": "https://a.example/?token=canary"},
     "Webhook URL contains a secret"),
], ids=lambda value: ascii(value)[:40])  # fmt: skip
def test_invalid_entry_is_skipped_with_its_number(operator, entry, reason):
    send(operator, json.dumps([NEW_FLOW, entry]).replace("Infinity", "1e400"))

    valid, invalid = planned_changes()
    assert valid.skip_reason == ""
    assert invalid.skip_reason.startswith(f"Entry 2: {reason}")


def test_repeated_key_of_an_entry_is_named(operator):
    send(
        operator,
        '[{"friendly_name": "x", "friendly_name": "y"}, {"integration": {"url": "a", "url": "b"}}]',
    )

    assert [change.skip_reason for change in planned_changes()] == [
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
def test_invalid_row_is_skipped_with_its_line(operator, csv_sids, row, reason):
    header = "sid,friendly_name,contact_identity,integration_retry_count"
    text = f'{header}\n{csv_sids[1]},"two\nlines",,\n\n{row.format(csv_sids[0])}\n'

    send_table(operator, text)

    valid, invalid = planned_changes()
    assert valid.skip_reason == ""
    assert invalid.skip_reason.startswith(f"Line 5: {reason}")


def test_row_with_fewer_cells_leaves_other_fields_unchanged(operator, csv_sids):
    send_table(operator, f"sid,friendly_name,enabled\n{csv_sids[1]},Shorter\n")

    assert planned_changes()[0].requested == {"friendly_name": "Shorter"}


def test_same_sid_twice_names_the_line(operator, csv_sids):
    send_table(operator, f"sid,friendly_name\n{csv_sids[0]},a\n{csv_sids[0]},b\n")

    assert [change.skip_reason for change in planned_changes()] == [
        "",
        "Line 3: Same SID as line 2. Only the first one is used.",
    ]


def test_flow_is_not_moved_to_another_account(operator, staging, csv_sids):
    send(
        operator,
        json.dumps(
            [{"sid": csv_sids[0], "account_sid": staging.account_sid, "friendly_name": "x"}]
        ),
    )

    assert (
        planned_changes()[0].skip_reason
        == f"Entry 1: The flow isn't in account {staging.account_sid}. A flow can't be moved."
    )


def test_imported_values_are_sent_to_twilio(operator, sandbox, csv_sids):
    send_table(operator, f"sid;Friendly name;Retry count;enabled\n{csv_sids[0]};Neu;0;no\n")
    operator.post(reverse("flows:plan-start", args=[Plan.objects.get().pk]), {"reason": "import"})
    run_worker()

    flow = FLEX_FLOW.decode(sandbox.flows[csv_sids[0]])
    assert (flow["friendly_name"], flow["integration_retry_count"], flow["enabled"]) == (
        "Neu",
        0,
        False,
    )
