"""What can be known of a call that did not succeed. Three errors, by what they say about Twilio's state.

`NeverSent`: the request did not leave; nothing changed. `Refused`: Twilio answered no; nothing changed.
`Unknown`: the request may have left, and no answer came that can be trusted. For a read, each means that
there is nothing to show.
"""

from __future__ import annotations

from dataclasses import dataclass

from flows.flexapi.pickling import Picklable


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Details of an error answer, as far as it has them."""

    code: int | None = None
    message: str = ""
    more_info: str = ""
    retry_after: float | None = None  # seconds


class FlexError(Picklable):
    """A call that did not succeed. `str()` is a sentence without credentials or personal data."""

    status: int | None = None
    code: int | None = None
    message: str = ""  # Twilio's own words, if it gave any; may quote what was sent
    more_info: str = ""
    request_id: str = ""
    retry_after: float | None = None

    def _take_over(self, details: Details) -> None:
        self.code, self.message = details.code, details.message
        self.more_info, self.retry_after = details.more_info, details.retry_after


class NeverSent(FlexError):
    """No connection was made, or no place within Twilio's rates came free in time."""


class NoConnection(NeverSent):
    """No connection to the address could be made."""

    def __init__(self) -> None:
        super().__init__("couldn't connect to Twilio")


class NoTurn(NeverSent):
    """So many calls wait within Twilio's rates that this one's turn would come too late."""


class Unknown(FlexError):
    """The request may have arrived; what became of it is not known. `is_stale`: it went out on a kept
    connection that the other side had closed meanwhile."""

    def __init__(
        self,
        why: str,
        *,
        status: int | None = None,
        request_id: str = "",
        details: Details | None = None,
        is_stale: bool = False,
    ) -> None:
        super().__init__(why)
        self.status = status
        self.request_id = request_id
        self.is_stale = is_stale
        self._take_over(details or Details())


class Refused(FlexError):
    """Twilio's answer was no, and it is one of the answers that mean: nothing was changed.

    These are the statuses 400 to 499 in Twilio's own words, save 408, and `AT_THE_DOOR` in anybody's. HTTP
    says of others too (405, 410, 412, 413, 414, 415, 422) that whoever answers did not carry out the
    request. Without Twilio's words that may be a gateway, which speaks for itself: some answer 413 to a
    response of Twilio's that is too large.
    """

    AT_THE_DOOR = frozenset({401, 403, 404, 429})  # given before anything is passed on

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
        self.request_id = request_id
        self._take_over(Details(code=code, message=message, more_info=more_info, retry_after=retry_after))
