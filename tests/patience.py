"""How long the tests wait for something that is bound to happen.

It tells a hang from a busy machine. It says nothing about speed.
"""

from typing import Final

HANG_TIMEOUT: Final = 120  # seconds
