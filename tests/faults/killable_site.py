"""The real site for gunicorn, which kills its own process at one moment of a change: KILL is `before` the
call to Twilio goes out, when the attempt is committed, or `after` its answer is there and not yet recorded.
"""

import os
import signal
from collections.abc import Callable
from typing import Any

from flexadmin.wsgi import application
from flows.twilio.client import FlexClient

__all__ = ["application"]


def _kill_around(call: Callable[..., Any]) -> Callable[..., Any]:
    def at_that_moment(*args: Any) -> None:
        if os.environ["KILL"] == "after":
            call(*args)
        os.kill(os.getpid(), signal.SIGKILL)

    return at_that_moment


for _verb in ("create", "update", "delete"):
    setattr(FlexClient, _verb, _kill_around(getattr(FlexClient, _verb)))
