"""The collections of the sandbox: a store for each resource, or for each object that has one.

The stores of named resources are made at the first request for one, because most tests need none.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from flows.twilio.api_styles import API_OF_2010
from flows.twilio.sandbox.faults import API_ROOT
from flows.twilio.sandbox.links import list_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flows.twilio.resource import Resource
    from flows.twilio.sandbox.store import Store


class StoreIndex:
    """The stores by the path of their collection. `make_named` returns those that are made late."""

    def __init__(
        self, stores: Iterable[Store], *, make_named: Callable[[], Iterable[Store]]
    ) -> None:
        self._stores = {list_path(store): store for store in stores}
        self._make_named = make_named
        self._named: dict[str, Store] | None = None
        self._lock = threading.Lock()

    def resolve(self, path: str) -> tuple[Store, str] | None:
        """Return the store that a path is about and the SID in the path or "", or None."""
        stores = self._stores_at(path)
        if path in stores:
            return stores[path], ""
        suffix = API_OF_2010.suffix if path.endswith(API_OF_2010.suffix) else ""
        collection, _, sid = path.removesuffix(suffix).rpartition("/")
        store = stores.get(collection + suffix)
        return None if store is None or not sid else (store, sid)

    def store_of(self, resource: Resource, parent_sid: str = "") -> Store:
        """Return the objects of a resource. Raise KeyError if the sandbox doesn't serve it."""
        for store in self._all_stores():
            if store.resource.name == resource.name and store.parent_sid == parent_sid:
                return store
        raise KeyError(resource.name)

    def _stores_at(self, path: str) -> dict[str, Store]:
        is_flex = path.startswith(f"{API_ROOT}/")
        return self._stores if is_flex else self._stores | self._named_stores()

    def _all_stores(self) -> Iterator[Store]:
        yield from self._stores.values()
        yield from self._named_stores().values()

    def _named_stores(self) -> dict[str, Store]:
        with self._lock:
            if self._named is None:
                self._named = {list_path(store): store for store in self._make_named()}
            return self._named
