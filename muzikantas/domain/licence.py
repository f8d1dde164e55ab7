"""What may be done with the data of a source: stored, analysed, shown to a language model. Nothing else is allowed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from muzikantas.domain.errors import InputError

#: How a setting names the rights.
RIGHTS = {"store": "may_store", "analyse": "may_analyse", "llm": "may_feed_llm"}
NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Licence:
    """The rights in one source's data, and the terms behind them."""

    source: str
    may_store: bool = False
    may_analyse: bool = False
    may_feed_llm: bool = False  #: titles and names as printed; sums of our own making follow `may_analyse`
    terms: str

    def in_words(self) -> str:
        """Say what is allowed, as the setting spells it.

        >>> Licence(source="x", may_store=True, may_analyse=True, terms="").in_words()
        'store+analyse'
        """
        return "+".join(word for word, right in RIGHTS.items() if getattr(self, right)) or NONE


#: What holds where the operator says nothing else. An operator who has read other terms says so in `SOURCES`.
DOCUMENTED = (
    Licence(
        source="spotify",
        may_store=True,
        may_analyse=True,
        terms="charts.spotify.com, files downloaded by a person; Spotify's terms forbid to ingest its content into a "
        "machine learning or AI model",
    ),
    Licence(
        source="spotify-api",
        may_store=True,
        terms="Spotify Developer Terms v10 IV.2 and IV.3, Developer Policy III.13 and III.14: no analysis, no model, "
        "no storage beyond what is needed",
    ),
    Licence(
        source="positions",
        may_store=True,
        may_analyse=True,
        terms="daily position files of a platform's charts: as Spotify's until the operator knows better",
    ),
    Licence(
        source="distributor", may_store=True, may_analyse=True, may_feed_llm=True, terms="our own releases' reports"
    ),
    Licence(source="own", may_store=True, may_analyse=True, may_feed_llm=True, terms="made by the label itself"),
    Licence(
        source="operator", may_store=True, may_analyse=True, may_feed_llm=True, terms="files of the operator's making"
    ),
)


class Licences:
    """The licences of all sources; a source that nobody has named may do nothing."""

    def __init__(self, licences: Sequence[Licence] = DOCUMENTED) -> None:
        self._known: Mapping[str, Licence] = {licence.source: licence for licence in licences}

    def of(self, source: str) -> Licence:
        """Give the licence of a source."""
        nothing = Licence(source=source, terms="not named in SOURCES, and not known: nothing is allowed")
        return self._known.get(source, nothing)

    def all(self) -> list[Licence]:
        """List the known licences by source."""
        return [self._known[source] for source in sorted(self._known)]

    def check_store(self, source: str) -> None:
        """Raise `InputError` when rows of this source may not be kept."""
        licence = self.of(source)
        if not licence.may_store:
            raise InputError(
                f"the source {source!r} may not be stored ({licence.terms}); if you have the right, "
                f"set SOURCES={source}=store+analyse"
            )


def licences(named: Sequence[str]) -> Licences:
    """Read the setting `SOURCES`: entries `source=right+right`, or `source=none`; the others keep what is documented.

    Raises `ValueError` that says what was found and what is expected.

    >>> licences(["spotify=store"]).of("spotify").in_words()
    'store'
    """
    known = {licence.source: licence for licence in DOCUMENTED}
    for entry in named:
        source, _, words = (part.strip() for part in entry.partition("="))
        rights = [] if words == NONE else words.split("+")
        unknown = [word for word in rights if word not in RIGHTS]
        if not source or not words or unknown:
            raise ValueError(f"found {entry!r}; expected source=right+right of {', '.join(RIGHTS)}, or source={NONE}")
        known[source] = Licence(
            source=source,
            may_store="store" in rights,
            may_analyse="analyse" in rights,
            may_feed_llm="llm" in rights,
            terms="the operator's word, in SOURCES",
        )
    return Licences(list(known.values()))
