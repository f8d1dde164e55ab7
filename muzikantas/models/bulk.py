"""Many rows at once: COPY into a staging table, then one merge in which corrections win."""

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from muzikantas.models.base import Base

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": ""})


@dataclass(frozen=True, kw_only=True)
class Merged:
    """What a merge did: rows given, rows new, rows whose values a correction changed."""

    rows: int
    new: int
    changed: int


def merge(
    session: Session,
    table: type[Base],
    rows: Iterable[Mapping[str, Any]],
    *,
    key: Sequence[str],
    values: Sequence[str],
    provenance: Sequence[str] = (),
) -> Merged:
    """Insert rows by `key`; where a key is there with other `values`, the new ones win.

    Columns of `provenance` are written along but never count as a difference, so that the same data from another file
    changes nothing. Of rows with the same key the last one counts.
    """
    columns = [*key, *values, *provenance]
    names = ", ".join(f'"{name}"' for name in columns)
    buffer, count = _encode(rows, columns)
    target = table.__tablename__
    connection = session.connection()
    connection.execute(text("DROP TABLE IF EXISTS staging"))
    staging = (
        f'CREATE TEMP TABLE staging ON COMMIT DROP AS SELECT {names}, 0::bigint AS line FROM "{target}" WHERE false'  # noqa: S608 (names of our own columns)
    )
    connection.execute(text(staging))
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        cursor.copy_expert(f"COPY staging ({names}, line) FROM STDIN", buffer)
    unique = ", ".join(f'"{name}"' for name in key)
    old = ", ".join(f't."{name}"' for name in values)
    new = ", ".join(f'excluded."{name}"' for name in values)
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in [*values, *provenance])
    done = connection.execute(
        text(
            f"""
            WITH merged AS (
                INSERT INTO "{target}" AS t ({names})
                SELECT DISTINCT ON ({unique}) {names} FROM staging ORDER BY {unique}, line DESC
                ON CONFLICT ({unique}) DO UPDATE SET {changes} WHERE ROW({old}) IS DISTINCT FROM ROW({new})
                RETURNING xmax = 0 AS inserted
            )
            SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted) FROM merged
            """  # noqa: S608 (names of our own tables and columns)
        )
    ).one()
    return Merged(rows=count, new=done[0], changed=done[1])


def _encode(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> tuple[io.StringIO, int]:
    """Write rows in the text format of COPY, with their number as the last column."""
    buffer = io.StringIO()
    count = 0
    for count, row in enumerate(rows, start=1):
        fields = [_field(row.get(name)) for name in columns]
        buffer.write("\t".join([*fields, str(count)]) + "\n")
    buffer.seek(0)
    return buffer, count


def _field(value: object) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, dict | list):
        value = json.dumps(value)
    return str(value).translate(_ESCAPES)
