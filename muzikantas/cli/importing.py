"""What the imports share: files read strictly, one transaction a file, one account of what became of each."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import click
from sqlalchemy.orm import Session

from muzikantas.analysis.reports import BadLine
from muzikantas.cli.rows import rows
from muzikantas.domain.errors import InputError
from muzikantas.studio import Studio

Row = dict[str, Any]
#: Rejected lines that are shown of one file: they mostly have one cause.
SHOWN = 20


@dataclass(kw_only=True)
class Account:
    """What became of one file; `rows` are those found in it, rejected ones included."""

    file: str
    rows: int = 0
    new: int = 0
    changed: int = 0
    rejected: int = 0
    rejected_lines: list[BadLine] = field(default_factory=list)  #: the first of them
    error: str | None = None  #: why nothing of it was imported

    def reject(self, line: BadLine) -> None:
        """Count a line that cannot be used, and keep it while there are few."""
        self.rejected += 1
        if len(self.rejected_lines) < SHOWN:
            self.rejected_lines.append(line)

    def refuse(self, advice: str) -> None:
        """Say that nothing of the file was imported, because of its first rejected line."""
        first = self.rejected_lines[0]
        more = f" (and {self.rejected - 1} more)" if self.rejected > 1 else ""
        self.error = f"{self.file} line {first.line}: {first.reason}{more}; correct the file{advice}"
        self.new = self.changed = 0

    def as_json(self) -> Mapping[str, Any]:
        """Give what `--json` prints."""
        return {
            **vars(self),
            "rejected_lines": [{"line": bad.line, "reason": bad.reason} for bad in self.rejected_lines],
        }


class LeftOut(Exception):
    """A file was refused: whatever of it has reached the database goes back."""


class Importer(Protocol):
    """A kind of file."""

    def take(self, session: Session, path: Path, account: Account, *, skip_bad_lines: bool) -> None:
        """Import one file within the session's transaction, and account for it.

        Raises `InputError` when it cannot be read, and `LeftOut` when the account says why it is refused.
        """
        ...


#: What else can be done about a bad line.
SKIP = ", or import the rest by --skip-bad-lines"


def import_files(form: Importer, files: Sequence[Path], *, skip_bad_lines: bool, as_json: bool) -> None:
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


def _import(form: Importer, studio: Studio, path: Path, *, skip_bad_lines: bool) -> Account:
    """Import one file in one transaction."""
    account = Account(file=str(path))
    try:
        with studio.begin() as session:
            form.take(session, path, account, skip_bad_lines=skip_bad_lines)
    except LeftOut:
        return account
    except InputError as error:
        file, message = str(path), str(error)
        return Account(file=file, error=file + message.removeprefix(file).removeprefix(path.name))
    return account


def _tell(account: Account, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(account.as_json(), ensure_ascii=False))
        return
    click.echo(f"{_counts(account.rows, account.new, account.changed, account.rejected)}  {account.file}")
    for bad in account.rejected_lines:
        click.echo(f"    line {bad.line}: {bad.reason}", err=True)
    if account.rejected > SHOWN:
        click.echo(f"    and {account.rejected - SHOWN} more lines", err=True)


def _tell_totals(accounts: Sequence[Account], *, as_json: bool) -> None:
    names = ("rows", "new", "changed", "rejected")
    totals = {name: sum(getattr(account, name) for account in accounts) for name in names}
    if as_json:
        click.echo(json.dumps({"files": len(accounts), **totals}))
    else:
        click.echo(f"{_counts(**totals)}  in {len(accounts)} files")


def _counts(rows: int, new: int, changed: int, rejected: int) -> str:
    return f"{rows:>8,} rows  {new:>8,} new  {changed:>8,} changed  {rejected:>6,} rejected"
