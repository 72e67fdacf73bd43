"""What every page's frame shows: the account, whether the other end is Twilio or the sandbox, and the role."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from flexadmin.roles import role_of


def site(request: HttpRequest) -> dict[str, object]:
    host = urlsplit(settings.FLEX_API_URL).hostname or ""
    user = getattr(request, "user", None)
    return {
        "account_sid": settings.TWILIO_ACCOUNT_SID,
        "api_host": host,
        "is_twilio": host == "twilio.com" or host.endswith(".twilio.com"),
        "role": SimpleLazyObject(lambda: role_of(user) if user else ""),
    }
