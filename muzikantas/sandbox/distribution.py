"""The distributor: takes releases in, gives streaming reports out, as a CSV of the market's doing."""

import csv
import io
import json
import sqlite3
from datetime import date, timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from muzikantas.sandbox import answers, days
from muzikantas.sandbox.config import Config
from muzikantas.sandbox.faults import Faults
from muzikantas.sandbox.ledger import Ledger
from muzikantas.sandbox.market import Day, Market, Release
from muzikantas.sandbox.obedience import Realised

HEADER = (
    "date", "track", "isrc", "title", "platform", "country",
    "streams", "listeners", "saves", "skips", "revenue", "currency",
)  # fmt: skip
PLATFORM = "sandbox"

_NEEDED = ("reference", "audio_id", "title", "artist")


class Distribution:
    """Releases and reports; both are idempotent."""

    def __init__(self, config: Config, ledger: Ledger, faults: Faults) -> None:
        self._ledger, self._faults, self._market = ledger, faults, Market(config.seed)

    def routes(self) -> APIRouter:
        """Give the distributor's paths."""
        router = APIRouter(prefix="/distribution")
        router.add_api_route("/releases", self.release, methods=["POST"])
        router.add_api_route("/streams", self.streams, methods=["GET"])
        return router

    async def release(self, request: Request) -> Response:
        """Release a take once; the same reference again gets the first answer again."""
        if answers.account(request) is None:
            return _error(401, "a bearer key is needed")
        body = await answers.json_body(request) or {}
        missing = [name for name in _NEEDED if not isinstance(body.get(name), str) or not body[name]]
        if missing:
            return _error(422, f"these fields must be non-empty texts: {', '.join(missing)}")
        texts = {name: body[name] for name in ("title", "reference")}
        deed = self._faults.deed("distribution", "releases", said=texts, **texts)
        await answers.late(deed)
        if answer := answers.broken(deed):
            return answer
        if self._ledger.row("SELECT 1 FROM takes WHERE id = ? AND duration_s IS NOT NULL", body["audio_id"]) is None:
            return _error(404, f"no recorded audio {body['audio_id']!r}")
        self._ledger.rows(
            "INSERT INTO releases (reference, take_id, title, artist, released_on) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (reference) DO NOTHING",
            *(body[name] for name in _NEEDED),
            days.today(self._ledger).isoformat(),
        )
        row = self._ledger.rows("SELECT * FROM releases WHERE reference = ?", body["reference"])[0]
        return JSONResponse({"reference": row["reference"], "released_on": row["released_on"]})

    async def streams(self, request: Request, since: str = "0001-01-01") -> Response:
        """Report all days from `since` to yesterday."""
        if answers.account(request) is None:
            return _error(401, "a bearer key is needed")
        deed = self._faults.deed("distribution", "streams", said=since)
        await answers.late(deed)
        if answer := answers.broken(deed):
            return answer
        if deed.get("html"):
            return answers.web_page()
        try:
            first = date.fromisoformat(since)
        except ValueError:
            return _error(422, f"since must be a date such as 2026-01-31, found {since!r}")
        return Response(self.report(first), media_type="text/csv")

    def report(self, first: date) -> str:
        """Write the CSV: one row for each release, country and day."""
        releases = [_read(row) for row in self._ledger.rows(_RELEASES)]
        yesterday = days.today(self._ledger) - timedelta(days=1)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(HEADER)
        for release in releases:
            for day in self._market.history(release, releases, yesterday):
                if day.date >= first:
                    writer.writerow(_row(release, day))
        return text.getvalue()


_RELEASES = "SELECT releases.*, realised FROM releases JOIN takes ON takes.id = take_id ORDER BY number"


def _read(row: sqlite3.Row) -> Release:
    realised = Realised(**json.loads(row["realised"]))
    return Release(
        **{name: row[name] for name in ("number", "reference", "take_id", "title", "artist")},
        released_on=date.fromisoformat(row["released_on"]),
        genre=realised.genre,
        place=realised.place(),
    )


def _row(release: Release, day: Day) -> list[str]:
    isrc = f"QZSBX{release.released_on:%y}{release.number:05d}"
    counts = (day.streams, day.listeners, day.saves, day.skips)
    return [
        day.date.isoformat(),
        release.reference,
        isrc,
        release.title,
        PLATFORM,
        day.country,
        *map(str, counts),
        f"{day.revenue_usd:.6f}",
        "USD",
    ]


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status_code=status)
