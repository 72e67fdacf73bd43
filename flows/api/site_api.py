"""The API with all of its calls, and its OpenAPI document."""

from __future__ import annotations

import functools
from typing import Any, Final

from ninja import NinjaAPI
from ninja.operation import Operation

from flows.api.authentication import BearerToken
from flows.api.calls import (
    audit_events,
    bulk_changes,
    bulk_drafts,  # noqa: F401 - adds its call to the router of the bulk changes
    change_policies,
    change_requests,
    changes,
    copies,
    external_changes,
    findings,
    flow_details,
    flow_reads,
    flow_writes,  # noqa: F401 - adds its calls to the router of the reads
    history,
    migrations,
    notifications,
    read_only,
    resource_reads,
    resource_writes,  # noqa: F401 - adds its calls to the router of the reads
    routing,
    schedules,
    site_reads,
    syncs,
    webhook_tests,
)
from flows.api.parameters import refuse_unknown_parameters
from flows.api.problems import API_PREFIX, register_handlers

DESCRIPTION: Final = (
    "Flex Flows, their changes, and the audit log of this dashboard. Each call needs a token, "
    "which you create in your account settings. Errors are problems (RFC 9457) with a `code`, "
    "and `errors` by field."
)


class SiteApi(NinjaAPI):
    """The API. A call's id in the OpenAPI document is its function's name."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__


api: Final = SiteApi(
    title="Flex Flow Dashboard",
    version="1",
    description=DESCRIPTION,
    openapi_url=None,
    docs_url=None,
    urls_namespace="api",
    auth=BearerToken(),
)
_ROUTERS: Final = (
    flow_reads.router,
    flow_details.router,
    webhook_tests.router,
    changes.router,
    site_reads.router,
    findings.router,
    external_changes.router,
    bulk_changes.router,
    copies.router,
    change_requests.router,
    change_policies.router,
    schedules.router,
    routing.router,
    history.router,
    syncs.router,
    read_only.router,
    migrations.router,
    resource_reads.router,
    notifications.router,
    audit_events.router,
)


@functools.cache
def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document. Problems have their own content type in it."""
    document: dict[str, Any] = dict(
        api.get_openapi_schema(path_prefix=API_PREFIX.removeprefix("/"))
    )
    for operations in document["paths"].values():
        for operation in operations.values():
            _name_problems(operation["responses"])
    return document


def _name_problems(responses: dict[int, Any]) -> None:
    """Give the responses of problems the content type that they have."""
    for status, response in responses.items():
        content = response.get("content")
        if content and int(status) >= 400:
            response["content"] = {"application/problem+json": content["application/json"]}


api.add_decorator(refuse_unknown_parameters(openapi_document), mode="operation")
for _router in _ROUTERS:
    api.add_router("", _router)
register_handlers(api)
