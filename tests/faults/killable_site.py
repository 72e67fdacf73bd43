"""The real site for gunicorn, which kills its own process during a change.

KILL is `before`: after the attempt is committed and before the call to Twilio; or `after`: after
Twilio's response and before its outcome is recorded.
"""

import os
import signal
from collections.abc import Callable
from typing import Any

from flexadmin.wsgi import application
from flows.twilio.client import ResourceClient

__all__ = ["application"]


def _kill_around(call: Callable[..., Any]) -> Callable[..., Any]:
    def at_that_moment(*args: Any, **options: Any) -> None:
        if os.environ["KILL"] == "after":
            call(*args, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    return at_that_moment


for _verb in ("create", "update", "delete"):
    setattr(ResourceClient, _verb, _kill_around(getattr(ResourceClient, _verb)))
