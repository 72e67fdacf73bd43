"""Names of browsers and systems, as the list of a user's sessions shows them."""

import pytest

from flexadmin.signin.user_agents import describe_user_agent

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/140.0 Safari/537.36", "Chrome on Linux"),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/140 Safari/537.36 Edg/140",
            "Edge on Windows",
        ),
        (
            f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/18.0 Safari/605.1.15",
            "Safari on macOS",
        ),
        (
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) {WEBKIT} Version/18.0 Mobile/15E Safari/604.1",
            "Safari on iPhone",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 15) {WEBKIT} SamsungBrowser/27.0 Chrome/125 Safari/537.36",
            "Samsung Internet on Android",
        ),
        ("Mozilla/5.0 (X11; CrOS x86_64 14541) Chrome/140 Safari/537.36", "Chrome on ChromeOS"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/140 Safari/537.36 OPR/115", "Opera on Windows"),
        ("curl/8.5.0", "curl"),
        ("Telephone", "Telephone"),
        ("x" * 300, "x" * 60),
        ("", "Unknown browser"),
    ],
)  # fmt: skip
def test_browser_and_system_are_named(header, expected):
    assert describe_user_agent(header) == expected
