"""The published schema accepts what `apply` accepts, checked with a validator of its own."""

import jsonschema
import pytest
import yaml

from flows.desired_state.file_errors import InvalidFile
from flows.desired_state.flow_file import read_flow_file
from flows.desired_state.json_schema import build_schema
from tests.flows.desired_state.files import make_entry

VALIDATOR = jsonschema.Draft202012Validator(build_schema())


def is_valid_by_schema(document):
    return VALIDATOR.is_valid(document)


def is_readable(document):
    try:
        read_flow_file(yaml.safe_dump(document))
    except InvalidFile:
        return False
    return True


def test_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(build_schema())


@pytest.mark.parametrize(
    "document",
    [
        {"flows": []},
        {"flows": [make_entry()], "account": "production", "source_account": "staging"},
        {"flows": [{"sid": "FO" + "1" * 32, "owner": "Eva", "tags": ["a"], "note": "n"}]},
        {"flows": [{"contact_identity": None, "enabled": None}]},
        {},
        {"flows": {}},
        {"flows": ["a"]},
        {"flows": [{"colour": 1}]},
        {"flows": [], "colour": 1},
        {"flows": [], "account": 1},
        {"flows": [], "account": ""},
        {"flows": [make_entry(enabled="true")]},
        {"flows": [make_entry(friendly_name=5)]},
        {"flows": [make_entry(friendly_name=False)]},
        {"flows": [make_entry(channel_type="fax")]},
        {"flows": [make_entry(integration_retry_count="3")]},
        {"flows": [make_entry(integration_retry_count=True)]},
        {"flows": [make_entry(date_created="2026-01-01")]},
    ],
)
def test_schema_and_reader_agree(document):
    assert is_valid_by_schema(document) == is_readable(document)


def test_limits_of_the_fields_are_in_the_schema():
    for entry in (
        make_entry(integration_retry_count=4),
        make_entry(chat_service_sid="IS1"),
        make_entry(friendly_name="a" * 257),
    ):
        assert not is_valid_by_schema({"flows": [entry]})
