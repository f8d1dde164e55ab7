"""What `doctor` says of sources: what may be done with the data of each, and by which terms."""

from muzikantas.cli.checks import OK, WARN, Finding
from muzikantas.models import chart
from muzikantas.settings import settings
from muzikantas.studio import studio


def licences() -> list[Finding]:
    """Show every source's rights with the terms behind them."""
    return [
        Finding("licence", OK, f"{licence.source}: {licence.in_words()} ({licence.terms})")
        for licence in settings().licences.all()
    ]


def stored_without_right() -> list[Finding]:
    """Find charts in the database whose source may not be stored; needs a database that answers."""
    with studio().begin() as session:
        sources = sorted({source for source, _, _ in chart.charts(session)})
    return [
        Finding(
            "licence",
            WARN,
            f"{source}: charts are in the database, which its licence does not allow",
            f"Set SOURCES if you have the right, else delete the rows of source '{source}' from chart_entries.",
        )
        for source in sources
        if not settings().licences.of(source).may_store
    ]
