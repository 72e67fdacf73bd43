"""Downloads that take a while to write: a few at a time, so that the site has threads left for everything
else."""

from __future__ import annotations

import threading
import weakref
from typing import Any, Final

from django.http import StreamingHttpResponse

AT_ONCE: Final = 2  # in a process, which has four threads


class TooManyDownloads(Exception):
    """As many are being written as may be at once."""


places = threading.BoundedSemaphore(AT_ONCE)


class Place:
    """The right to write one download. Taken by making one; given back by `leave`, or when nothing knows it
    any more."""

    def __init__(self) -> None:
        if not places.acquire(blocking=False):
            raise TooManyDownloads
        self.leave = weakref.finalize(self, places.release)  # gives it back once, however often it is called


class Download(StreamingHttpResponse):
    """A file that is written while it is sent. It keeps its place until all of it is written or nobody wants
    it."""

    def __init__(self, place: Place, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._place = place

    def close(self) -> None:
        self._place.leave()
        super().close()
