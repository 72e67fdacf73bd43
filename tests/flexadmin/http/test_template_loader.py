"""Pages are sent without the indentation of their templates."""

import pytest
from django.template import Context, Engine, engines


@pytest.fixture
def engine(tmp_path):
    (tmp_path / "page.html").write_text("<p>\n  {{ value }}\n    <b>end</b>\n</p>\n")
    return Engine(dirs=[str(tmp_path)], loaders=["flexadmin.http.template_loader.Loader"])


def test_only_the_indentation_of_a_template_is_left_out(engine):
    html = engine.get_template("page.html").render(Context({"value": "first\n  second"}))

    assert html == "<p>\nfirst\n  second\n<b>end</b>\n</p>\n"


def test_site_loads_its_templates_so():
    source = engines["django"].engine.get_template("base.html").source

    assert "<main" in source
    assert "\n " not in source
