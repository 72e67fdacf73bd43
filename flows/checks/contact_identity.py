"""The forms that contact identities have on each channel.

Real accounts use them. Twilio does not check them, so a mismatch is only a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flows.core.phone_numbers import to_e164
from flows.twilio.flex.flex_flow import CHANNEL_TYPES

_SHORT_CODE: Final = "[0-9]{3,8}"
_SENDER_NAME: Final = "(?=[0-9 ]*[A-Za-z])[A-Za-z0-9 ]{3,11}"
# WhatsApp still writes mobile numbers of Mexico with a 1 that their country has dropped.
_MEXICAN_WHATSAPP: Final = r"whatsapp:\+521[0-9]{10}"
_OTHER_FORMS: Final = {
    "sms": f"{_SHORT_CODE}|{_SENDER_NAME}",
    "whatsapp": _MEXICAN_WHATSAPP,
    "facebook": r"messenger:\S+",
}
_E164: Final = r"\+[1-9][0-9]{6,14}"
_NUMBER_PREFIXES: Final = {"sms": "", "whatsapp": "whatsapp:"}
_EXAMPLES: Final = {
    "sms": "a number such as +14155551234",
    "whatsapp": "whatsapp: followed by a number, such as whatsapp:+14155551234",
    "facebook": "messenger: followed by the page ID",
}


def find_identity_warnings(channel: str, identity: str) -> Iterator[str]:
    """Yield a sentence about an identity that is missing or doesn't fit its channel."""
    if channel not in _EXAMPLES:
        return
    if not identity:
        label, example = CHANNEL_TYPES[channel], _EXAMPLES[channel]
        yield f"No contact identity is set. {label} needs {example}."
        return
    if re.fullmatch(_OTHER_FORMS[channel], identity):
        return
    number = to_identity(channel, identity)
    if number != identity:
        yield _describe_mismatch(channel, identity, number)


def _describe_mismatch(channel: str, identity: str, number: str) -> str:
    """Return the sentence about an identity that doesn't fit. `number` is the likely one, or ""."""
    label, example = CHANNEL_TYPES[channel], _EXAMPLES[channel]
    mismatch = f"The contact identity doesn't look like {label}. Expected {example}."
    if number:
        return f"{mismatch} Did you mean {number}?"
    if _is_e164(channel, identity):
        return "No country has this phone number. Check its country code and its number of digits."
    return mismatch


def _is_e164(channel: str, identity: str) -> bool:
    """Return True if an identity has the form of a number, of any country and length."""
    if channel not in _NUMBER_PREFIXES:
        return False
    form = _NUMBER_PREFIXES[channel] + _E164
    return re.fullmatch(form, identity) is not None


def to_identity(channel: str, text: str) -> str:
    """Return a phone number in the form of its channel, or "" if the text is not one.

    Only a number with its country code is one. A prefix of another channel says that the channel
    may be wrong, so such a text isn't one either.
    """
    if channel not in _NUMBER_PREFIXES:
        return ""
    scheme = text.strip().rpartition(":")[0].lower()
    if scheme not in ("", "tel", channel):
        return ""
    number = to_e164(text)
    if not number:
        return ""
    return f"{_NUMBER_PREFIXES[channel]}{number}"
