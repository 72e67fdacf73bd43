"""The exact request that would create a flow's address: what is sent, and the same as curl.

The flow is the mirror's, so a secret in its webhook's URL is masked. curl has a variable instead.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flows.flex_flows.snippets import CREDENTIALS
from flows.migration.address_values import address_values
from flows.redaction.masking import has_mask
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION

DEPLOYMENT_KEY: Final = "DEPLOYMENT_KEY"  # stands for the address of a web chat
KEY_VARIABLES: Final = ("TWILIO_API_KEY", "TWILIO_API_SECRET")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A form parameter. `variable` is the name that stands for a value that isn't known, or ""."""

    name: str
    value: str
    variable: str = ""

    @property
    def group(self) -> str:
        """The part of the name up to its dot, with it, such as "AutoCreation.", or ""."""
        return self.name[: -len(self.own_name)]

    @property
    def own_name(self) -> str:
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class CreationRequest:
    """The request that creates an address."""

    url: str
    parameters: tuple[Parameter, ...]
    method: str = "POST"

    @property
    def variables(self) -> list[str]:
        """The variables that curl needs."""
        return [*KEY_VARIABLES, *(each.variable for each in self.parameters if each.variable)]

    @property
    def curl(self) -> str:
        lines = [f"curl --request {self.method} {shlex.quote(self.url)}", f"--user {CREDENTIALS}"]
        lines += [f"--data-urlencode {_shell_argument(each)}" for each in self.parameters]
        return " \\\n  ".join(lines)


def build_request(flow: Mapping[str, Any], *, api_url: str) -> CreationRequest | None:
    """Return the request for a flow's snapshot, or None for a flow that no address can replace.

    `api_url` is the root of the Conversations API.
    """
    try:
        values = address_values(flow, deployment_key=DEPLOYMENT_KEY)
    except ValueError:
        return None
    parameters: list[Parameter] = []
    for name, value in values.items():
        for wire_name, texts in ADDRESS_CONFIGURATION.to_parameters({name: value}).items():
            variable = _variable_of(name, value)
            all_texts = [texts] if isinstance(texts, str) else texts
            parameters += (Parameter(wire_name, text, variable) for text in all_texts)
    return CreationRequest(f"{api_url}/{ADDRESS_CONFIGURATION.path}", tuple(parameters))


def _variable_of(name: str, value: object) -> str:
    if name == "address" and value == DEPLOYMENT_KEY:
        return DEPLOYMENT_KEY
    return name.upper() if has_mask(value) else ""


def _shell_argument(parameter: Parameter) -> str:
    """Return a quoted argument for the shell. An unknown value is a variable in double quotes."""
    if parameter.variable:
        return f'"{parameter.name}=${parameter.variable}"'
    return shlex.quote(f"{parameter.name}={parameter.value}")
