"""Errors of calls to Twilio, by what they say about the state at Twilio.

`NotSent`: the request did not leave, so nothing changed. `RequestRefused`: Twilio refused, so
nothing changed. `OutcomeUnknown`: the request may have left, and no reliable response came.
For a read, each means that there is nothing to show.
"""

from __future__ import annotations

from dataclasses import dataclass

from flows.twilio.pickling import PicklableError


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorDetails:
    """The details of an error response, as far as it has them."""

    code: int | None = None
    message: str = ""
    more_info: str = ""
    retry_after: float | None = None  # seconds


class FlexError(PicklableError):
    """A call that failed. `str()` is a sentence without credentials or personal data."""

    status: int | None = None
    code: int | None = None
    message: str = ""  # Twilio's own text, which may quote the request
    more_info: str = ""
    request_id: str = ""
    retry_after: float | None = None

    def _set_details(self, details: ErrorDetails) -> None:
        self.code, self.message = details.code, details.message
        self.more_info, self.retry_after = details.more_info, details.retry_after


class NotSent(FlexError):
    """A request that did not leave: no connection, or no turn within Twilio's rates in time."""


class ConnectionFailed(NotSent):
    """A connection to Twilio that could not be made."""

    def __init__(self) -> None:
        super().__init__("couldn't connect to Twilio")


class RateLimitTimeout(NotSent):
    """A turn within Twilio's rates that would come too late, because too many calls wait."""


class OutcomeUnknown(FlexError):
    """A request that may have arrived, with an unknown outcome.

    `is_stale` is True if it went out on an open connection that the other side had closed.
    """

    def __init__(
        self,
        description: str,
        *,
        status: int | None = None,
        request_id: str = "",
        details: ErrorDetails | None = None,
        is_stale: bool = False,
    ) -> None:
        super().__init__(description)
        self.status = status
        self.request_id = request_id
        self.is_stale = is_stale
        self._set_details(details or ErrorDetails())


class RequestRefused(FlexError):
    """A refusal that proves that nothing was changed.

    It is a status from 400 to 499, other than 408, with an error in Twilio's own form. The
    `REFUSAL_STATUSES` count with any body. By HTTP, other statuses (405, 410, 412, 413, 414, 415,
    422) also mean that the request was not carried out. Without Twilio's own form they may come
    from a gateway: some answer 413 if Twilio's response is too large.
    """

    REFUSAL_STATUSES = frozenset({401, 403, 404, 429})  # decided before the request is passed on

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
        code_suffix = f", code {code}" if code else ""
        super().__init__(f"Twilio refused with status {status}{code_suffix}")
        self.status = status
        self.request_id = request_id
        self._set_details(
            ErrorDetails(code=code, message=message, more_info=more_info, retry_after=retry_after)
        )

    @property
    def is_not_found(self) -> bool:
        """True for Twilio's own 404, which has a code. A proxy's says nothing about the object."""
        return self.status == 404 and bool(self.code)
