"""Files as people write them: YAML, JSON and mistakes, each with its place."""

import json

import pytest

from flows.desired_state.file_errors import InvalidFile
from flows.desired_state.flow_file import read_flow_file
from flows.redaction.masking import redact_field
from tests.flows.desired_state.files import apply, make_entry, make_file

SID = "FO" + "1" * 32


def errors_of(text):
    with pytest.raises(InvalidFile) as invalid:
        read_flow_file(text)
    return [str(error) for error in invalid.value.errors]


def fields_of(text):
    (entry,) = read_flow_file(text).entries
    return dict(entry.fields)


def test_numbers_of_customers_stay_as_they_are_written():
    text = "flows:\n- contact_identity: +33199000101\n  friendly_name: 0800\n  enabled: on\n"

    assert fields_of(text) == {
        "contact_identity": "+33199000101",
        "friendly_name": "0800",
        "enabled": True,
    }


def test_json_is_read_with_its_escapes_and_tabs():
    name = '"Été \\ud83d\\ude00 \\/ \\\\ud83d"'
    text = f'{{\n\t"flows": [{{\t"friendly_name": {name}, "long_lived": null}}]}}'

    assert json.loads(name) == "Été 😀 / \\ud83d"
    assert fields_of(text) == {"friendly_name": json.loads(name), "long_lived": None}


def test_place_of_a_value_is_its_line_and_path():
    text = f'account: staging\nflows:\n- sid: {SID}\n  enabled: "yes"\n- long_lived: 1\n'

    assert errors_of(text) == [
        "line 4, flows[0].enabled: must be true or false.",
        "line 5, flows[1].long_lived: must be true or false.",
    ]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "line 1: The file is empty."),
        ("# nothing\n", "line 1: The file is empty."),
        ("flows", "line 1: must be a mapping with the key flows."),
        ("[]", "line 1: must be a mapping with the key flows."),
        ("account: a", "line 1, flows: is missing. It is the list of flows."),
        ("flows: {}", "line 1, flows: must be a list of flows."),
        ("flows:\n- a", "line 2, flows[0]: must be a flow: names of fields with values."),
        (
            "flows: []\naccounts: a",
            "line 2, accounts: Unknown key. A file has account, source_account, flows.",
        ),
        ("flows: []\naccount: [a]", "line 2, account: must be a single value."),
        ("flows: []\naccount: 7", "line 2, account: must be the SID or the name of an account."),
        ("flows: []\nflows: []", "line 2, flows: is there twice. The first one is in line 1."),
        (
            "flows:\n- enabled: true\n  enabled: false",
            "line 3, flows[0].enabled: is there twice. The first one is in line 2.",
        ),
        (
            "flows:\n- friendlyName: A",
            "line 2, flows[0].friendlyName: Unknown field. Did you mean friendly_name?",
        ),
        ("flows:\n- colour: red", "line 2, flows[0].colour: Unknown field."),
        (
            "flows:\n- date_created: 2026-01-01",
            "line 2, flows[0].date_created: is set by Twilio. Remove this line.",
        ),
        (
            "a: &a {enabled: true}\nflows:\n- <<: *a",
            "line 1, flows[0].<<: Merging with << is not supported. Write the fields out.",
        ),
        (
            "flows:\n- contact_identity: 33199000101",
            "line 2, flows[0].contact_identity: must be text. Put it in quotes.",
        ),
        (
            "flows:\n- friendly_name: no",
            "line 2, flows[0].friendly_name: must be text. Put it in quotes.",
        ),
        (
            "flows:\n- friendly_name: [a]",
            "line 2, flows[0].friendly_name: must be a single value.",
        ),
        (
            "flows:\n- integration_retry_count: '3'",
            "line 2, flows[0].integration_retry_count: must be a whole number, without quotes.",
        ),
        (
            "flows:\n- integration_retry_count: true",
            "line 2, flows[0].integration_retry_count: must be a whole number, without quotes.",
        ),
        (
            "flows:\n- channel_type: fax",
            "line 2, flows[0].channel_type: must be one of web, sms, facebook, whatsapp, line, custom.",
        ),
        (
            "flows:\n- friendly_name: !!python/name:os.system x",
            (
                "line 2, flows[0].friendly_name: has the unsupported tag "
                "tag:yaml.org,2002:python/name:os.system."
            ),
        ),
        (
            'flows:\n- friendly_name: "a\\0"',
            "line 2, flows[0].friendly_name: contains a character that can't be stored.",
        ),
        ("flows:\n- [a]: b", "line 2, flows[0]: A key must be a name."),
    ],
)
def test_mistake_is_named_with_its_place(text, error):
    assert error in errors_of(text)


@pytest.mark.parametrize(
    "text", ["flows: ]", '{"flows": [}', "a: b: c", "%\n", "\x01", "a: *b", '{"a": "\\ud800"}']
)
def test_text_that_is_no_yaml_is_an_error_with_a_line(text):
    (error,) = errors_of(text)

    assert error.startswith("line 1: ")


