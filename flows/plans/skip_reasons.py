"""The reasons for skipping a flow that several modules give."""

from __future__ import annotations

from typing import Final

NOT_STORED: Final = "Its webhook contains a secret, which isn't stored. Restore it from its event."
ALREADY_SET: Final = "Already set."
NOT_SYNCED: Final = "No flow with this SID has been synced."
DATA_ERASED: Final = "Personal data erased."
ALREADY_ROLLED_BACK: Final = "Already rolled back."
ALREADY_RETRIED: Final = "Already done by another retry."
