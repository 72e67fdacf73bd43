"""A client of the API with a token, and a synced flow."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from flexadmin.models import ApiToken
from flexadmin.users import api_tokens
from flexadmin.users.api_tokens import NewToken
from flows.audit.audit_log import Actor

PREFIX = "/api/v1/"


@dataclass
class ApiClient:
    """Sends requests with a token, and no cookies."""

    credentials: str
    token: ApiToken

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: dict[str, Any] | None = None,
        **headers: str,
    ) -> Any:
        """Send a request. The names of headers have underscores, as in `if_match`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        options: dict[str, Any] = {"query_params": query or {}}
        if body is not None:
            options |= {"data": json.dumps(body), "content_type": "application/json"}
        return Client().generic(
            method,
            PREFIX + path,
            options.pop("data", ""),
            headers={"authorization": f"Bearer {self.credentials}", **named},
            **options,
        )

    def get(self, path: str, **query: Any) -> Any:
        return self.send("GET", path, query=query)


@pytest.fixture
def api_client(person: Callable[..., User], actor: Actor) -> Callable[..., ApiClient]:
    """Function that returns a client with a new token of a role."""

    def make(
        role: str = "operator", *, scope: str = "write", account_sid: str = "", **limits: Any
    ) -> ApiClient:
        user = User.objects.filter(username=role).first() or person(role, "", account_sid)
        new = NewToken(scope=scope, days=30, name="Script", **limits)
        token, credentials = api_tokens.create_token(user, new, actor=actor)
        return ApiClient(credentials, token)

    return make
