"""Three flows with owners, in two accounts."""

from dataclasses import replace

import pytest

from tests.flows.local_details.changing import AC_ONE, AC_TWO, ONE, THREE, TWO, set_details


@pytest.fixture
def flows_with_details(settings):
    account = settings.FLEX_ACCOUNTS[0]
    settings.FLEX_ACCOUNTS = tuple(
        replace(account, sid=sid, name=name)
        for sid, name in ((AC_ONE, "production"), (AC_TWO, "staging"))
    )
    set_details(ONE, account_sid=AC_ONE, owner="Claims", tags=["vip", "billing"], note="x")
    set_details(TWO, account_sid=AC_ONE, owner="CLAIMS")
    set_details(THREE, account_sid=AC_TWO, owner="Ärzte", tags=["vip"])
