"""Number and choice of the examples of tests that hold for all values (`@given`).

`uv run pytest` makes the same examples each time, so that a commit fails for its own faults only.
With `PROPERTY_EXAMPLES=20000` each such test makes that many others, to search for new faults.
"""

import os
from typing import Final

from hypothesis import settings

SHORT_EXAMPLES: Final = 100
LONG_EXAMPLES: Final = int(os.environ.get("PROPERTY_EXAMPLES", "0"))


def choose_examples() -> None:
    settings.register_profile(
        "examples",
        max_examples=LONG_EXAMPLES or SHORT_EXAMPLES,
        derandomize=not LONG_EXAMPLES,
        deadline=None,  # a busy machine is no fault
    )
    settings.load_profile("examples")
