"""A file that is exported from one account, edited, and applied in another one."""

from pathlib import Path

import pytest
import yaml

from flows.sid_map.mappings import Direction, change_map
from tests import ACCOUNT
from tests.flows.copying.samples import (
    SERVICE,
    STAGING_SERVICE,
    STAGING_STUDIO,
    STUDIO,
    add_flows,
)
from tests.flows.desired_state.files import apply, write_methods

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two(sandbox, staging):
    return add_flows(sandbox, staging)


@pytest.fixture
def exported(two, client_of, tmp_path):
    """Function that exports production's flows, edits the document and returns the file."""

    def export(**keys):
        response = client_of("operator").post(
            "/flows/copy-out/", {"sid": two.sids, "format": "yaml"}
        )
        document = yaml.safe_load(response.content)
        assert document["account"] == ACCOUNT
        document |= keys
        for flow in document["flows"]:
            flow["contact_identity"] = flow["contact_identity"].replace("0001", "0009")
        path = tmp_path / "flows.yaml"
        path.write_text(yaml.safe_dump(document))
        return str(path)

    return export


def test_sids_are_those_of_the_map_and_a_second_apply_changes_nothing(two, exported, actor):
    file = exported(account="staging", source_account="production")
    direction = Direction(ACCOUNT, two.target)
    change_map(direction, {STUDIO: STAGING_STUDIO, SERVICE: STAGING_SERVICE}, actor)

    first, first_error = apply(file)
    second, second_error = apply(file)

    assert (first_error, second_error) == ("", "")
    assert f"~ update {two.counterpart} “Returns” in staging" in first
    assert "+ create “Bookings” in staging" in first
    assert second == ["No changes, 2 unchanged."]
    created = next(
        flow for flow in two.staging.flows.values() if flow["friendly_name"] == "Bookings"
    )
    assert created["chat_service_sid"] == STAGING_SERVICE
    assert created["integration"]["flow_sid"] == STAGING_STUDIO
    assert write_methods(two.production) == []


def test_sid_that_is_not_in_the_map_is_an_error(two, exported, capsys):
    file = exported(account="staging", source_account="production")

    _, error = apply(file)

    assert error == f"{file} has 4 errors. Nothing was sent."
    assert (
        f"flows[0].chat_service_sid: {SERVICE} has no counterpart in staging. Copy a flow that "
        "uses it once, which asks for it, or write the SID that it has there."
    ) in capsys.readouterr().err
    assert write_methods(two.staging) == []


def test_flow_of_another_account_is_not_moved(two, exported, capsys):
    _, error = apply(exported(account="staging"))

    assert error.endswith("Nothing was sent.")
    assert (
        "flows[0].sid: The flow is in production, and a flow can't be moved. "
        "To apply the file in another account, add the key source_account."
    ) in capsys.readouterr().err


def test_source_account_needs_the_account_to_apply_to(two, tmp_path, capsys):
    path = tmp_path / "flows.yaml"
    path.write_text("source_account: production\nflows: []\n")

    assert apply(path)[1].endswith("Nothing was sent.")
    assert "source_account: needs the key account" in capsys.readouterr().err


def test_export_is_applied_in_its_own_account_without_changes(exported, two):
    file = exported()
    path = Path(file)
    document = yaml.safe_load(path.read_text())
    for flow in document["flows"]:
        del flow["contact_identity"]
    path.write_text(yaml.safe_dump(document))

    assert apply(file, "--prune") == (["No changes, 2 unchanged."], "")
