"""Accounts and times of flows in the mirror, and a search of them, for tests."""

from datetime import UTC, datetime

from flows.search.flow_search import Query, find_page

AC = "AC" + "1" * 32
OTHER_AC = "AC" + "2" * 32
DAY = datetime(2026, 3, 1, tzinfo=UTC)


def names(**query):
    return [flow.friendly_name for flow in find_page(Query(**query)).rows]
