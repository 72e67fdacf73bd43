"""Long downloads. Few of them run at a time, so that threads are left for other requests."""

from __future__ import annotations

import threading
import weakref
from typing import Any, Final

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase

MAX_CONCURRENT_DOWNLOADS: Final = 2  # per process, which has four threads


class TooManyDownloads(Exception):
    """The maximum number of downloads is running."""


download_slots = threading.BoundedSemaphore(MAX_CONCURRENT_DOWNLOADS)


class DownloadSlot:
    """The right to run one download. Raises `TooManyDownloads` if none is free.

    `release` frees it. So does garbage collection.
    """

    def __init__(self) -> None:
        if not download_slots.acquire(blocking=False):
            raise TooManyDownloads
        # Repeated calls release it only once.
        self.release = weakref.finalize(self, download_slots.release)


class Download(StreamingHttpResponse):
    """A streamed file. It holds its slot until it is complete or the client disconnects."""

    def __init__(self, slot: DownloadSlot, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._slot = slot

    def close(self) -> None:
        self._slot.release()
        super().close()


def as_attachment(response: HttpResponseBase, name: str) -> HttpResponseBase:
    """Make browsers save a response under this name, and never cache it."""
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response
