"""The words of a search of the log, sorted by what they can be found by."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Final

from flows.audit.search_text import url_host
from flows.core import matching
from flows.twilio.flex.flex_flow import FLEX_FLOW

_REMOTE_ID_PATTERN: Final = re.compile(r"RQ[0-9a-f]{32}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """The words of a search by kind. An index finds ids and SIDs; the rest is compared as text."""

    ids: tuple[str, ...] = ()  # ids of an event, a change or a request
    sids: tuple[str, ...] = ()  # complete SIDs of flows
    short_sids: tuple[tuple[str, str], ...] = ()  # start and end of a SID, as pages show it
    text: str = ""
    hosts: tuple[str, ...] = ()  # hosts in the text that replace URLs

    @classmethod
    def parse(cls, q: str) -> SearchTerms:
        """Sort the words of a search by kind."""
        ids, sids, short_sids, text_words, hosts = [], [], [], [], []
        for word in q.split():
            short_sid = matching.split_short_sid(word)
            host = url_host(word) if "://" in word else ""
            if _is_id(word):
                ids.append(word)
            elif FLEX_FLOW.is_sid(word):
                sids.append(word)
            elif short_sid:
                short_sids.append(short_sid)
            elif host:
                hosts.append(host)
                text_words.append(host)
            else:
                text_words.append(word)
        return cls(tuple(ids), tuple(sids), tuple(short_sids), " ".join(text_words), tuple(hosts))

    @property
    def needs_text_scan(self) -> bool:
        """True if the text of entries has to be compared, which no index does."""
        return bool(self.text or self.short_sids)


def _is_id(word: str) -> bool:
    """Return True for the id of an event, a change or a request."""
    if _REMOTE_ID_PATTERN.fullmatch(word):
        return True
    if len(word) not in (32, 36):  # a UUID without hyphens or with them
        return False
    try:
        uuid.UUID(word)
    except ValueError:
        return False
    return True
