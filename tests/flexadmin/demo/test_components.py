"""The components page, which exists under DEBUG only and uses the templates of the pages."""

import importlib

import pytest
from django.urls import clear_url_caches

import flexadmin.urls

pytestmark = pytest.mark.django_db

EXPECTED_TEMPLATES = {
    "_chips.html",
    "_dialog.html",
    "_empty.html",
    "_errors.html",
    "_event.html",
    "_messages.html",
    "_pagination.html",
    "_problem.html",
    "_result.html",
    "_sid.html",
    "_status.html",
    "_toast.html",
    "audit/_compare.html",
    "flows/_conflict.html",
    "flows/_copy.html",
    "flows/_plan.html",
    "flows/_results.html",
    "flows/_route.html",
    "flows/_switch.html",
    "forms/field.html",
}


@pytest.fixture
def load_urls(settings):
    """Return a function that reloads the URLs for a value of DEBUG. They are restored afterwards."""

    def load(*, debug):
        settings.DEBUG = debug
        importlib.reload(flexadmin.urls)
        clear_url_caches()

    yield load
    load(debug=False)


def test_components_use_the_templates_of_the_pages(client_of, load_urls):
    load_urls(debug=True)

    page = client_of("admin").get("/components/")

    assert page.status_code == 200
    assert {template.name for template in page.templates} >= EXPECTED_TEMPLATES


def test_components_have_no_url_without_debug(client_of, load_urls):
    load_urls(debug=False)

    assert client_of("admin").get("/components/").status_code == 404
    assert "components" not in {
        getattr(entry, "name", None) for entry in flexadmin.urls.urlpatterns
    }
