"""How much of what holds for all values and histories is tried, in the short and in the long form.

`uv run pytest` and CI try the same few each time, so that a commit fails for its own faults only.
To search for new faults, name the test files and choose larger numbers:

- PROPERTY_EXAMPLES=20000: so many values for each test with `@given`, others each time
- SEEDS=100: so many stories for each test that makes up a story from a seed
"""

import os
from typing import Final

from hypothesis import settings

SHORT_EXAMPLES: Final = 100
LONG_EXAMPLES: Final = int(os.environ.get("PROPERTY_EXAMPLES", "0"))
LONG_SEEDS: Final = int(os.environ.get("SEEDS", "0"))


def choose_examples() -> None:
    """Set the number of values of each test with `@given`."""
    settings.register_profile(
        "examples",
        max_examples=LONG_EXAMPLES or SHORT_EXAMPLES,
        derandomize=not LONG_EXAMPLES,
        deadline=None,  # a busy machine is no fault
    )
    settings.load_profile("examples")


def choose_seeds(short: int, *, first: int = 0) -> range:
    """Return the seeds of a test that plays one story for each. `short` is their usual number."""
    return range(first, first + (LONG_SEEDS or short))
