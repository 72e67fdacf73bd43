import pytest

from flows.mirror.sync import sync_account
from tests import ACCOUNT


@pytest.fixture
def operator(client_of):
    return client_of("operator")


@pytest.fixture
def sids(sandbox, db):
    """Create three enabled flows."""
    created_sids = [
        sandbox.add_flow(friendly_name=f"Flow {number}", enabled=True) for number in range(3)
    ]
    sync_account(ACCOUNT)
    return created_sids


@pytest.fixture
def sids_of_both(sandbox, staging):
    """Create two flows in production and one in staging."""
    created_sids = []
    for server, names in ((sandbox, ["One", "Two"]), (staging, ["Three"])):
        created_sids += [
            server.add_flow(
                friendly_name=name,
                channel_type="sms",
                contact_identity=f"+1415555010{number}",
                enabled=True,
            )
            for number, name in enumerate(names)
        ]
        sync_account(server.account_sid)
    return created_sids


@pytest.fixture
def csv_sids(sandbox, db):
    """Create three flows whose names need quotes or escapes in a CSV file."""
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
    sync_account(ACCOUNT)
    return created_sids
