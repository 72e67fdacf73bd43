"""The OpenAPI document is true: made-up requests get the answers that it describes.

`API_EXAMPLES` is the number of requests for each call: few in the suite, more by command.
"""

from __future__ import annotations

import json
import os

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client
from hypothesis import HealthCheck, settings

from flows.api.site_api import openapi_document

EXAMPLES = int(os.environ.get("API_EXAMPLES", "5"))
# A flow's fields depend on each other, which no schema says: valid ones can be refused with 422.
# A deletion proves itself in test_flow_writes.py, with the ETag that made-up requests lack.
LEFT_OUT = ("positive_data_acceptance", "use_after_free", "ensure_resource_availability")
schema = schemathesis.openapi.from_dict(json.loads(json.dumps(openapi_document())))
schema.app = WSGIHandler()
# Each limit of each parameter, one by one: a hundred requests for each call.
schema.config.phases.coverage.enabled = EXAMPLES > 10


@pytest.mark.django_db(transaction=True)
@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES <= 10,
    suppress_health_check=list(HealthCheck),
)
def test_calls_answer_as_the_document_says(case, flow_sid, credentials):
    excluded = [schemathesis.checks.CHECKS.get_one(name) for name in LEFT_OUT]

    case.call_and_validate(
        base_url="http://testserver",
        # Without gzip, which the test's WSGI client doesn't decode.
        headers={"Authorization": f"Bearer {credentials}", "Accept-Encoding": "identity"},
        excluded_checks=excluded,
    )


@pytest.fixture
def credentials(api_client, settings):
    settings.API_RATE_LIMIT = 1_000_000
    return api_client("admin").credentials


def test_document_is_public_and_of_version_3_1():
    response = Client().get("/api/v1/openapi.json")

    assert response.status_code == 200
    assert response.json()["openapi"] == "3.1.0"
    assert response.json() == json.loads(json.dumps(openapi_document()))


@pytest.mark.django_db
def test_page_lists_every_call(client_of):
    page = client_of("viewer").get("/api/").content.decode()

    for path, operations in openapi_document()["paths"].items():
        for method in operations:
            assert f"{method.upper()} {path}" in page
