"""Reasons why a post got no answer. Each is a sentence about the test of a webhook, without secrets."""

from __future__ import annotations

from flows.twilio.pickling import PicklableError


class PostFailed(PicklableError):
    """A post without an answer. `may_have_arrived` is False if certainly nothing was sent."""

    may_have_arrived = False


class RefusedAddress(PostFailed):
    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host} leads to a private or reserved address, or to this server itself, so nothing "
            "was sent. Twilio can't reach private addresses either. If you want to test this one "
            "from here, an administrator can allow its network with WEBHOOK_TEST_ALLOWED_NETWORKS."
        )


class HostNotFound(PostFailed):
    def __init__(self, host: str) -> None:
        super().__init__(f"The host name {host} was not found, so nothing was sent.")


class InvalidUrl(PostFailed):
    def __init__(self, problem: str) -> None:
        super().__init__(f"The webhook URL {problem} Nothing was sent.")


class ConnectionImpossible(PostFailed):
    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host} didn't accept the connection, so nothing was sent. Check that the handler is "
            "running, and the port in the URL."
        )


class CertificateRefused(PostFailed):
    def __init__(self, host: str) -> None:
        super().__init__(
            f"The TLS certificate of {host} is invalid, so nothing was sent. Twilio refuses "
            "self-signed, expired and foreign certificates, too."
        )


class TlsFailed(PostFailed):
    def __init__(self, host: str) -> None:
        super().__init__(
            f"No TLS connection with {host} was possible, so nothing was sent. Check that this "
            "port serves HTTPS."
        )


class ConnectTimeout(PostFailed):
    def __init__(self, host: str) -> None:
        super().__init__(f"No connection with {host} was possible in time, so nothing was sent.")


class AnswerTimeout(PostFailed):
    may_have_arrived = True

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"No complete answer within {seconds:g} s. The handler may have received the test."
        )


class AnswerLost(PostFailed):
    may_have_arrived = True

    def __init__(self) -> None:
        super().__init__(
            "The connection was lost before a valid HTTP answer came. "
            "The handler may have received the test."
        )
