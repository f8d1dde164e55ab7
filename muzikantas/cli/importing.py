"""What the imports share: files read strictly, one transaction a file, one account of what became of each."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from muzikantas.analysis.reports import BadHeader, BadLine
from muzikantas.cli.rows import rows
from muzikantas.domain.errors import InputError
from muzikantas.models.bulk import Merged
from muzikantas.studio import Studio

Row = dict[str, Any]
#: Rejected lines that are shown of one file: they mostly have one cause.
SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Form:
    """A kind of file: its text and name → rows or bad lines, and where rows go (`source` is the file's name)."""

    read: Callable[[Session, str, str], Iterable[Row | BadLine]]
    store: Callable[[Session, Sequence[Row], str], Merged]


@dataclass(frozen=True, kw_only=True)
class Account:
    """What became of one file; `rows` are those found in it, rejected ones included."""

    file: str
    rows: int = 0
    new: int = 0
    changed: int = 0
    rejected: Sequence[BadLine] = ()
    error: str | None = None  #: why nothing of it was imported

    def as_json(self) -> Mapping[str, Any]:
        """Give what `--json` prints."""
        lines = [vars(bad) for bad in self.rejected[:SHOWN]]
        return {**vars(self), "rejected": len(self.rejected), "rejected_lines": lines}


def import_files(form: Form, files: Sequence[Path], *, skip_bad_lines: bool, as_json: bool) -> None:
    """Import files one by one and account for each.

    Raises `InputError` at the end when a file was left out; ends with exit code 1 when lines were skipped as asked.
    """
    accounts = []
    with rows() as studio:
        for path in files:
            account = _import(form, studio, path, skip_bad_lines=skip_bad_lines)
            accounts.append(account)
            _tell(account, as_json=as_json)
    _tell_totals(accounts, as_json=as_json)
    left_out = [account.error for account in accounts if account.error]
    if left_out:
        head = [f"{len(left_out)} of {len(files)} files were not imported"] if len(left_out) > 1 else []
        raise InputError("\n".join([*head, *left_out]))
    if any(account.rejected for account in accounts):
        raise click.exceptions.Exit(1)


def read_text(path: Path) -> str:
    """Read a file of UTF-8 text. Raises `InputError` that names the file and, for another encoding, the line."""
    try:
        data = path.read_bytes()
        return data.decode("utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{data[error.start]:02x} is no UTF-8"
        raise InputError(f"{path} line {line}: {found}; save the file as UTF-8") from None


def _import(form: Form, studio: Studio, path: Path, *, skip_bad_lines: bool) -> Account:
    """Import one file in one transaction: whole, or with bad lines skipped, or not at all."""
    file = str(path)
    try:
        text = read_text(path)
        with studio.begin() as session:
            found = list(form.read(session, text, path.name))
            good = [line for line in found if not isinstance(line, BadLine)]
            bad = [line for line in found if isinstance(line, BadLine)]
            if bad and (not skip_bad_lines or isinstance(bad[0], BadHeader)):
                return Account(file=file, rows=len(found), rejected=bad, error=_first(file, bad))
            merged = form.store(session, good, path.name)
    except InputError as error:
        message = str(error)
        return Account(file=file, error=file + message.removeprefix(file).removeprefix(path.name))
    return Account(file=file, rows=len(found), new=merged.new, changed=merged.changed, rejected=bad)


def _first(file: str, bad: Sequence[BadLine]) -> str:
    more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
    advice = "" if isinstance(bad[0], BadHeader) else ", or import the rest by --skip-bad-lines"
    return f"{file} line {bad[0].line}: {bad[0].reason}{more}; correct the file{advice}"


def _tell(account: Account, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(account.as_json(), ensure_ascii=False))
        return
    click.echo(f"{_counts(account.rows, account.new, account.changed, len(account.rejected))}  {account.file}")
    for bad in account.rejected[:SHOWN]:
        click.echo(f"    line {bad.line}: {bad.reason}", err=True)
    if len(account.rejected) > SHOWN:
        click.echo(f"    and {len(account.rejected) - SHOWN} more lines", err=True)


def _tell_totals(accounts: Sequence[Account], *, as_json: bool) -> None:
    totals = {name: sum(getattr(account, name) for account in accounts) for name in ("rows", "new", "changed")}
    rejected = sum(len(account.rejected) for account in accounts)
    if as_json:
        click.echo(json.dumps({"files": len(accounts), **totals, "rejected": rejected}))
    else:
        click.echo(f"{_counts(**totals, rejected=rejected)}  in {len(accounts)} files")


def _counts(rows: int, new: int, changed: int, rejected: int) -> str:
    return f"{rows:>8,} rows  {new:>8,} new  {changed:>8,} changed  {rejected:>6,} rejected"
