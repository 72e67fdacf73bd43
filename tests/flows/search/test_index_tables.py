"""The tables of the flow list are always in step with the mirror, whatever writes it."""

from collections import Counter
from datetime import UTC, datetime
from unittest import mock

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from flows.erasure import compaction
from flows.mirror import flow_rows
from flows.mirror.models import Flow
from flows.search import counters, flow_search, index_tables, projection, target_tables, trigrams
from flows.search.flow_search import Query
from flows.search.models import FlowEntry, FlowTally, Target, TargetUse

DAY = datetime(2026, 3, 1, tzinfo=UTC)
AC = "AC" + "1" * 32


def snapshot(number, name="Lyon", **fields):
    return {
        "sid": f"FO{number:032}",
        "friendly_name": name,
        "channel_type": "sms",
        "contact_identity": f"+1415555{number:04}",
        "enabled": True,
        "integration_type": "studio",
        "integration_flow_sid": f"FW{number % 2:032}",
        "chat_service_sid": "IS" + "1" * 32,
    } | fields


def write(*snapshots, deleted=()):
    flow_rows.save_snapshots({one["sid"]: one for one in snapshots} | dict.fromkeys(deleted), AC)


def assert_in_step():
    entries = FlowEntry.objects.order_by("sid").values_list(*projection.COLUMNS)
    assert list(entries) == list(Flow.objects.order_by("sid").values_list(*projection.COLUMNS))
    tally = FlowTally.objects.filter(flows__gt=0)
    columns = ("account_sid", "channel_type", "integration_type")
    assert {row[:4]: row[4] for row in tally.values_list(*columns, "state", "flows")} == Counter(
        (*row[:3], "gone" if row[4] else {True: "true", False: "false", None: "unset"}[row[3]])
        for row in Flow.objects.values_list(*columns, "enabled", "gone_at")
    )
    assert_targets_in_step()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO flow_trigram (flow_trigram, rank) VALUES ('integrity-check', 1)"
            )


def assert_targets_in_step():
    uses, counts = Counter(), {}
    for flow in Flow.objects.all():
        place = 2 if flow.gone_at else 0 if flow.enabled else 1
        for kind, value, folded in flow.targets:
            uses[flow.sid, flow.account_sid, kind, value] += 1
            counts.setdefault((flow.account_sid, kind, value, folded), [0, 0, 0])[place] += 1
    columns = ("account_sid", "kind", "value")
    rows = TargetUse.objects.values_list("flow_sid", *(f"target__{name}" for name in columns))
    assert Counter(rows) == uses
    rows = Target.objects.values_list(
        *columns, "value_folded", "flows_on", "flows_off", "flows_gone"
    )
    assert {row[:4]: list(row[4:]) for row in rows} == counts


def find_names(q):
    return [flow.friendly_name for flow in flow_search.find_page(Query(q=q)).rows]


def test_tables_are_in_step_after_every_kind_of_write(db):
    write(*(snapshot(number) for number in range(8)))
    assert_in_step()

    write(
        snapshot(1, "Paris", enabled=False),
        snapshot(2, enabled=None),
        snapshot(3, channel_type="web"),
        snapshot(9),
    )
    assert_in_step()
    assert find_names("paris") == ["Paris"]
    assert len(find_names("lyon")) == 8

    write(snapshot(6, chat_service_sid="IS" + "2" * 32), snapshot(7, integration_flow_sid=None))
    assert_in_step()

    write(snapshot(8), deleted=[f"FO{4:032}", f"FO{5:032}"])
    assert_in_step()

    write(snapshot(4, "Nice"))  # it reappeared
    assert_in_step()
    assert find_names("nice") == ["Nice"]

    Flow.objects.filter(sid=f"FO{1:032}").update(
        name_folded="marseille", account_sid="AC" + "2" * 32
    )
    assert_in_step()
    assert (find_names("marseille"), find_names("paris")) == (["Paris"], [])

    Flow.objects.filter(enabled=True).delete()
    assert_in_step()

    Flow.objects.all().delete()
    assert_in_step()
    assert not FlowEntry.objects.exists()
    assert not Target.objects.exists()


def test_rollback_leaves_no_trace(db):
    write(snapshot(1))

    with transaction.atomic():
        write(snapshot(1, "Paris"), snapshot(2))
        transaction.set_rollback(True)

    assert_in_step()
    assert find_names("lyon") == ["Lyon"]


@pytest.mark.parametrize("part", [projection, counters, target_tables, trigrams])
def test_migrate_restores_a_missing_table(db, part):
    write(snapshot(1), snapshot(2))
    part.drop(connection)
    write(snapshot(3), snapshot(4, "Paris"))

    call_command("migrate", verbosity=0)

    write(snapshot(5, "Nice"))
    assert_in_step()
    assert (find_names("paris"), find_names("nice"), len(find_names("lyon"))) == (
        ["Paris"],
        ["Nice"],
        3,
    )
    assert trigrams.is_installed(connection)


def test_search_uses_the_index(db):
    write(snapshot(1, "Réclamations"))

    with CaptureQueriesContext(connection) as queries:
        assert find_names("reclam") == ["Réclamations"]

    if connection.vendor == "sqlite":
        assert any("MATCH" in query["sql"] for query in queries)
    else:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(
                "EXPLAIN SELECT sid FROM flows_flowentry WHERE name_folded LIKE '%reclam%'"
            )
            assert "flow_name_folded_trigrams" in str(cursor.fetchall())


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite puts nothing aside")
def test_migrate_limits_the_pending_list_of_an_older_index(db):
    with connection.cursor() as cursor:
        for column in trigrams.COLUMNS:
            cursor.execute(f"ALTER INDEX flow_{column}_trigrams RESET (gin_pending_list_limit)")

    call_command("migrate", verbosity=0)

    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname LIKE 'flow_%_trigrams'")
        assert cursor.fetchall() == [([f"gin_pending_list_limit={trigrams.PENDING_LIMIT_KB}"],)] * 2


@pytest.mark.skipif(connection.vendor != "postgresql", reason="an extension is PostgreSQL's")
def test_search_works_without_the_extension_and_a_check_reports_it(db):
    write(snapshot(1, "Réclamations"))
    trigrams.drop(connection)
    with mock.patch.object(trigrams, "_EXTENSION", "CREATE EXTENSION no_such_thing"):
        index_tables.install(connection)

    assert find_names("reclam") == ["Réclamations"]
    assert [
        (one.id, "pg_trgm" in one.hint)
        for one in index_tables.check_search_index(databases=["default"])
    ] == [("flows.W001", True)]


def test_check_is_silent_if_the_index_exists(db):
    assert index_tables.check_search_index(databases=["default"]) == []
    assert index_tables.check_search_index(databases=None) == []


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL writes its indexes anew with the tables"
)
def test_erased_names_are_removed_from_the_search_index(transactional_db):
    write(snapshot(1, "kanarienvogel"), snapshot(2))
    Flow.objects.filter(sid=f"FO{1:032}").delete()

    compaction.compact()

    with connection.cursor() as cursor:
        cursor.execute("SELECT block FROM flow_trigram_data")
        blocks = b"".join(block for (block,) in cursor.fetchall())
    assert b"kan" not in blocks
    assert b"lyo" in blocks
