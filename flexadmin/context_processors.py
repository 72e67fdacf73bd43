"""What every page's frame shows: the account, and whether the other end is Twilio or the sandbox."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest


def site(_request: HttpRequest) -> dict[str, object]:
    host = urlsplit(settings.FLEX_API_URL).hostname or ""
    return {
        "account_sid": settings.TWILIO_ACCOUNT_SID,
        "api_host": host,
        "is_twilio": host.endswith("twilio.com"),
    }
