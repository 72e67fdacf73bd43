"""A cache in each process, for results that are always the same for the same arguments."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar, cast

from django.conf import settings

P = ParamSpec("P")
R = TypeVar("R")


def process_cached(maximum: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function whose last `maximum` results each process keeps.

    It keeps none with the setting `DEBUG`: a template that a developer edits would stay as it was.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        cached = cast("Callable[P, R]", lru_cache(maximum)(function))

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if settings.DEBUG:
                return function(*args, **kwargs)
            return cached(*args, **kwargs)

        return call

    return decorate
