"""Forms that another page opens, by a link or by a form that carries values along."""

from __future__ import annotations

from django.http import HttpRequest


def is_opening(request: HttpRequest) -> bool:
    """Return True if the request only opens a form, so that nothing may be sent to Twilio.

    A link opens it, or another page's form whose button is named "begin".
    """
    return request.method == "GET" or "begin" in request.POST


def carried_value(request: HttpRequest, name: str) -> str:
    """Return a value from the URL, or from the form that opens this one."""
    return str(request.GET.get(name) or request.POST.get(name, ""))


def carried_initial(request: HttpRequest) -> dict[str, str]:
    """Return the reason that the user typed before this form was opened, as its initial value."""
    if "begin" not in request.POST:
        return {}
    reason = request.POST.get("reason", "").strip()
    return {"reason": reason} if reason else {}
