"""The page of an action that could not be recorded, such as its form again.

The site's middleware sends it (flexadmin/http/middleware.py), or a general page with status 503.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.http import HttpResponse

from flows.audit.audit_log import NotRecorded
from flows.twilio.pickling import PicklableError


class NotRecordedPage(PicklableError, NotRecorded):
    """The action could not be recorded, so nothing was changed. `response` is the page for it."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__("the audit log cannot be written")
        self.response = response


@contextmanager
def page_if_unrecorded(render: Callable[[], HttpResponse]) -> Iterator[None]:
    """Respond with the page that `render` returns if the block raises `NotRecorded`."""
    try:
        yield
    except NotRecorded as error:
        raise NotRecordedPage(render()) from error
