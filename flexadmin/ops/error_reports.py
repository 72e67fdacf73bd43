"""Filter for Django's technical error page, which replaces ours under DEBUG.

The page shows the traceback and the types of the variables, but no values: they can hold secrets of
flows and the input of users.
"""

from __future__ import annotations

import re
from collections.abc import ItemsView
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter


class RedactingExceptionReporterFilter(SafeExceptionReporterFilter):
    """Hides the values of variables, forms and cookies, also under DEBUG."""

    hidden_settings = re.compile(
        SafeExceptionReporterFilter.hidden_settings.pattern + "|COOKIE|ACCOUNTS|DATABASES",
        flags=re.IGNORECASE,
    )

    def is_active(self, request: HttpRequest | None) -> bool:  # noqa: ARG002 - Django's signature
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return dict.fromkeys(request.POST if request else (), self.cleansed_substitute)

    def get_safe_cookies(self, request: HttpRequest) -> dict[str, Any]:
        return dict.fromkeys(request.COOKIES, self.cleansed_substitute)

    def get_traceback_frame_variables(
        self,
        request: HttpRequest | None,  # noqa: ARG002 - Django's signature
        tb_frame: FrameType,
    ) -> ItemsView[str, Any]:
        types = {name: f"a {type(value).__name__}" for name, value in tb_frame.f_locals.items()}
        return types.items()
