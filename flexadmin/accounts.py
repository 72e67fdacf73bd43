"""Reads the Twilio accounts out of the environment. One account has the plain names (`TWILIO_ACCOUNT_SID` …); several
are named in `TWILIO_ACCOUNTS`, and each variable then ends in the account's name: `TWILIO_ACCOUNT_SID__STAGING`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from flows.accounts import COLOURS, Account
from flows.flexapi import schema

Required = Callable[[str, str], str]


def accounts_from(env: Any, required: Required) -> tuple[Account, ...]:
    """The accounts of the site. What is missing, wrong or there twice raises `ImproperlyConfigured` with a hint."""
    names = [name.strip() for name in env.list("TWILIO_ACCOUNTS", default=[]) if name.strip()]
    for name in names:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,19}", name):
            raise ImproperlyConfigured(
                f"TWILIO_ACCOUNTS: {name!r} is not an account's name: up to 20 letters, digits and dashes."
            )
    found = tuple(_account(env, required, name, place) for place, name in enumerate(names or [""]))
    for what in ("name", "sid"):
        if len({getattr(account, what).lower() for account in found}) < len(found):
            raise ImproperlyConfigured(f"TWILIO_ACCOUNTS: two accounts have the same {what}.")
    return found


def _account(env: Any, required: Required, name: str, place: int) -> Account:
    def called(variable: str) -> str:
        return f"{variable}__{name.upper().replace('-', '_')}" if name else variable

    sid = required(called("TWILIO_ACCOUNT_SID"), "It starts with AC and is shown on the Console's home page.")
    if not schema.is_sid("AC", sid):
        raise ImproperlyConfigured(
            f"{called('TWILIO_ACCOUNT_SID')} is not an account's SID: AC and 32 characters from 0-9 and a-f."
        )
    is_production = name.lower().startswith("prod")
    colour = env.str(called("TWILIO_COLOUR"), default=_colour(place, is_production=is_production))
    if name and colour not in COLOURS:
        raise ImproperlyConfigured(f"{called('TWILIO_COLOUR')} is not one of {', '.join(COLOURS)}.")
    return Account(
        sid=sid,
        auth=_auth(env, called, sid),
        name=name,
        colour=colour if name else "",
        is_production=env.bool(called("TWILIO_PRODUCTION"), default=is_production),
        is_read_only=env.bool("READ_ONLY", default=False)
        or bool(name and env.bool(called("READ_ONLY"), default=False)),
        api_url=env.str(called("FLEX_API_URL"), default="").rstrip("/") if name else "",
    )


def _auth(env: Any, called: Callable[[str], str], sid: str) -> tuple[str, str]:
    """The API key is preferred; the auth token serves where there is none."""
    key, secret, token = (
        env.str(called(name), default="")
        for name in ("TWILIO_API_KEY", "TWILIO_API_SECRET", "TWILIO_AUTH_TOKEN")
    )
    if bool(key) != bool(secret):
        raise ImproperlyConfigured(
            f"{called('TWILIO_API_KEY')} and {called('TWILIO_API_SECRET')} go together: one of them is not set."
        )
    if not key and not token:
        raise ImproperlyConfigured(
            f"No Twilio credentials. Set {called('TWILIO_API_KEY')} and {called('TWILIO_API_SECRET')} (an API key: "
            f"best), or {called('TWILIO_AUTH_TOKEN')}, in the environment or in .env; .env.example lists all."
        )
    if key and not schema.is_sid("SK", key):
        raise ImproperlyConfigured(
            f"{called('TWILIO_API_KEY')} is not an API key's SID: SK and 32 characters from 0-9 and a-f."
        )
    return (key, secret) if key else (sid, token)


def _colour(place: int, *, is_production: bool) -> str:
    """Red says production, whatever its place."""
    others = [colour for colour in COLOURS if colour != "red"]
    return "red" if is_production else others[(place + 2) % len(others)]
