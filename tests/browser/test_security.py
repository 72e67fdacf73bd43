"""Tests of the browser fixture: it detects content policy violations and stored items."""

import pytest

from tests.browser.conftest import _find_stored_items

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    "inline",
    ["<script>document.title = 'ran'</script>", '<p style="color: red">', "<img src=/x onerror=\"document.title = 'ran'\">",
     '<img src="https://elsewhere.example/x.png">', '<base href="https://elsewhere.example/">'],
)  # fmt: skip
@pytest.mark.parametrize("javascript", [True, False], ids=["js", "no-js"])
def test_break_of_the_content_policy_is_seen_and_stopped(open_page, flow_sid, inline, javascript):
    if not javascript and "document.title" in inline:
        pytest.skip("without JavaScript there is nothing to stop")
    page = open_page("viewer", javascript=javascript)
    open_page.expected.append("Content Security Policy")

    def with_inline(route):
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("<main", inline + "<main", 1))

    page.route("**/audit/", with_inline)
    page.goto("/audit/")

    broken = [text for text in open_page.complaints if "Content Security Policy" in text]
    assert broken
    assert page.title() != "ran"


@pytest.mark.quick
def test_what_a_page_keeps_in_the_browser_is_seen(open_page, flow_sid):
    page = open_page("viewer")
    assert _find_stored_items(page) == []

    page.evaluate("localStorage.setItem('a', 'x'); caches.open('c')")
    page.evaluate(
        "new Promise((done) => { indexedDB.open('d').onsuccess = ({target}) => { target.result.close(); done(); }; })"
    )

    assert len(_find_stored_items(page)) == 3
    page.evaluate("localStorage.clear(); caches.delete('c')")
    page.evaluate("new Promise((done) => { indexedDB.deleteDatabase('d').onsuccess = done; })")
