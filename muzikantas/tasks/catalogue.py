"""Look-ups at Spotify's catalogue: what an artist of the market plays. What comes back never reaches a model."""

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from muzikantas.analysis.songs import plain
from muzikantas.celery import StudioTask, app
from muzikantas.domain.errors import InputError, PermanentError
from muzikantas.models import catalogue
from muzikantas.studio import Studio
from muzikantas.tasks.governed import HTTP_CALL_S, governed

if TYPE_CHECKING:
    from muzikantas.clients.spotify import Question, SpotifyClient
    from muzikantas.clients.spotify_answers import Artist

logger = logging.getLogger(__name__)

#: Look-ups that one beat sends; a limit that is not published is better approached slowly.
MOST = 20
#: After a refusal; while a note on it stands, asking again is no request.
AGAIN = timedelta(days=1)


class DescribeTask(StudioTask):
    """A look-up whose long waits and whose end without an answer are in its row."""

    abstract = True

    def give_up(self, error: BaseException, *args: Any) -> bool:  # noqa: ANN401 (arguments of the task)
        """Write down why nothing is known of the artist, and ask again tomorrow: most refusals end some day."""
        if not isinstance(error, PermanentError):
            return False
        with self.studio.begin() as session:
            catalogue.postpone(session, args[0], datetime.now(UTC) + AGAIN, str(error))
        return True

    def wait_longer(self, until: datetime, *args: Any) -> None:  # noqa: ANN401 (as above)
        """Note when to ask again; `describe_due` sends it then."""
        with self.studio.begin() as session:
            catalogue.postpone(session, args[0], until, "Spotify asked to wait")


@app.task(base=DescribeTask, bind=True)
def describe(self: DescribeTask, artist_name: str) -> str:
    """Find out what an artist plays, unless it is known; nothing is asked without a key, or without the right to it."""
    spotify = self.studio.spotify
    if spotify is None or not self.studio.settings.licences.of(catalogue.SPOTIFY).may_store:
        logger.info("nothing is looked up: no SPOTIFY_CLIENT_ID, or SOURCES forbids to store %s", catalogue.SPOTIFY)
        return artist_name
    if not 0 < len(artist_name) <= catalogue.LONGEST_NAME:
        raise InputError(f"an artist is called {artist_name!r}; expected 1 to {catalogue.LONGEST_NAME} characters")
    with self.studio.begin() as session:
        known = catalogue.want(session, artist_name).looked_up_at is not None
    if not known:
        content, reason = _described(artist_name, artists_called(self.studio, spotify, artist_name))
        with self.studio.begin() as session:
            catalogue.record(session, artist_name, content, reason=reason)
    return artist_name


@app.task(bind=True)
def describe_due(self: StudioTask) -> int:
    """Send the look-ups whose time has come, and forget what is too old (beat); give how many were sent."""
    with self.studio.begin() as session:
        catalogue.forget_old(session)
        names = catalogue.due(session, most=MOST) if self.studio.spotify is not None else []
    for name in names:
        describe.delay(name)
    return len(names)


def look_up(studio: Studio, spotify: "SpotifyClient", question: "Question") -> Any:  # noqa: ANN401 (Spotify's JSON)
    """Ask Spotify inside its limits, or give what it said less than a day ago; None when there is no such thing.

    Raises what `SpotifyClient.once` and `SpotifyClient.ask` raise, and `Wait` when it is not the time to call.
    """

    def ask() -> Any:  # noqa: ANN401 (as above)
        with governed(studio.spotify_governor, f"spotify:{question.key}", owner="market", lease_s=HTTP_CALL_S):
            return spotify.ask(question)

    return spotify.once(question, ask)


def artists_called(studio: Studio, spotify: "SpotifyClient", name: str) -> "list[Artist]":
    """Find the artists of exactly this name, in Spotify's order."""
    from muzikantas.clients import spotify_answers  # noqa: PLC0415 (only who looks up needs it)
    from muzikantas.clients.spotify import Question  # noqa: PLC0415 (as above)

    about = f'artist:"{name.replace(chr(34), " ")}"'  # a quote would end the name
    answer = look_up(studio, spotify, Question(endpoint="search", about=about, kind="artist"))
    found = [spotify_answers.artist(item) for item in spotify_answers.items(answer, "artist")]
    return [artist for artist in found if plain(artist.name) == plain(name)]


def _described(name: str, found: "list[Artist]") -> tuple[dict[str, Any], str | None]:
    """Say what an artist plays; of two of the same name nobody knows which one is meant."""
    if len(found) != 1:
        return {}, f"{len(found) or 'no'} artists are called {name!r} at Spotify"
    (one,) = found
    return {"spotify_id": one.id, "name": one.name, "genres": list(one.genres) if one.genres else None}, None
