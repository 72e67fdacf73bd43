"""The sandbox as its users hold it: start and stop, the flows it has, faults, and the record.

It puts the parts together. HTTP is handler's, the endpoints api's, the rules contract's.
"""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from flows.twilio.flex.flex_flow import to_response
from flows.twilio.sandbox import seed as seeds
from flows.twilio.sandbox.api import Api
from flows.twilio.sandbox.consistency import Lag, LagQueue, random_lag_source
from flows.twilio.sandbox.delivery import Gate
from flows.twilio.sandbox.faults import API_ROOT, Fault, FaultQueue
from flows.twilio.sandbox.handler import LOCALHOST, Server
from flows.twilio.sandbox.request_log import RequestLog, RequestRecord
from flows.twilio.sandbox.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

    from flows.twilio.sandbox.rules import Resource

# Made up, and visibly so; no account of Twilio's has them.
DEMO_ACCOUNT_SID: Final = "AC" + "5a" * 16
DEMO_API_KEY: Final = "SK" + "5b" * 16
DEMO_API_SECRET: Final = "sandbox-secret"  # noqa: S105
DEMO_AUTH_TOKEN: Final = "sandbox-auth-token"  # noqa: S105

DEFAULT_FLOW_LIMIT = 2_500  # per account, by Twilio's documents


def utc_now() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    """A Flex API on 127.0.0.1. `start` raises OSError if the port is taken; port 0 takes a free one.

    `latency` is in seconds; so is `lag`: each read is up to so many seconds behind the writes, at random. With a `state_file` that exists, `flows` and `seed` are not used.
    An account seeded beyond Twilio's limit still has room for as many again.
    """

    def __init__(
        self,
        port: int = 0,
        flows: int = 0,
        seed: int = 1,
        *,
        account_sid: str = DEMO_ACCOUNT_SID,
        keys: Mapping[str, str] | None = None,
        auth_token: str = DEMO_AUTH_TOKEN,
        latency: float = 0.0,
        lag: float = 0.0,
        state_file: Path | str | None = None,
        clock: Callable[[], datetime] = utc_now,
        flow_limit: int | None = None,
    ) -> None:
        keys = dict(keys or {DEMO_API_KEY: DEMO_API_SECRET})
        self.account_sid = account_sid
        self.api_key, self.api_secret = next(iter(keys.items()))
        self.auth_token = auth_token
        self._port = port
        self._latency = latency
        self._clock = clock
        self._added = 0
        self._faults = FaultQueue()
        self._log = RequestLog()
        self._gate = Gate()
        self._server: Server | None = None

        def seeded() -> Iterator[Resource]:
            return seeds.generate_flows(flows, seed=seed, account_sid=account_sid, now=clock())

        self._store = Store(
            account_sid=account_sid,
            clock=clock,
            limit=flow_limit or max(DEFAULT_FLOW_LIMIT, 2 * flows),
            file=None if state_file is None else Path(state_file),
            seed=seeded,
        )
        self._api = Api(self._store, credentials=keys | {account_sid: auth_token})
        if lag:
            self.lags.draw = random_lag_source(lag, seed=seed)

    def start(self) -> None:
        """Serve in a thread of its own until `stop`."""
        self._gate = Gate()
        self._server = Server(
            self._port,
            api=self._api,
            faults=self._faults,
            gate=self._gate,
            log=self._log,
            clock=self._clock,
            latency=self._latency,
        )
        threading.Thread(target=self._server.serve_forever, name="sandbox", daemon=True).start()

    def stop(self) -> None:
        """End every connection and every hang. Nothing is applied afterwards."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The API's root, known once it is started."""
        if self._server is None:
            raise RuntimeError("The sandbox has no address until it is started")
        return f"http://{LOCALHOST}:{self._server.server_port}{API_ROOT}"

    @property
    def connections(self) -> int:
        """How many connections were made since it was started."""
        return self._server.connections if self._server else 0

    @property
    def open_connections(self) -> int:
        """How many of them are open."""
        return self._server.open_connections if self._server else 0

    @property
    def flows(self) -> dict[str, Resource]:
        """Every flow in Twilio's response form without `url`, by SID, newest first. To read only:
        `edit_flow` changes one."""
        return self._store.snapshot()

    @property
    def requests(self) -> list[RequestRecord]:
        return self._log.all()

    def add_flow(self, **fields: Any) -> str:
        """Put a flow there, as if made elsewhere: a believable one, with these fields of a snapshot
        instead. The contract has no say in it."""
        self._added += 1
        now = self._store.now()
        ids = {"sid": f"FO{uuid.uuid4().hex}", "account_sid": self.account_sid}
        dates = {"date_created": now, "date_updated": now}
        flow = ids | seeds.default_fields(self._added, fields) | dates | fields
        self._store.add(to_response(flow))
        return str(flow["sid"])

    def edit_flow(self, sid: str, **fields: Any) -> None:
        """Change a flow, as if in the Console; the contract has no say in it. KeyError if it is not there."""
        self._store.edit(sid, fields)

    def remove_flow(self, sid: str) -> None:
        """Delete a flow, as if in the Console. KeyError if it is not there."""
        if sid not in self.flows:
            raise KeyError(sid)
        self._store.delete(sid)

    def inject(self, fault: Fault) -> None:
        self._faults.inject(fault)

    @property
    def lags(self) -> LagQueue:
        """How reads lag behind the writes (consistency.py)."""
        return self._api.lags

    def lag(self, lag: Lag) -> None:
        """Have the next read that it fits lag behind."""
        self.lags.inject(lag)

    def clear_faults(self) -> None:
        self._faults.clear()

    def release(self) -> None:
        """Let go every request that is held, and every drip: what is left of it goes out at once."""
        self._gate.release()

    def wait_until_held(self, count: int = 1, timeout: float = 10.0) -> bool:
        """Wait until so many requests hang, or wait out the latency, at once; False if they don't within `timeout` seconds."""
        return self._gate.wait_until_held(count, timeout)
