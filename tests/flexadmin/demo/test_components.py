"""The page of components: there under DEBUG, drawn by the pages' own templates, and nowhere else."""

import importlib

import pytest
from django.urls import clear_url_caches

import flexadmin.urls

pytestmark = pytest.mark.django_db

DRAWN = {
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
def addresses(settings):
    """Reads the site's addresses anew under another DEBUG, and as they were when the test is over."""

    def read(*, debug):
        settings.DEBUG = debug
        importlib.reload(flexadmin.urls)
        clear_url_caches()

    yield read
    read(debug=False)


def test_components_are_drawn_by_the_templates_of_the_pages(client_of, addresses):
    addresses(debug=True)

    page = client_of("admin").get("/components/")

    assert page.status_code == 200
    assert {template.name for template in page.templates} >= DRAWN


def test_components_have_no_address_without_debug(client_of, addresses):
    addresses(debug=False)

    assert client_of("admin").get("/components/").status_code == 404
    assert "components" not in {
        getattr(entry, "name", None) for entry in flexadmin.urls.urlpatterns
    }
