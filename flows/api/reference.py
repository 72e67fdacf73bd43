"""The OpenAPI document, and the page that shows it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from flows.api.site_api import openapi_document


@require_GET
def openapi_json(_request: HttpRequest) -> JsonResponse:
    """Return the OpenAPI document. It says nothing about the site's data, so it needs no token."""
    return JsonResponse(openapi_document())


@require_GET
def show_reference(request: HttpRequest) -> HttpResponse:
    """Show every call with its parameters, its body and its responses."""
    document = openapi_document()
    calls = [
        _describe_call(document, method, path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    groups: dict[str, list[dict[str, Any]]] = {}
    for call in calls:
        groups.setdefault(call["group"], []).append(call)
    return render(request, "api/reference.html", {"groups": groups})


def _describe_call(
    document: dict[str, Any], method: str, path: str, operation: dict[str, Any]
) -> dict[str, Any]:
    """Return a call as the page shows it."""
    parameters = [
        {
            "name": each["name"],
            "place": each["in"],
            "is_required": each["required"],
            "description": each.get("description", ""),
        }
        for each in operation["parameters"]
    ]
    return {
        "id": operation["operationId"],
        "group": operation["tags"][0],
        "method": method.upper(),
        "path": path,
        "summary": operation["summary"],
        "description": operation.get("description", ""),
        "parameters": [*parameters, *_body_fields(document, operation)],
        "statuses": ", ".join(map(str, sorted(operation["responses"]))),
    }


def _body_fields(document: dict[str, Any], operation: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the fields of a call's body, if it has one."""
    body = operation.get("requestBody")
    if body is None:
        return []
    schema = body["content"]["application/json"]["schema"]
    references = [schema, *schema.get("anyOf", ())]
    name = next(each["$ref"] for each in references if "$ref" in each).rsplit("/", 1)[-1]
    definition = document["components"]["schemas"][name]
    return [
        {
            "name": field_name,
            "place": "body",
            "is_required": field_name in definition.get("required", ()),
            "description": field.get("description", ""),
        }
        for field_name, field in definition["properties"].items()
    ]
