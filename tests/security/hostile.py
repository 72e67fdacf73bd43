"""Hostile values, as they may come from the API, an address or a form."""

from __future__ import annotations

from typing import Any

from flows.twilio.flex.flex_flow import FLEX_FLOW

MARKER = "zzq7"  # part of every hostile value, so that it is recognised in any output
HOSTILE_VALUES: dict[str, str] = {
    "markup": f"<script>window.{MARKER}=1</script><img src=x-{MARKER} onerror=window.{MARKER}=1><{MARKER}-el>",
    "closing": f"</textarea></title></script></style></pre>--><svg/onload=window.{MARKER}=1>",
    "attribute": f"\" onfocus=window.{MARKER}=1 autofocus injected='{MARKER}' ' onclick=window.{MARKER}=1 `",
    "htmx": f'" hx-get="/{MARKER}/" hx-trigger="load" hx-on::load="window.{MARKER}=1" data-hx-on:click="window.{MARKER}=1',
    "template": f"{{{{ settings.SECRET_KEY }}}}{{% include '{MARKER}' %}}${{7*7}}#{{7*7}}%(x)s{{0}}",
    "javascript": f"javascript:window.{MARKER}=1//",
    "javascript in disguise": f" \tJaVa\nScript&colon;window.{MARKER}=1",
    "data": f"data:text/html,<script>window.{MARKER}=1</script>",
    "address": f"https://{MARKER}.example/<script>?a=\"onload='{MARKER}",
    "bidi": f"{MARKER}\u202e gnp.exe\u2066\u2069\u200ba\u200db\u2060\ufeff\u00ad",
    "nul": f"{MARKER}\x00\x01\x1b[31m\x7f\x85\u2028\u2029",
    "surrogates": f"{MARKER}\ud800 \udfff\ud83d",
    "newlines": f"{MARKER}\r\nSet-Cookie: {MARKER}=1\r\n\r\n<b>",
    "formula": f'=HYPERLINK("https://{MARKER}.example/","x")',
    "other formula": f"\u200b @SUM(1+1)*cmd|' /C {MARKER}'!A0",
    "path": f"../../{MARKER}/%2e%2e%2f..\\..\\",
    "long": f"{MARKER} " + "long " * 200_000,  # a megabyte
    "very long word": MARKER + "\u0301" * 40_000,
}
# These do their harm wherever they stand in a text, so one text can have them all.
HARMFUL_ANYWHERE = (
    "markup",
    "closing",
    "attribute",
    "htmx",
    "template",
    "bidi",
    "nul",
    "surrogates",
    "newlines",
)
HOSTILE_VALUES["harmful anywhere"] = " ".join(HOSTILE_VALUES[kind] for kind in HARMFUL_ANYWHERE)
WRONG_TYPES: dict[str, Any] = {
    "null": None,
    "number": 10**30,
    "fraction": 1e308,
    "yes": True,
    "list": [f"<b>{MARKER}", None, [{}]],
    "object": {f"<b>{MARKER}": {f"{MARKER}\x00": [f"javascript:{MARKER}"]}},
    "deep": [[[[[[[[[[[[[[[[MARKER]]]]]]]]]]]]]]]],
    "empty": "",
}
LONG_FIELDS = ("friendly_name", "contact_identity", "integration_url", "unknown_of_tomorrow")
_CHECKED_FIELDS = {"sid"}  # the client refuses an invalid one


def make_hostile_flow(kind: str) -> dict[str, Any]:
    """Return a flow as Twilio may send it, with a hostile value in its fields.

    A value of a wrong type is in every field, any other one in text fields. Unknown fields have it
    as well.
    """
    if kind in WRONG_TYPES:
        names = [field.name for field in FLEX_FLOW.fields]
        value = WRONG_TYPES[kind]
    else:
        names = [
            field.name for field in FLEX_FLOW.fields if field.kind not in ("boolean", "integer")
        ]
        value = HOSTILE_VALUES[kind]
    names = [*names, "unknown_of_tomorrow", "integration_unknown"]
    if kind == "long":
        names = [name for name in names if name in LONG_FIELDS]
    fields = {name: value for name in names if name not in _CHECKED_FIELDS}
    if kind not in WRONG_TYPES and kind != "long":
        fields[f'<i onclick="{value[:40]}">{MARKER}'] = value
    return fields
