"""What can be known of a call that did not succeed. Three errors, by what they say about Twilio's state.

`NeverSent`: the request did not leave; nothing changed. `Refused`: Twilio answered no; nothing changed.
`Unknown`: the request may have left, and no answer came that can be trusted. For a read, each means that
there is nothing to show.
"""

from __future__ import annotations

from flows.flexapi.pickling import Picklable


class FlexError(Picklable):
    """A call that did not succeed. `str()` is a sentence without credentials or personal data."""

    status: int | None = None
    code: int | None = None
    message: str = ""  # Twilio's own words, if it gave any; may quote what was sent
    more_info: str = ""
    request_id: str = ""
    retry_after: float | None = None


class NeverSent(FlexError):
    """No connection was made, or no place within Twilio's rates came free in time."""


class Unknown(FlexError):
    """The request may have arrived; what became of it is not known."""

    def __init__(self, why: str, *, status: int | None = None, request_id: str = "") -> None:
        super().__init__(why)
        self.status = status
        self.request_id = request_id


class Refused(FlexError):
    """Twilio's answer was no, and it is one of the answers that mean: nothing was changed."""

    STATUSES = frozenset({400, 401, 403, 404, 409, 429})

    def __init__(
        self,
        *,
        status: int,
        code: int | None = None,
        message: str = "",
        more_info: str = "",
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"Twilio refused with status {status}" + (f", code {code}" if code else ""))
        self.status = status
        self.code = code
        self.message = message
        self.more_info = more_info
        self.request_id = request_id
        self.retry_after = retry_after