def test_masked_secret_is_refused_in_plain_words():
    masked = redact_field("integration_url", "https://u:canary@h.example/")
    text = f"flows:\n- integration_url: {masked}\n"

    (error,) = errors_of(text)

    assert error == (
        "line 2, flows[0].integration_url: contains a masked secret. "
        "Remove this line: the flow keeps its secret."
    )


def test_owner_tags_and_note_are_accepted_but_not_applied():
    flow_file = read_flow_file('{"flows": [{"owner": "Eva", "tags": ["a"], "note": null}]}')

    assert flow_file.has_local_details
    assert flow_file.entries[0].fields == {}


@pytest.mark.django_db(transaction=True)
class TestErrorsOfTheCommand:
    def test_each_error_is_a_line_and_nothing_is_sent(self, sandbox, tmp_path, capsys):
        file = make_file(tmp_path, make_entry(enabled="x"), {"sid": SID, "colour": 1})

        output, error = apply(file)

        assert (output, error) == ([], f"{file} has 2 errors. Nothing was sent.")
        assert capsys.readouterr().err.splitlines() == [
            f"{file}, line 6, flows[0].enabled: must be true or false.",
            f"{file}, line 11, flows[1].colour: Unknown field.",
        ]
        assert sandbox.requests == []

    @pytest.mark.parametrize(
        ("entries", "error"),
        [
            (
                [{"sid": SID}],
                f"flows[0].sid: No flow has the SID {SID}. Without a SID, a flow is created.",
            ),
            ([{"sid": "FO1"}], "flows[0].sid: “FO1” is not a Flex Flow SID (FO…)."),
            (
                [{"sid": SID}, {"sid": SID}],
                f"flows[1].sid: {SID} is in the file twice, first in line 2.",
            ),
            (
                [make_entry(), make_entry(long_lived=True)],
                (
                    "flows[1]: Same channel, contact identity and name as the flow in line 2. "
                    "Add the SIDs."
                ),
            ),
            (
                [make_entry(account_sid="AC" + "9" * 32)],
                f"flows[0].account_sid: “AC{'9' * 32}” is no account of this site.",
            ),
            ([make_entry(chat_service_sid=...)], "flows[0]: Chat service SID is missing."),
            ([make_entry(integration_flow_sid=...)], "flows[0]: Studio Flow SID is missing."),
            (
                [make_entry(integration_retry_count=4)],
                "flows[0]: Retry count must be 3 or less.",
            ),
            (
                [make_entry(integration_timeout=60)],
                "flows[0]: Task timeout doesn't apply to this integration type.",
            ),
            (
                [
                    make_entry(
                        integration_type="external",
                        integration_flow_sid=...,
                        integration_url="https://user:canary@h.example/",
                    )
                ],
                "flows[0]: Webhook URL contains a secret. To change a secret, edit the flow.",
            ),
        ],
    )
    def test_mistake_that_needs_the_flows_is_found_too(
        self, sandbox, tmp_path, capsys, entries, error
    ):
        assert apply(make_file(tmp_path, *entries))[1].endswith("Nothing was sent.")

        written = capsys.readouterr().err
        assert error in written
        assert "canary" not in written
        assert {request.method for request in sandbox.requests} <= {"GET"}

    def test_unknown_account_is_an_error(self, sandbox, staging, tmp_path, capsys):
        apply(make_file(tmp_path, make_entry(), account="test"))
        apply(make_file(tmp_path, make_entry()))

        assert capsys.readouterr().err.splitlines() == [
            (
                f"{tmp_path}/flows.yaml, line 1, account: “test” is no account of this site. "
                "Its accounts: production, staging."
            ),
            (
                f"{tmp_path}/flows.yaml, line 2, flows[0]: The account is missing. "
                "Add the key account to the file."
            ),
        ]

    def test_file_that_cannot_be_read(self, sandbox, tmp_path, capsys):
        assert apply(tmp_path / "none")[1].startswith("Couldn't read the file: ")
        latin = tmp_path / "latin"
        latin.write_bytes(b"flows: []\naccount: \xe9\n")

        assert apply(latin)[1] == f"{latin} has 1 error. Nothing was sent."
        assert "Line 2: byte 0xE9 is not UTF-8" in capsys.readouterr().err
        assert apply()[1] == "Name a file, or - for standard input."

    def test_text_of_the_file_controls_no_terminal(self, sandbox, tmp_path, capsys):
        apply(make_file(tmp_path, {"a\x1b[31m\nb": 1}, make_entry(friendly_name="\x1b[2J")))
        output, _ = apply(make_file(tmp_path, make_entry(friendly_name="A\x1b[2J")), "--plan")

        assert "\x1b" not in "\n".join(output) + capsys.readouterr().err


def test_schema_is_printed_without_a_file(db):
    output, error = apply("--schema")

    assert error == ""
    assert json.loads("\n".join(output))["properties"].keys() == {
        "account",
        "source_account",
        "flows",
    }
