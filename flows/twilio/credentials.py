"""What a request proves its sender with: HTTP Basic, and a header that some resources take."""

from __future__ import annotations

from collections.abc import Mapping

from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth


class Credentials(AuthBase):
    """The user name and password of an API key or an account, and further headers.

    A further `Authorization` replaces that of HTTP Basic, as Flex Insights takes it.
    """

    def __init__(
        self, username: str, password: str, headers: Mapping[str, str] | None = None
    ) -> None:
        # Bytes, because `requests` would encode a string as Latin-1.
        self.username, self.password = username.encode(), password.encode()
        self.headers = headers or {}

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request = HTTPBasicAuth(self.username, self.password)(request)
        for name, value in self.headers.items():
            # As it goes over the wire: each byte of UTF-8 as one character.
            request.headers[name] = value.encode().decode("latin-1")
        return request
