"""The fixtures of the search: flows and names in the mirror."""

from tests.flows.search.conftest import add as add
from tests.flows.search.conftest import name_target as name_target
