"""Queries whose SQL is built once give what Django's own would give."""

import threading

import pytest
from django.db import connection

from flows.core.prepared_queries import PreparedQuery
from flows.mirror.models import SyncState

pytestmark = pytest.mark.django_db
ONE, TWO = "AC" + "1" * 32, "AC" + "2" * 32


@pytest.fixture
def query():
    return PreparedQuery(lambda: SyncState.objects.filter(account_sid="", flows__gte=0))


@pytest.fixture(autouse=True)
def _states():
    for number, sid in enumerate((ONE, TWO)):
        SyncState.objects.create(account_sid=sid, flows=number, error="a 'quoted' one")


def test_each_run_has_its_own_parameters(query, django_assert_num_queries):
    with django_assert_num_queries(4):
        results = [query.run(ONE, 0), query.run(TWO, 0), query.run(TWO, 1), query.run(ONE, 1)]

    assert [[row.account_sid for row in rows] for rows in results] == [[ONE], [TWO], [TWO], []]


def test_rows_are_those_of_the_database_now(query):
    query.run(ONE, 0)
    SyncState.objects.filter(account_sid=ONE).update(flows=7)

    [row] = query.run(ONE, 0)

    assert row == SyncState.objects.get(account_sid=ONE)
    assert row.flows == 7


def test_number_of_parameters_is_checked(query):
    with pytest.raises(ValueError, match="has 2 parameters, not 1"):
        query.run(ONE)


@pytest.mark.django_db(transaction=True)
def test_threads_use_their_own_connections(query):
    query.run(ONE, 0)
    results = []

    def run_elsewhere():
        results.append(connection.connection)
        results.append([row.account_sid for row in query.run(TWO, 0)])
        results.append(connection.connection is not None)
        connection.close()

    thread = threading.Thread(target=run_elsewhere)
    thread.start()
    thread.join()

    assert results == [None, [TWO], True]
