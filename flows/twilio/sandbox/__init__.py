"""A local Flex API over HTTP with Twilio's rules, and with faults on request.

The demo and the tests run against it. It imports neither Django nor anything from `flows` other
than `flows.twilio`. Where Twilio's behaviour is not documented, a comment says "Assumption".
"""

from flows.twilio.sandbox.consistency import Lag, LagKind
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.request_log import RequestRecord
from flows.twilio.sandbox.server import (
    DEMO_ACCOUNT_SID,
    DEMO_API_KEY,
    DEMO_API_SECRET,
    DEMO_AUTH_TOKEN,
    Sandbox,
)

__all__ = [
    "DEMO_ACCOUNT_SID",
    "DEMO_API_KEY",
    "DEMO_API_SECRET",
    "DEMO_AUTH_TOKEN",
    "Fault",
    "FaultKind",
    "Lag",
    "LagKind",
    "RequestRecord",
    "Sandbox",
]
