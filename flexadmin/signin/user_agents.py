"""Names of browsers and systems from User-Agent headers, for the list of a user's sessions.

Anyone can send any header, so the names help to recognize a session and prove nothing.
"""

from __future__ import annotations

import re
from typing import Final

# The first pattern that is found gives the name: most browsers also name those that they imitate.
_BROWSERS: Final = (
    (re.compile(r"\bEdg(?:e|A|iOS)?/"), "Edge"),
    (re.compile(r"\b(?:OPR|Opera)/"), "Opera"),
    (re.compile(r"\bSamsungBrowser/"), "Samsung Internet"),
    (re.compile(r"\bVivaldi/"), "Vivaldi"),
    (re.compile(r"\b(?:Firefox|FxiOS)/"), "Firefox"),
    (re.compile(r"\b(?:Headless)?Chrome/|\bChromium/|\bCriOS/"), "Chrome"),
    (re.compile(r"\bVersion/.*\bSafari/"), "Safari"),
    (re.compile(r"^curl/"), "curl"),
)
_SYSTEMS: Final = (
    (re.compile(r"\biPad\b"), "iPad"),
    (re.compile(r"\biPhone\b"), "iPhone"),
    (re.compile(r"\bAndroid\b"), "Android"),
    (re.compile(r"\bCrOS\b"), "ChromeOS"),
    (re.compile(r"\bWindows\b"), "Windows"),
    (re.compile(r"\bMac OS X\b|\bMacintosh\b"), "macOS"),
    (re.compile(r"\bLinux\b"), "Linux"),
)


def describe_user_agent(header: str) -> str:
    """Return a text such as "Chrome on Linux", or the beginning of a header without known names."""
    browser, system = _find_name(_BROWSERS, header), _find_name(_SYSTEMS, header)
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or header[:60] or "Unknown browser"


def _find_name(patterns: tuple[tuple[re.Pattern[str], str], ...], header: str) -> str:
    return next((name for pattern, name in patterns if pattern.search(header)), "")
