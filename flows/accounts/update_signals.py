"""Signals about what the site stores of an account. Upper packages receive them (flows/apps.py).

They are sent with `send_robust`: a receiver that fails never fails a sync or a change.
"""

from __future__ import annotations

from typing import Final

from django.dispatch import Signal

# Flows of the account, or names of what they point to, were stored. Has `account_sid`.
account_updated: Final = Signal()
# A sync of the account has ended, with or without changes. Has `account_sid`.
sync_ended: Final = Signal()


def announce_update(account_sid: str) -> None:
    account_updated.send_robust(None, account_sid=account_sid)


def announce_sync_end(account_sid: str) -> None:
    sync_ended.send_robust(None, account_sid=account_sid)
