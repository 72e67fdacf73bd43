from flows.availability.models import Closure
from flows.core.database import find_nonempty_tables
from flows.mirror.models import MissingFlow, SyncState


def test_tables_with_rows_are_found_with_one_query(db, django_assert_num_queries):
    SyncState.objects.create(account_sid="AC" + "0" * 32)

    with django_assert_num_queries(1):
        found = find_nonempty_tables(Closure, SyncState, MissingFlow)

    assert found == {SyncState}
