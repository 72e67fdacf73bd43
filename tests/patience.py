"""How long the tests wait for something that is bound to happen.

No test asks how fast something is, so the time only has to tell a busy machine from a hang.
"""

from typing import Final

HANG_TIMEOUT: Final = 120  # seconds
