"""The accounts of a site that has two: production, which was its only one, and staging."""

from __future__ import annotations

from dataclasses import replace

from flows.accounts.twilio_accounts import Account
from flows.twilio.sandbox.server import Sandbox


def add_staging(only_account: Account, staging: Sandbox) -> tuple[Account, Account]:
    """Return the setting of a site whose second account is in this sandbox."""
    return (
        replace(only_account, name="production", colour="red", is_production=True),
        Account(
            staging.account_sid,
            auth=(staging.api_key, staging.api_secret),
            name="staging",
            colour="teal",
            api_url=staging.url,
            twilio_api_url=staging.api_url,
        ),
    )
