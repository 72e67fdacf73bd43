"""The collections of the sandbox: a store for each resource, or for each object that has one.

The stores of other resources than flows are made at the first request for one, because most tests
need none.
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


class LateStores:
    """Stores by the path of their collection, made when the first one is asked for."""

    def __init__(self, make: Callable[[], Iterable[Store]]) -> None:
        self._make = make
        self._stores: dict[str, Store] | None = None
        self._lock = threading.Lock()

    def add(self, store: Store) -> None:
        """Add the collection of an object that was created."""
        self.by_path()[list_path(store)] = store

    def by_path(self) -> dict[str, Store]:
        with self._lock:
            if self._stores is None:
                self._stores = {list_path(store): store for store in self._make()}
            return self._stores


class StoreIndex:
    """The stores by the path of their collection.

    `make_flex` returns those of the Flex API that are made late, `make_named` those of other
    products.
    """

    def __init__(
        self,
        stores: Iterable[Store],
        *,
        make_flex: Callable[[], Iterable[Store]],
        make_named: Callable[[], Iterable[Store]],
    ) -> None:
        self._stores = {list_path(store): store for store in stores}
        self._flex, self._named = LateStores(make_flex), LateStores(make_named)

    def resolve(self, path: str) -> tuple[Store, str] | None:
        """Return the store that a path is about and the SID in the path or "", or None."""
        stores = self._stores_at(path)
        if path in stores:
            return stores[path], ""
        suffix = API_OF_2010.suffix if path.endswith(API_OF_2010.suffix) else ""
        collection, _, sid = path.removesuffix(suffix).rpartition("/")
        store = stores.get(collection + suffix)
        return None if store is None or not sid else (store, sid)

    def add_flex(self, store: Store) -> None:
        """Add the collection of an object of the Flex API that was created."""
        self._flex.add(store)

    def store_of(self, resource: Resource, parent_sid: str = "") -> Store:
        """Return the objects of a resource. Raise KeyError if the sandbox doesn't serve it."""
        for store in self._all_stores():
            if _is_same_collection(store.resource, resource) and store.parent_sid == parent_sid:
                return store
        raise KeyError(resource.name)

    def _stores_at(self, path: str) -> dict[str, Store]:
        """Return the stores that a path can be about."""
        if any(path == own_path or path.startswith(f"{own_path}/") for own_path in self._stores):
            return self._stores
        late = self._flex if path.startswith(f"{API_ROOT}/") else self._named
        return self._stores | late.by_path()

    def _all_stores(self) -> Iterator[Store]:
        yield from self._stores.values()
        yield from self._flex.by_path().values()
        yield from self._named.by_path().values()


def _is_same_collection(one: Resource, other: Resource) -> bool:
    """Return True if two resources describe the same objects."""
    return (one.product, one.version, one.path) == (other.product, other.version, other.path)
