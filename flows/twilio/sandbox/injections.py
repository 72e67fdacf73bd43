"""The queue of injections, which are the faults and the lags that wait for requests."""

from __future__ import annotations

import threading
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.twilio.sandbox.consistency import Lag
    from flows.twilio.sandbox.faults import Fault

InjectionT = TypeVar("InjectionT", "Fault", "Lag")


def injection_from_json(injection_type: type[InjectionT], payload: Any) -> InjectionT:
    """Return an injection from the control endpoint's JSON. Raise ValueError if it is invalid."""
    name = injection_type.__name__
    field_names = {field.name for field in fields(injection_type)}
    if not isinstance(payload, dict) or not payload.keys() <= field_names:
        raise ValueError(f"A {name.lower()} is an object with no other fields than {name}'s own")
    if "kind" not in payload:
        raise ValueError(f"A {name.lower()} needs a kind")
    return injection_type(**payload)


class InjectionQueue(Generic[InjectionT]):
    """The injections that wait for a request. The oldest that matches applies."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[InjectionT] = []

    def inject(self, injection: InjectionT) -> None:
        with self._lock:
            self._waiting.append(injection)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def take_matching(self, matches: Callable[[InjectionT], bool]) -> InjectionT | None:
        """Return the oldest injection that matches, or None. Count it as applied once."""
        with self._lock:
            injection = next(filter(matches, self._waiting), None)
            if injection is not None:
                self._count_down(injection)
            return injection

    def _count_down(self, injection: InjectionT) -> None:
        if injection.times is None:
            return
        position = self._waiting.index(injection)
        if injection.times > 1:
            self._waiting[position] = replace(injection, times=injection.times - 1)
        else:
            del self._waiting[position]
