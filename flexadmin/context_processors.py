"""What every page's frame shows: the account, whether the other end is Twilio or the sandbox, the role, and how many
flows were changed elsewhere."""

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import Error
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from flexadmin.roles import role_of
from flows.models import OpenDrift

T = TypeVar("T")


def site(request: HttpRequest) -> dict[str, object]:
    host = urlsplit(settings.FLEX_API_URL).hostname or ""
    user = getattr(request, "user", None)
    return {
        "account_sid": settings.TWILIO_ACCOUNT_SID,
        "api_host": host,
        "is_twilio": host == "twilio.com" or host.endswith(".twilio.com"),
        "drift_count": SimpleLazyObject(lambda: _looked_up(_drift_count, 0)),
        "role": SimpleLazyObject(lambda: _looked_up(lambda: role_of(user), "") if user else ""),
    }


def _looked_up(look: Callable[[], T], otherwise: T) -> T:
    """The page that tells of the database's trouble has this frame too."""
    try:
        return look()
    except Error:
        return otherwise


def _drift_count() -> int:
    return OpenDrift.objects.values("target_sid").distinct().count()
