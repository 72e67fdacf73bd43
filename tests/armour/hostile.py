"""What an API, an address or a form may hold that means harm: values of Twilio's fields, SIDs, ways off the site."""

from __future__ import annotations

from typing import Any

from flows.twilio.flex import flex_flow

MARK = "zzq7"  # stands in every hostile value, so that what came from one is known wherever it turns up
VALUES: dict[str, str] = {
    "markup": f"<script>window.{MARK}=1</script><img src=x-{MARK} onerror=window.{MARK}=1><{MARK}-el>",
    "closing": f"</textarea></title></script></style></pre>--><svg/onload=window.{MARK}=1>",
    "attribute": f"\" onfocus=window.{MARK}=1 autofocus x='{MARK}' ' onclick=window.{MARK}=1 `",
    "htmx": f'" hx-get="/{MARK}/" hx-trigger="load" hx-on::load="window.{MARK}=1" data-hx-on:click="window.{MARK}=1',
    "template": f"{{{{ settings.SECRET_KEY }}}}{{% include '{MARK}' %}}${{7*7}}#{{7*7}}%(x)s{{0}}",
    "javascript": f"javascript:window.{MARK}=1//",
    "javascript in disguise": f" \tJaVa\nScript&colon;window.{MARK}=1",
    "data": f"data:text/html,<script>window.{MARK}=1</script>",
    "address": f"https://{MARK}.example/<script>?a=\"onload='{MARK}",
    "bidi": f"{MARK}\u202e gnp.exe\u2066\u2069\u200ba\u200db\u2060\ufeff\u00ad",
    "nul": f"{MARK}\x00\x01\x1b[31m\x7f\x85\u2028\u2029",
    "surrogates": f"{MARK}\ud800 \udfff\ud83d",
    "newlines": f"{MARK}\r\nSet-Cookie: {MARK}=1\r\n\r\n<b>",
    "formula": f'=HYPERLINK("https://{MARK}.example/","x")',
    "other formula": f"\u200b @SUM(1+1)*cmd|' /C {MARK}'!A0",
    "path": f"../../{MARK}/%2e%2e%2f..\\..\\",
    "long": f"{MARK} " + "long " * 200_000,  # a megabyte
    "very long word": MARK + "\u0301" * 40_000,
}
WRONG: dict[str, Any] = {
    "null": None,
    "number": 10**30,
    "fraction": 1e308,
    "yes": True,
    "list": [f"<b>{MARK}", None, [{}]],
    "object": {f"<b>{MARK}": {f"{MARK}\x00": [f"javascript:{MARK}"]}},
    "deep": [[[[[[[[[[[[[[[[MARK]]]]]]]]]]]]]]]],
    "empty": "",
}
LONGEST = ("friendly_name", "contact_identity", "integration_url", "unknown_of_tomorrow")
_OURS = {"sid"}  # Twilio's word that is checked


def fields_of(kind: str) -> dict[str, Any]:
    """A flow as Twilio may send it, with this value in every field of text, or of any kind, and in unknown ones."""
    if kind in WRONG:
        names = [field.name for field in flex_flow.FIELDS]
        value = WRONG[kind]
    else:
        names = [field.name for field in flex_flow.FIELDS if field.kind not in ("boolean", "integer")]
        value = VALUES[kind]
    names = [*names, "unknown_of_tomorrow", "integration_unknown"]
    if kind == "long":
        names = [name for name in names if name in LONGEST]
    fields = {name: value for name in names if name not in _OURS}
    if kind not in WRONG and kind != "long":
        fields[f'<i onclick="{value[:40]}">{MARK}'] = value
    return fields
