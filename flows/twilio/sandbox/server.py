"""The sandbox as its users see it: start and stop, its flows, its faults and its request log.

HTTP is in `handler`, the endpoints are in `api`, the rules of a flow are in `rules`.
"""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from flows.twilio.description import PRODUCT_PLACEHOLDER
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.messaging.whatsapp_sender import WHATSAPP_SENDER
from flows.twilio.sandbox import (
    address_seed,
    flex_seed,
    interaction_seed,
    named_seed,
    plugin_seed,
)
from flows.twilio.sandbox import seed as seeds
from flows.twilio.sandbox.api import Api
from flows.twilio.sandbox.consistency import Lag, LagQueue, random_lag_source
from flows.twilio.sandbox.delivery import Gate
from flows.twilio.sandbox.faults import API_ROOT, Fault, FaultQueue
from flows.twilio.sandbox.handler import LOCALHOST, Server
from flows.twilio.sandbox.monitor_log import MonitorLog
from flows.twilio.sandbox.named_seed import NO_MINIMUM, MinimumCounts
from flows.twilio.sandbox.request_log import RequestLog, RequestRecord
from flows.twilio.sandbox.store import Store
from flows.twilio.sandbox.store_files import StoreFiles
from flows.twilio.sandbox.store_index import StoreIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import TracebackType

    from flows.twilio.resource import Resource
    from flows.twilio.sandbox.rules import Body

# Fictional, and recognisable as such. No account at Twilio has them.
DEMO_ACCOUNT_SID: Final = "AC" + "5a" * 16
DEMO_API_KEY: Final = "SK" + "5b" * 16
DEMO_API_SECRET: Final = "sandbox-secret"  # noqa: S105
DEMO_AUTH_TOKEN: Final = "sandbox-auth-token"  # noqa: S105

DEFAULT_FLOW_LIMIT = 2_500  # per account, from Twilio's documentation


