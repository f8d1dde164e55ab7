"""Tables as PostgreSQL has them: migrations on a filled database, and merges in which corrections win."""

from datetime import date
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text

from muzikantas.models import Base, chart, migrations
from muzikantas.studio import studio
from tests.integration.label import Label


def test_the_tables_are_what_the_models_say(label: Label) -> None:
    assert label.counts()["cycles"] >= 0
    with studio().engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    assert migrations.missing(studio().engine) == []


def test_migrations_run_down_and_up_on_a_filled_database(label: Label) -> None:
    artist_id, _ = label.artist(slots=1)
    label.finish(label.start(artist_id))
    with studio().engine.begin() as connection:
        connection.execute(text("DROP SCHEMA IF EXISTS copy CASCADE"))
        connection.execute(text("CREATE SCHEMA copy"))
    engine = create_engine(studio().engine.url, connect_args={"options": "-csearch_path=copy"})
    migrations.upgrade(engine)
    later: dict[str, set[str]] = {"artist_profiles": {"plan_id", "llm_call_id"}}  # of tables that refer to each other
    with engine.begin() as copy, studio().engine.connect() as origin:
        for table in Base.metadata.sorted_tables:
            rows = [dict(row) for row in origin.execute(table.select()).mappings()]
            kept = [{k: v for k, v in row.items() if k not in later.get(table.name, set())} for row in rows]
            if kept:
                copy.execute(table.insert(), kept)
        assert copy.execute(text("SELECT count(*) FROM takes")).scalar_one() >= 2
    config = migrations._config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        left: int = connection.execute(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'copy'")).scalar_one()
        assert left == 1  # Alembic's own
    migrations.upgrade(engine)
    assert migrations.missing(engine) == []
    engine.dispose()


def row(position: int, **values: Any) -> dict[str, Any]:
    base = {"source": "test", "chart": "merge", "country": "XX", "day": date(2026, 1, 1), "position": position}
    names = {"track_title": "A\ttab, a \\ and a\nline", "artist_names": "Tyler, The Creator", "details": {"label": "Ä"}}
    return {**base, **names, "streams": 10, **values}


@pytest.mark.usefixtures("label")
def test_the_same_rows_change_nothing_and_a_correction_wins() -> None:
    with studio().begin() as session:
        first = chart.import_rows(session, [row(1), row(2)], file="a.csv")
    with studio().begin() as session:
        again = chart.import_rows(session, [row(1), row(2)], file="b.csv")
    with studio().begin() as session:
        corrected = chart.import_rows(session, [row(1), row(2, streams=None), row(3), row(3, streams=11)], file="c.csv")
        stored = chart.entries(session, "test", "merge", "XX", date(2026, 1, 1))
    assert (first.new, first.changed) == (2, 0)
    assert (again.rows, again.new, again.changed) == (2, 0, 0)
    assert (corrected.rows, corrected.new, corrected.changed) == (4, 1, 1)
    assert [(entry.position, entry.streams, entry.file) for entry in stored] == [
        (1, 10, "a.csv"),
        (2, None, "c.csv"),
        (3, 11, "c.csv"),
    ]
    assert stored[0].track_title == "A\ttab, a \\ and a\nline"
    assert stored[0].details == {"label": "Ä"}
