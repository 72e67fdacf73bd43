"""Settings of the site as deployed, for processes that this folder starts.

The collected static files are in STATIC_FOLDER, so that the working tree stays untouched.
"""

import os
from pathlib import Path

from flexadmin.settings import *  # noqa: F403

STATIC_ROOT = Path(os.environ["STATIC_FOLDER"])
# The sandbox has no rates, and a benchmark of single pages must not wait for a turn.
FLEX_RATE_LIMITS = os.environ.get("FLEX_RATE_LIMITS") != "false"
