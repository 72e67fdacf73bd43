"""A local Flex API over HTTP: the same rules as Twilio's, and faults on request.

It is the other end of the demo and of the tests, and knows nothing of Django or of the rest of
flows beyond the schema table. Where Twilio's behaviour is not known, the code says "assumption".
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