def utc_now() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    """A Flex API on 127.0.0.1, and the APIs of other products as far as they name things.

    Port 0 picks a free port. `start` raises OSError if the port is in use. `latency` is in
    seconds. `lag` is the most seconds by which a read is behind the writes, at random. The flows of
    the seed were changed before `seed_end_time`, which is now by default. If `state_file` exists,
    its flows are used instead of `flows` and `seed`. An account that is seeded beyond Twilio's
    limit has room for as many flows again. `other_resources` are served as well. `minimum_counts`
    adds Studio Flows and workflows that no flow points to. `channels` is the smallest number of
    channels that the seeded flows have.
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
        seed_end_time: datetime | None = None,
        state_file: Path | str | None = None,
        clock: Callable[[], datetime] = utc_now,
        flow_limit: int | None = None,
        other_resources: Iterable[Resource] = (),
        minimum_counts: MinimumCounts = NO_MINIMUM,
        channels: int = 0,
    ) -> None:
        keys = dict(keys or {DEMO_API_KEY: DEMO_API_SECRET})
        self.account_sid = account_sid
        self.api_key, self.api_secret = next(iter(keys.items()))
        self.auth_token = auth_token
        self._port = port
        self._latency = latency
        self._clock = clock
        self._added_count = 0
        self._faults = FaultQueue()
        self._log = RequestLog()
        self._gate = Gate()
        self._server: Server | None = None

        def generate_seed() -> Iterator[Body]:
            end_time = seed_end_time or clock()
            return seeds.generate_flows(
                flows, seed=seed, account_sid=account_sid, end_time=end_time
            )

        files = StoreFiles(None if state_file is None else Path(state_file))
        self._store = Store(
            FLEX_FLOW,
            account_sid=account_sid,
            clock=clock,
            limit=flow_limit or max(DEFAULT_FLOW_LIMIT, 2 * flows),
            file=files.flows,
            seed=generate_seed,
        )
        # Twilio's events about the changes that `add_flow`, `edit_flow` and `remove_flow` make.
        self.monitor = MonitorLog(account_sid=account_sid, clock=clock)
        other_stores = [
            Store(resource, account_sid=account_sid, clock=clock, limit=DEFAULT_FLOW_LIMIT)
            for resource in other_resources
        ]
        seeded_flows = self._store.snapshot()

        def make_named_stores() -> Iterator[Store]:
            yield from named_seed.make_stores(
                seeded_flows.values(), account_sid=account_sid, clock=clock, minimum=minimum_counts
            )
            yield address_seed.make_store(
                [FLEX_FLOW.decode(flow) for flow in seeded_flows.values()],
                account_sid=account_sid,
                clock=clock,
                files=files,
                senders=list_senders,
            )

        def list_senders() -> list[str]:
            senders = self._index.store_of(WHATSAPP_SENDER).snapshot()
            return [sender["sender_id"] for sender in senders.values()]

        def make_flex_stores() -> Iterator[Store]:
            decoded_flows = {sid: FLEX_FLOW.decode(flow) for sid, flow in seeded_flows.items()}
            yield from plugin_seed.make_stores(
                account_sid=account_sid,
                clock=clock,
                files=files,
                add_store=self._index.add_flex,
            )
            yield from interaction_seed.make_stores(
                decoded_flows,
                account_sid=account_sid,
                clock=clock,
                files=files,
                add_store=self._index.add_flex,
            )
            yield from flex_seed.make_stores(
                decoded_flows,
                account_sid=account_sid,
                clock=clock,
                files=files,
                channels=channels,
                has_flow=lambda sid: sid in self._store.snapshot(),
            )

        self._index = StoreIndex(
            (self._store, self.monitor.store, *other_stores),
            make_flex=make_flex_stores,
            make_named=make_named_stores,
        )
        self._api = Api(self._index, credentials=keys | {account_sid: auth_token})
        if lag:
            self.lags.draw = random_lag_source(lag, seed=seed)

    def start(self) -> None:
        """Serve in a background thread until `stop`."""
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
        """End every connection and release held requests. Nothing is applied afterwards."""
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
        """The Flex API's root URL. Raises RuntimeError before the start."""
        return f"{self._address}{API_ROOT}"

    @property
    def api_url(self) -> str:
        """The address of the other APIs, for TWILIO_API_URL. Raises RuntimeError before the start."""
        return f"{self._address}/{PRODUCT_PLACEHOLDER}"

    @property
    def _address(self) -> str:
        if self._server is None:
            raise RuntimeError("The sandbox has no address until it is started")
        return f"http://{LOCALHOST}:{self._server.server_port}"

    @property
    def connections(self) -> int:
        """The number of connections since the start."""
        return self._server.connections if self._server else 0

    @property
    def open_connections(self) -> int:
        """The number of connections that are open."""
        return self._server.open_connections if self._server else 0

    @property
    def flows(self) -> dict[str, Body]:
        """All flows in Twilio's response form without `url`, by SID, newest first.

        They are read-only. Use `edit_flow` to change one.
        """
        return self._store.snapshot()

    @property
    def requests(self) -> list[RequestRecord]:
        return self._log.all()

    def store_of(self, resource: Resource, parent_sid: str = "") -> Store:
        """Return the objects of a resource, or those in one object of its parent.

        Raises KeyError if the sandbox doesn't serve them.
        """
        return self._index.store_of(resource, parent_sid)

    def add_flow(self, **fields: Any) -> str:
        """Add a flow as if it was created elsewhere, and return its SID.

        `fields` replace fields of a realistic snapshot. The API's rules are not applied.
        """
        self._added_count += 1
        timestamp = self._store.timestamp()
        ids = {"sid": f"FO{uuid.uuid4().hex}", "account_sid": self.account_sid}
        dates = {"date_created": timestamp, "date_updated": timestamp}
        flow = ids | seeds.default_fields(self._added_count, fields) | dates | fields
        self._store.add(FLEX_FLOW.encode(flow))
        self.monitor.add(str(flow["sid"]), "created")
        return str(flow["sid"])

    def edit_flow(self, sid: str, **fields: Any) -> None:
        """Change a flow as if in Twilio's Console, without the API's rules.

        Raises KeyError if the flow does not exist.
        """
        self._store.edit(sid, fields)
        self.monitor.add(sid, "updated")

    def remove_flow(self, sid: str) -> None:
        """Delete a flow as if in Twilio's Console. Raise KeyError if it does not exist."""
        if sid not in self.flows:
            raise KeyError(sid)
        self._store.delete(sid)
        self.monitor.add(sid, "deleted")

    def inject(self, fault: Fault) -> None:
        """Apply a fault to the next requests that match it."""
        self._faults.inject(fault)

    @property
    def lags(self) -> LagQueue:
        """The queue of lags for reads."""
        return self._api.lags

    def lag(self, lag: Lag) -> None:
        """Apply a lag to the next reads that match it."""
        self.lags.inject(lag)

    def clear_faults(self) -> None:
        """Drop all faults that have not been applied."""
        self._faults.clear()

    def release(self) -> None:
        """Let every held request continue, and send the rest of dripping responses at once."""
        self._gate.release()

    def wait_until_held(self, count: int = 1, timeout: float = 10.0) -> bool:
        """Wait until `count` requests are held, by a fault or the latency.

        Returns False if that does not happen within `timeout` seconds.
        """
        return self._gate.wait_until_held(count, timeout)
