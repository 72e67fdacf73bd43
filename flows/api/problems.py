"""Errors as `application/problem+json` (RFC 9457).

`code` is a word for programs, such as "conflict". `errors` has the messages by field or parameter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied
from django.core.exceptions import ValidationError as FormError
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from flows.api.authentication import InvalidToken, TooManyInvalidTokens
from flows.api.rate_limits import RateLimited
from flows.audit.audit_log import NotRecorded, ReservedId
from flows.core.forms import ReasonField
from flows.redaction.masking import redact
from flows.twilio.errors import FlexError
from flows.twilio.pickling import PicklableError

CONTENT_TYPE: Final = "application/problem+json"
API_PREFIX: Final = "/api/v1/"
RETRY_SECONDS: Final = 10  # until a client tries again what couldn't be recorded
NO_NAMES: Final[Mapping[str, str]] = {}
Headers = Mapping[str, str]


class Problem(PicklableError):
    """The response to a request that can't be answered. It has a status, and sentences for users."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        code: str,
        title: str = "",
        errors: Mapping[str, list[str]] | None = None,
        headers: Headers | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.headers = status, dict(headers or {})
        self.body: dict[str, Any] = {
            "type": "about:blank",
            "title": title or HTTPStatus(status).phrase,
            "status": status,
            "code": code,
            "detail": detail,
            **members,
        }
        if errors:
            self.body["errors"] = dict(errors)

    def to_response(self) -> HttpResponse:
        content = json.dumps(self.body, ensure_ascii=False, default=str)
        return HttpResponse(
            content, status=self.status, content_type=CONTENT_TYPE, headers=self.headers
        )


def is_api_request(request: HttpRequest) -> bool:
    """Return True if a request is one of the API, which gets no HTML."""
    return request.path.startswith(API_PREFIX)


def invalid(errors: Mapping[str, list[str]], detail: str = "", **members: Any) -> Problem:
    """Return the problem of invalid fields or parameters."""
    text = detail or "Some values are invalid. Nothing was changed."
    return Problem(422, text, code="invalid", errors=errors, **members)


def clean_form(
    form: Form, *, names: Mapping[str, str] = NO_NAMES, **members: Any
) -> dict[str, Any]:
    """Return the values of a page's form that a call fills in. Raise `Problem`.

    Its messages by field are the same as on the page. `names` are the names that the call has for
    fields of the form, and `members` further members of the problem.
    """
    if form.is_valid():
        return form.cleaned_data
    names = {NON_FIELD_ERRORS: "body", **names}
    errors = {
        names.get(name, name): [str(each) for each in messages]
        for name, messages in form.errors.items()
    }
    raise invalid(errors, **members)


def clean_reason(reason: str) -> str:
    """Return a reason as forms clean it. Raise `Problem`."""
    try:
        return str(ReasonField(label="Reason").clean(reason))
    except FormError as error:
        raise invalid({"reason": list(error.messages)}) from None


def check_version(etag: str, if_match: str) -> None:
    """Raise `Problem` unless the client has seen this version of what it changes."""
    if not if_match or if_match.strip() == "*":
        detail = "Send the ETag as you read it in the header If-Match."
        raise Problem(428, detail, code="version_required", headers={"ETag": etag})
    if etag not in {each.strip() for each in if_match.split(",")}:
        detail = "It has changed since you read it. Read it again. Nothing was sent."
        raise Problem(412, detail, code="stale", headers={"ETag": etag})


def register_handlers(api: NinjaAPI) -> None:
    """Let the API answer each of its errors as a problem."""
    handlers: dict[type[Exception], Any] = {
        Problem: lambda _request, problem: problem.to_response(),
        InvalidToken: _explain_invalid_token,
        TooManyInvalidTokens: _explain_too_many,
        RateLimited: _explain_rate_limit,
        PermissionDenied: _explain_denial,
        Http404: _explain_missing,
        NotRecorded: _explain_not_recorded,
        ValidationError: _explain_invalid_values,
        HttpError: _explain_http_error,
    }
    for error_type, handler in handlers.items():
        api.add_exception_handler(error_type, handler)


def _explain_invalid_token(_request: HttpRequest, error: InvalidToken) -> HttpResponse:
    headers = {"WWW-Authenticate": 'Bearer realm="api", error="invalid_token"'}
    return Problem(401, str(error), code="unauthorized", headers=headers).to_response()


def _explain_too_many(_request: HttpRequest, error: TooManyInvalidTokens) -> HttpResponse:
    detail = "Too many invalid tokens came from this address."
    return _retry_later(429, detail, code="too_many_invalid_tokens", seconds=error.seconds)


def _explain_rate_limit(_request: HttpRequest, error: RateLimited) -> HttpResponse:
    detail = f"This token allows {error.limit} requests per minute."
    return _retry_later(429, detail, code="rate_limited", seconds=error.seconds)


def _explain_denial(_request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    detail = str(error) or "The token or its user lacks the permission."
    return Problem(403, detail, code="forbidden").to_response()


def _explain_missing(_request: HttpRequest, error: Http404) -> HttpResponse:
    return Problem(404, str(error) or "Not found.", code="not_found").to_response()


def _explain_not_recorded(_request: HttpRequest, error: NotRecorded) -> HttpResponse:
    return not_recorded(error).to_response()


def unreadable_at_twilio(error: FlexError) -> Problem:
    """Return the problem of a read that a call needs and that failed."""
    return Problem(502, f"Couldn't read from Twilio: {error}.", code="unreadable")


def key_reused() -> Problem:
    """Return the problem of an Idempotency-Key that is the id of another change."""
    detail = "This Idempotency-Key belongs to another change. Nothing was sent."
    return Problem(422, detail, code="key_reused")


def not_recorded(failure: NotRecorded | None = None) -> Problem:
    """Return the problem of an audit log that can't be written, or that refuses a planned id."""
    if isinstance(failure, ReservedId):
        return key_reused()
    return Problem(
        503,
        "Couldn't write to the audit log, so nothing was sent. Try again later.",
        code="not_recorded",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


def _explain_invalid_values(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors: dict[str, list[str]] = {}
    for each in error.errors:
        # ("body", "values", "friendly_name"): the source, the parameter of our function, the field
        location = [str(part) for part in each["loc"][1:]]
        name = location[-1] if location else str(each["loc"][0])
        errors.setdefault(name, []).append(redact(str(each["msg"]))[:200])
    return invalid(errors).to_response()


def _explain_http_error(_request: HttpRequest, error: HttpError) -> HttpResponse:
    code = "invalid_json" if error.status_code == HTTPStatus.BAD_REQUEST else "error"
    detail = "The body is not valid JSON." if code == "invalid_json" else error.message
    return Problem(error.status_code, detail, code=code).to_response()


def _retry_later(status: int, detail: str, *, code: str, seconds: int) -> HttpResponse:
    text = f"{detail} Try again in {seconds} s."
    return Problem(status, text, code=code, headers={"Retry-After": str(seconds)}).to_response()
