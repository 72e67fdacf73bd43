"""The client of the account that this site runs, from the settings."""

from __future__ import annotations

from django.conf import settings

from flows.flexapi.client import FlexClient

READ_DEADLINE = 4.0  # seconds a page waits for Twilio before it shows the copy
WRITE_DEADLINE = 15.0


def flex_client(*, deadline: float = WRITE_DEADLINE) -> FlexClient:
    """A new client. The API key is preferred; the auth token serves where there is none."""
    auth = (
        (settings.TWILIO_API_KEY, settings.TWILIO_API_SECRET)
        if settings.TWILIO_API_KEY
        else (settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN)
    )
    return FlexClient(
        base_url=settings.FLEX_API_URL,
        account_sid=settings.TWILIO_ACCOUNT_SID,
        auth=auth,
        deadline=deadline,
        rate_limits=settings.FLEX_RATE_LIMITS,
    )
