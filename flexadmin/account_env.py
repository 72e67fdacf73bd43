"""The Twilio accounts as the environment configures them, and the private networks that may be reached.

A single account has the plain variables, such as `TWILIO_ACCOUNT_SID`. Several accounts are named
in `TWILIO_ACCOUNTS`, and each variable ends in the account's name: `TWILIO_ACCOUNT_SID__STAGING`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from flows.accounts.twilio_accounts import COLOURS, Account
from flows.outbound_http.addresses import IPNetwork, parse_networks
from flows.twilio.description import INSIGHTS_HEADER, PLUGIN_HEADER, PRODUCT_PLACEHOLDER
from flows.twilio.sids import is_sid

RequireSetting = Callable[[str, str], str]


def read_accounts(env: Any, required: RequireSetting) -> tuple[Account, ...]:
    """Return the accounts of the site.

    Raises `ImproperlyConfigured` with a hint if a value is missing, invalid or used twice.
    """
    names = _read_names(env) or [""]
    accounts = tuple(
        _AccountReader(env, required, name).read(position) for position, name in enumerate(names)
    )
    _refuse_equal("name", [account.name for account in accounts])
    _refuse_equal("sid", [account.sid for account in accounts])
    return accounts


def check_twilio_api_url(variable: str, url: str) -> str:
    """Return the URL, or raise `ImproperlyConfigured` if all products would have the same one."""
    if PRODUCT_PLACEHOLDER not in url:
        raise ImproperlyConfigured(
            f"{variable} needs {PRODUCT_PLACEHOLDER} in place of the product's name, such as "
            f"https://{PRODUCT_PLACEHOLDER}.twilio.com."
        )
    return url.rstrip("/")


def parse_allowed_networks(variable: str, entries: list[str]) -> tuple[IPNetwork, ...]:
    """Return the networks that posts to URLs of users may reach though they are not public."""
    try:
        return parse_networks(entries)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{variable}: {error}. Write networks such as 10.1.0.0/16, separated by commas."
        ) from None


def _read_names(env: Any) -> list[str]:
    entries = map(str.strip, env.list("TWILIO_ACCOUNTS", default=[]))
    names = list(filter(None, entries))
    for name in names:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,19}", name):
            raise ImproperlyConfigured(
                f"TWILIO_ACCOUNTS: {name!r} is not an account's name: up to 20 letters, digits and "
                "dashes."
            )
    return names


def _refuse_equal(attribute: str, values: list[str]) -> None:
    if len(set(map(str.lower, values))) < len(values):
        raise ImproperlyConfigured(f"TWILIO_ACCOUNTS: two accounts have the same {attribute}.")


class _AccountReader:
    """Reads the variables of one account. The name is "" if the site has only one account."""

    def __init__(self, env: Any, required: RequireSetting, name: str) -> None:
        self.env = env
        self.required = required
        self.name = name

    def read(self, position: int) -> Account:
        sid = self._read_sid()
        is_production = self.name.lower().startswith("prod")
        default_colour = _default_colour(position, is_production=is_production)
        colour = self._read_colour(default_colour)
        api_url = self._read_api_url()
        return Account(
            sid=sid,
            auth=self._read_credentials(sid),
            name=self.name,
            colour=colour,
            is_production=self.env.bool(self._variable("TWILIO_PRODUCTION"), default=is_production),
            is_read_only=self._is_read_only(),
            api_url=api_url,
            twilio_api_url=self._read_twilio_api_url(),
            auth_token=self.env.str(self._variable("TWILIO_AUTH_TOKEN"), default=""),
            headers=self._read_headers(),
        )

    def _variable(self, name: str) -> str:
        """Return the name of this account's variable."""
        return f"{name}__{self.name.upper().replace('-', '_')}" if self.name else name

    def _read_sid(self) -> str:
        variable = self._variable("TWILIO_ACCOUNT_SID")
        sid = self.required(variable, "It starts with AC and is shown on the Console's home page.")
        if not is_sid("AC", sid):
            raise ImproperlyConfigured(
                f"{variable} is not an account's SID: AC and 32 characters from 0-9 and a-f."
            )
        return sid

    def _read_colour(self, default: str) -> str:
        """Return the account's colour, or "" if the site has only one account."""
        variable = self._variable("TWILIO_COLOUR")
        colour: str = self.env.str(variable, default=default)
        if not self.name:
            return ""
        if colour not in COLOURS:
            raise ImproperlyConfigured(f"{variable} is not one of {', '.join(COLOURS)}.")
        return colour

    def _read_api_url(self) -> str:
        """Return the account's own API, or "" for the site's."""
        api_url: str = self.env.str(self._variable("FLEX_API_URL"), default="")
        return api_url.rstrip("/") if self.name else ""

    def _read_twilio_api_url(self) -> str:
        """Return the account's own address of Twilio's other APIs, or "" for the site's."""
        variable = self._variable("TWILIO_API_URL")
        url: str = self.env.str(variable, default="")
        return check_twilio_api_url(variable, url) if self.name and url else ""

    def _read_headers(self) -> dict[str, str]:
        """Return the values of the headers that only some resources take, without empty ones."""
        variables = {
            PLUGIN_HEADER: self._variable("TWILIO_FLEX_METADATA"),
            INSIGHTS_HEADER: self._variable("TWILIO_INSIGHTS_AUTHORIZATION"),
        }
        headers = {header: self._read_header(variable) for header, variable in variables.items()}
        return {header: value for header, value in headers.items() if value}

    def _read_header(self, variable: str) -> str:
        value: str = self.env.str(variable, default="")
        if not value.isprintable() or value != value.strip():
            raise ImproperlyConfigured(
                f"{variable} can't be sent in a header: it has a line break, another control "
                "character, or white space at an end."
            )
        return value

    def _is_read_only(self) -> bool:
        """Return True if READ_ONLY is set for the whole site or for this account."""
        is_site_read_only: bool = self.env.bool("READ_ONLY", default=False)
        if is_site_read_only or not self.name:
            return is_site_read_only
        return bool(self.env.bool(self._variable("READ_ONLY"), default=False))

    def _read_credentials(self, account_sid: str) -> tuple[str, str]:
        """Return user name and password: those of the API key, or else SID and auth token."""
        key_variable = self._variable("TWILIO_API_KEY")
        secret_variable = self._variable("TWILIO_API_SECRET")
        token_variable = self._variable("TWILIO_AUTH_TOKEN")
        key = self.env.str(key_variable, default="")
        secret = self.env.str(secret_variable, default="")
        token = self.env.str(token_variable, default="")
        if bool(key) != bool(secret):
            raise ImproperlyConfigured(
                f"{key_variable} and {secret_variable} go together: one of them is not set."
            )
        if not key and not token:
            raise ImproperlyConfigured(
                f"No Twilio credentials. Set {key_variable} and {secret_variable} (an API key: "
                f"best), or {token_variable}, in the environment or in .env; .env.example lists "
                "all."
            )
        if not key:
            return account_sid, token
        if not is_sid("SK", key):
            raise ImproperlyConfigured(
                f"{key_variable} is not an API key's SID: SK and 32 characters from 0-9 and a-f."
            )
        return key, secret


def _default_colour(position: int, *, is_production: bool) -> str:
    """Return red for production, and another colour by position for the other accounts."""
    if is_production:
        return "red"
    colours = [colour for colour in COLOURS if colour != "red"]
    return colours[(position + 2) % len(colours)]
