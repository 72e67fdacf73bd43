"""Downloads that take a while to write: a few at a time, so that the site has threads left for everything
else."""

from __future__ import annotations

import threading
import weakref
from typing import Any, Final

from django.http import StreamingHttpResponse

MAX_CONCURRENT_DOWNLOADS: Final = 2  # in a process, which has four threads


class TooManyDownloads(Exception):
    """As many are being written as may be at once."""


download_slots = threading.BoundedSemaphore(MAX_CONCURRENT_DOWNLOADS)


class DownloadSlot:
    """The right to write one download. Taken by making one; given back by `leave`, or when nothing knows it
    any more."""

    def __init__(self) -> None:
        if not download_slots.acquire(blocking=False):
            raise TooManyDownloads
        self.leave = weakref.finalize(
            self, download_slots.release
        )  # gives it back once, however often it is called


class Download(StreamingHttpResponse):
    """A file that is written while it is sent. It keeps its place until all of it is written or nobody wants
    it."""

    def __init__(self, place: DownloadSlot, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._place = place

    def close(self) -> None:
        self._place.leave()
        super().close()
