"""A small OpenID Connect provider: a real HTTP server on this machine with RSA-signed tokens."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT_ID, SECRET = "flexadmin", "a-made-up-secret"


class Provider:
    """Provider with one user, whose `claims` it returns. `fault` makes its responses wrong."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {"sub": "7f3a", "preferred_username": "nina"}
        self.fault = ""
        self.userinfo: dict[str, Any] | None = None  # instead of `claims`
        self.token_claims: dict[str, Any] = {}  # in addition to `claims`; None omits one
        self.requested_paths: list[str] = []
        self.authorizations: dict[str, dict[str, str]] = {}  # parameters, by authorization code
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.issuer = self.url

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def settings(self) -> dict[str, Any]:
        app = {
            "provider_id": "oidc", "name": "Example ID", "client_id": CLIENT_ID, "secret": SECRET,
            "settings": {"server_url": self.url, "oauth_pkce_enabled": True},
        }  # fmt: skip
        return {"openid_connect": {"APPS": [app]}}

    def authorize(self, address: str) -> str:
        """Consent to an authorization request; return the address that the browser goes back to."""
        parameters = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = f"code-{len(self.authorizations)}"
        self.authorizations[code] = parameters
        return f"{parameters['redirect_uri']}?{urlencode({'code': code, 'state': parameters['state']})}"

    def _answer(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        self.requested_paths.append(path)
        if self.fault == "away":
            return 503, {}
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.issuer, "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/keys",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            }  # fmt: skip
        if path == "/keys":
            key = json.loads(RSAAlgorithm.to_jwk(self._key.public_key()))
            return 200, {"keys": [{**key, "kid": "1", "alg": "RS256", "use": "sig"}]}
        if path == "/token":
            return self._token(form)
        userinfo = self.claims if self.userinfo is None else self.userinfo
        return (200, userinfo) if path == "/userinfo" else (404, {})

    def _token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        authorization = self.authorizations.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(
            hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        )
        is_right = (
            authorization is not None
            and form.get("client_secret") == SECRET
            and authorization.get("code_challenge") == challenge.decode().rstrip("=")
        )
        if not is_right or self.fault == "refused":
            return 400, {"error": "invalid_grant"}
        issued_at = int(time.time())
        audience = "somebody-else" if self.fault == "audience" else CLIENT_ID
        standard_claims = {
            "iss": self.issuer,
            "aud": audience,
            "iat": issued_at,
            "exp": issued_at + 60,
        }
        all_claims = {**self.claims, **standard_claims, **self.token_claims}
        claims = {name: value for name, value in all_claims.items() if value is not None}
        if self.fault == "no ID token":
            return 200, {"access_token": "made-up", "token_type": "Bearer", "expires_in": 60}
        token = jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": "1"})
        return 200, {
            "access_token": "made-up",
            "token_type": "Bearer",
            "expires_in": 60,
            "id_token": token,
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.startswith("/authorize?"):
                    self.send_response(302)
                    self.send_header("Location", provider.authorize(self.path))
                    self.end_headers()
                else:
                    self._respond({})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._respond({name: values[0] for name, values in parse_qs(body).items()})

            def _respond(self, form: dict[str, str]) -> None:
                status, document = provider._answer(urlsplit(self.path).path, form)
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                return

        return Handler
