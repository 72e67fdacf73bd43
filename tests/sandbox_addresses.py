"""The settings that make a site use a sandbox for every Twilio API, also in another process."""

from __future__ import annotations

from flows.twilio.sandbox.server import API_ROOT


def sandbox_addresses(flex_api_url: str) -> dict[str, str]:
    """Return the settings, or variables, for the sandbox with this Flex API.

    Without the second, a sync would look for names at an address where nobody answers, and wait.
    """
    return {
        "FLEX_API_URL": flex_api_url,
        "TWILIO_API_URL": f"{flex_api_url.removesuffix(API_ROOT)}/{{product}}",
    }
