"""Fixtures with two accounts on one site."""

import pytest

from flows.mirror.sync import sync_account
from tests.flows.flex_flows.views.two_accounts import FW, IS


@pytest.fixture
def flows(sandbox, staging):
    """One flow in production and one in staging, both in the mirror."""
    sids = [
        api.add_flow(
            friendly_name=name,
            chat_service_sid=IS,
            channel_type="sms",
            integration_type="studio",
            integration_flow_sid=FW,
            enabled=True,
        )
        for api, name in ((sandbox, "Live line"), (staging, "Try line"))
    ]
    for account in (sandbox, staging):
        sync_account(account.account_sid)
    return sids


@pytest.fixture
def tester(client_of, staging):
    """An operator on staging, without a role in production."""
    return client_of("operator", "tess", staging.account_sid)
