"""Many rows at once: a stream into COPY, and one merge in which corrections win and leave what they replaced."""

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, String, text
from sqlalchemy.orm import Session

from muzikantas.models.base import Base

#: Rows that are encoded at once: a chunk of about 100 kB keeps the server busy while the next one is read.
CHUNK = 500
#: The format of COPY: nothing but these four characters is special in it, and none of them is usual in a text.
_OPTIONS = "FORMAT csv, DELIMITER E'\\t', QUOTE E'\\x01', NULL ''"
_SPECIAL = ("\t", "\n", "\r", "\x01")


@dataclass(frozen=True, kw_only=True)
class Merged:
    """What a merge did: rows given, rows new, rows whose values a correction changed."""

    rows: int
    new: int
    changed: int


def copy(session: Session, table: type[Base], columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Append rows to a table, reading them as fast as the server takes them; give how many there were.

    While rows are read the connection is busy: what gives them asks it nothing.
    """
    return _copy(session.connection(), table, table.__tablename__, columns, rows)


def merge(
    session: Session,
    table: type[Base],
    rows: Iterable[Mapping[str, Any]],
    *,
    key: Sequence[str],
    values: Sequence[str],
    provenance: Sequence[str] = (),
    history: type[Base] | None = None,
) -> Merged:
    """Insert rows by `key`; where a key is there with other `values`, the new ones win.

    Columns of `provenance` are written along but never count as a difference, so that the same data from another file
    changes nothing. Of rows with the same key the last one counts. An empty text is NULL where a column may be NULL.

    A table `history` gets a row for each one that is corrected, by the same statement: its key and provenance, its
    `imported_at`, and its values as `was`; both tables have a column `imported_at` then, which is now for the new ones.
    """
    columns = [*key, *values, *provenance]
    tuples = ([row.get(name) for name in columns] for row in rows)
    return merge_tuples(session, table, tuples, key=key, values=values, provenance=provenance, history=history)


def merge_tuples(
    session: Session,
    table: type[Base],
    rows: Iterable[Sequence[object]],
    *,
    key: Sequence[str],
    values: Sequence[str],
    provenance: Sequence[str] = (),
    history: type[Base] | None = None,
) -> Merged:
    """Merge rows that have the columns of `key`, `values` and `provenance` in this order; see `merge`."""
    columns = [*key, *values, *provenance]
    connection = session.connection()
    connection.execute(text("DROP TABLE IF EXISTS staging"))
    empty = f"SELECT {_names(columns)} FROM {table.__tablename__} WHERE false"  # noqa: S608 (names of our own columns)
    connection.execute(text(f"CREATE TEMP TABLE staging ON COMMIT DROP AS {empty}"))
    count = _copy(connection, table, "staging", columns, rows)
    connection.execute(text("ANALYZE staging"))
    done = connection.execute(text(_merge_sql(table, key, values, provenance, history))).one()
    return Merged(rows=count, new=done[0], changed=done[1])


def _merge_sql(
    table: type[Base],
    key: Sequence[str],
    values: Sequence[str],
    provenance: Sequence[str],
    history: type[Base] | None,
) -> str:
    """Write the merge: rows that would change nothing never reach the table, where each would cost a write."""
    target = table.__tablename__
    names = _names([*key, *values, *provenance])
    same = " AND ".join(f't."{name}" = s."{name}"' for name in key)
    changes = [f'"{name}" = excluded."{name}"' for name in [*values, *provenance]]
    kept = ""
    if history is not None:
        changes.append("imported_at = DEFAULT")
        whence = [*key, *provenance, "imported_at"]
        was = ", ".join(f"'{name}', t.\"{name}\"" for name in values)
        kept = f"""
        , kept AS (
            INSERT INTO {history.__tablename__} ({_names(whence)}, was)
            SELECT {_names(whence, "t")}, jsonb_build_object({was})
            FROM {target} AS t JOIN incoming AS s ON {same}
        )"""  # noqa: S608 (names of our own tables and columns)
    return f"""
        WITH incoming AS MATERIALIZED (
            SELECT s.* FROM (SELECT DISTINCT ON ({_names(key)}) * FROM staging ORDER BY {_names(key)}, ctid DESC) AS s
            LEFT JOIN {target} AS t ON {same}
            WHERE t."{key[0]}" IS NULL OR ROW({_names(values, "t")}) IS DISTINCT FROM ROW({_names(values, "s")})
        ){kept}, merged AS (
            INSERT INTO {target} AS t ({names}) SELECT {names} FROM incoming
            ON CONFLICT ({_names(key)}) DO UPDATE SET {", ".join(changes)}
            WHERE ROW({_names(values, "t")}) IS DISTINCT FROM ROW({_names(values, "excluded")})
            RETURNING xmax = 0 AS inserted
        )
        SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted) FROM merged
        """  # noqa: S608 (as above)


def _names(columns: Iterable[str], table: str = "") -> str:
    head = f"{table}." if table else ""
    return ", ".join(f'{head}"{name}"' for name in columns)


def _copy(
    connection: Connection, table: type[Base], into: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> int:
    fields = [table.__table__.c[name] for name in columns]
    texts = [field.name for field in fields if isinstance(field.type, String) and not field.nullable]
    options = f"{_OPTIONS}, FORCE_NOT_NULL ({_names(texts)})" if texts else _OPTIONS
    stream = _Stream(rows)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        cursor.copy_expert(f"COPY {into} ({_names(columns)}) FROM STDIN ({options})", stream)
    if stream.error is not None:
        raise stream.error
    return stream.count


class _Stream:
    """Rows as a file that COPY reads, encoded a chunk at a time.

    An error of whoever gives the rows ends the stream and is kept: the driver would make a database error of it.
    """

    def __init__(self, rows: Iterable[Sequence[object]]) -> None:
        self.count = 0
        self.error: BaseException | None = None
        self._rows = iter(rows)

    def read(self, _size: int) -> bytes:
        """Give the next chunk, of whatever size; nothing at the end."""
        try:
            chunk = list(itertools.islice(self._rows, CHUNK))
            self.count += len(chunk)
            return _encoded(chunk)
        except BaseException as error:  # noqa: BLE001 (whatever it is, it is raised when COPY has ended)
            self.error = error
            return b""


def _encoded(chunk: Sequence[Sequence[object]]) -> bytes:
    """Write rows in the format of COPY: joined as they are, and again with quotes where a special character was."""
    if not chunk:
        return b""
    found = _joined(chunk).encode()
    if b"\0" in found:  # PostgreSQL has no such character in a text
        found = found.replace(b"\0", b"")
    ends = found.count(b"\t"), found.count(b"\n")
    if ends == (len(chunk) * (len(chunk[0]) - 1), len(chunk)) and b"\r" not in found and b"\x01" not in found:
        return found
    quoted = ("\t".join([_quoted(_text(value)) for value in row]) for row in chunk)
    return "".join([f"{line}\n" for line in quoted]).replace("\0", "").encode()


def _joined(chunk: Sequence[Sequence[object]]) -> str:
    """Join rows by one form: what is the same in all of them, such as a chart's name, is written into it once."""
    form, varying = [], []
    for column in zip(*chunk, strict=True):
        first = column[0]
        if (first is None or type(first) is str) and column.count(first) == len(chunk):
            form.append(_text(first).replace("%", "%%"))
        else:
            form.append("%s")
            varying.append(column if set(map(type, column)) <= _PLAIN else list(map(_text, column)))
    line = "\t".join(form) + "\n"
    return "".join(map(line.__mod__, zip(*varying, strict=True))) if varying else line % () * len(chunk)


#: Types whose values are written as they print.
_PLAIN = {str, int, date}


def _text(value: object) -> str:
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _quoted(field: str) -> str:
    if not any(character in field for character in _SPECIAL):
        return field
    return "\x01" + field.replace("\x01", "\x01\x01") + "\x01"
