"""Spotify over real HTTP: each refusal ends in its right state, one of many asks, a day of waiting is one request."""

import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
import requests

from muzikantas.clients import spotify_answers
from muzikantas.clients.governor import Governor
from muzikantas.clients.spotify import Question, SpotifyClient
from muzikantas.domain.accounts import Account, Limits
from muzikantas.domain.errors import Incomplete, InputError, MuzikantasError, Refused, TransientError, Unauthorized
from muzikantas.domain.waiting import Wait
from muzikantas.local import Home, Supervisor, Valkey, remove_servers_folder
from muzikantas.settings import Settings
from muzikantas.studio import Studio
from muzikantas.tasks.catalogue import artists_called, look_up
from tests.integration.test_sandbox import Sandbox

ROOMY = Limits(calls=1000, window_s=30.0, concurrency=50)
DAY_S = 86_400.0


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Valkey alone: the client needs nothing else."""
    home = Home(tmp_path_factory.mktemp("spotify"))
    with Supervisor(home.run, home.logs) as supervisor:
        valkey = Valkey(home)
        supervisor.start([valkey.service()])
        yield valkey.url()
    remove_servers_folder(home)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    running = Sandbox(tmp_path_factory.mktemp("sandbox"))
    yield running
    running.kill()


@pytest.fixture
def worker(url: str, sandbox: Sandbox) -> Iterator[Callable[..., Studio]]:
    """Makes workers, each with its own connection, that share one Redis which nobody used before."""
    redis.Redis.from_url(url).flushdb()
    requests.delete(f"{sandbox.url}/admin/faults", timeout=10)

    def studio(key: str = "sandbox-secret", limits: Limits = ROOMY) -> Studio:
        connection = redis.Redis.from_url(url)
        made = Studio(Settings())
        addresses = {"base_url": f"{sandbox.url}/spotify/v1", "token_url": f"{sandbox.url}/spotify/api/token"}
        client = SpotifyClient(connection, "sandbox-app", key, **addresses)
        governor = Governor(connection, "spotify", [Account(name="app", limits=limits)], usual_s=0.2)
        vars(made).update(spotify=client, spotify_governor=governor, redis=connection)
        return made

    yield studio
    requests.delete(f"{sandbox.url}/admin/faults", timeout=10)


def ask(studio: Studio, endpoint: str = "search", about: str | None = None) -> Any:
    """Look something up that nobody has asked for yet, unless it is named."""
    assert studio.spotify is not None
    return look_up(studio, studio.spotify, Question(endpoint=endpoint, about=about or new()))


def new() -> str:
    return f"Nobody{uuid.uuid4().hex[:12]}"


def sent(sandbox: Sandbox) -> dict[str, int]:
    """Count the requests that the sandbox has had, by endpoint."""
    return dict(sandbox.get("/admin/ledger").json()["spotify_requests"])


def more(sandbox: Sandbox, before: dict[str, int]) -> dict[str, int]:
    return {name: count - before.get(name, 0) for name, count in sent(sandbox).items() if count > before.get(name, 0)}


def paused_s(studio: Studio) -> float:
    governor: Governor = studio.spotify_governor
    ((_, condition),) = governor.state().accounts
    return condition.cooldown_s


def test_an_artist_is_found_and_everything_below_it(worker: Callable[..., Studio]) -> None:
    studio, name = worker(), new()
    assert studio.spotify is not None
    (artist,) = artists_called(studio, studio.spotify, name.lower())
    assert artist.name.lower() == name.lower()
    assert (artist.followers, artist.popularity) == (None, None)
    assert spotify_answers.artist(ask(studio, "artist", artist.id)) == artist
    album, *_ = spotify_answers.items(ask(studio, "artist-albums", f"spotify:artist:{artist.id}"))
    found = spotify_answers.album(ask(studio, "album", album["id"]))
    assert found.label is None
    songs = spotify_answers.items(ask(studio, "album-tracks", found.id))
    assert len(songs) == found.tracks
    song = spotify_answers.song(ask(studio, "track", songs[0]["id"]))
    assert song.artists == (artist.name,)
    assert song.isrc


def test_no_endpoint_and_no_search_is_asked_that_would_be_refused(
    worker: Callable[..., Studio], sandbox: Sandbox
) -> None:
    before = sent(sandbox)
    for wrong in (
        {"endpoint": "audio-features", "about": "4uLU6hMCjMI75M1A2tKUQC"},
        {"endpoint": "search", "about": "x", "limit": 11},
        {"endpoint": "search", "about": "x", "kind": "playlist"},
        {"endpoint": "artist", "about": " "},
    ):
        with pytest.raises(InputError):
            Question(**wrong)
    with pytest.raises(InputError, match="no artist at Spotify"):
        ask(worker(), "artist", "spotify:track:4uLU6hMCjMI75M1A2tKUQC")
    assert "artist" not in more(sandbox, before)


def test_the_sandbox_refuses_what_spotify_does(sandbox: Sandbox) -> None:
    form = {"grant_type": "client_credentials"}
    token = requests.post(f"{sandbox.url}/spotify/api/token", form, auth=("sandbox-a", "sandbox-b"), timeout=10).json()
    account = {"authorization": f"Bearer {token['access_token']}"}
    said = {
        path: sandbox.get(f"/spotify/v1/{path}", account)
        for path in ("audio-features/x", "recommendations", "artists?ids=x", "browse/new-releases", "artists/x")
    }
    assert [answer.status_code for answer in said.values()] == [403, 404, 403, 403, 404]
    assert said["audio-features/x"].json() == {"error": {"status": 403}}
    assert said["artists/x"].json()["error"]["message"] == "Resource not found"
    greedy = sandbox.get("/spotify/v1/search", account, q="x", type="artist", limit="11")
    assert (greedy.status_code, greedy.json()["error"]["message"]) == (400, "Invalid limit")
    assert sandbox.get("/spotify/v1/artists/x", {"authorization": "Bearer other"}).status_code == 401


def test_two_workers_who_ask_at_once_make_one_request(worker: Callable[..., Studio], sandbox: Sandbox) -> None:
    name, before = new(), sent(sandbox)
    sandbox.add_fault("spotify", "search", {"delay_s": 0.5}, query_contains=name)

    def come_until_told(_: int) -> Any:
        studio = worker()
        while True:
            try:
                return ask(studio, about=name)
            except Wait as wait:
                waits.append(wait.until.timestamp() - time.time())
                time.sleep(0.1)

    waits: list[float] = []
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(come_until_told, range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert waits
    assert 0 < min(waits) <= max(waits) <= 2.1
    assert more(sandbox, before) == {"token": 1, "search": 1}


@pytest.mark.parametrize("asked_s", [1, 30, 86_400])
def test_too_fast_cools_down_for_every_worker(worker: Callable[..., Studio], sandbox: Sandbox, asked_s: int) -> None:
    sandbox.add_fault("spotify", "search", {"error": "too_fast", "retry_after": asked_s})
    first, second = worker(), worker()
    ask(second, "artist", "x" * 22)  # the token is there
    before = sent(sandbox)
    with pytest.raises(TransientError) as refused:
        ask(first)
    assert refused.value.retry_after_s == asked_s
    assert asked_s - 1 < paused_s(second) <= asked_s
    with pytest.raises(Wait) as wait:
        ask(second)
    assert wait.value.until.timestamp() - time.time() == pytest.approx(asked_s, abs=1)
    assert more(sandbox, before) == {"search": 1}


def test_over_a_day_of_waiting_nobody_sleeps_and_one_request_was_sent(
    worker: Callable[..., Studio], sandbox: Sandbox
) -> None:
    sandbox.add_fault("spotify", "search", {"error": "too_fast", "retry_after": int(DAY_S)})
    name = new()
    workers = [worker() for _ in range(3)]
    with pytest.raises(TransientError):
        ask(workers[0], about=name)
    before = sent(sandbox)
    for hour in range(1, 24):
        left_s = DAY_S - 3600.0 * hour
        workers[0].redis.pexpire("governor:spotify:pause:app", int(left_s * 1000))  # an hour has passed
        began = time.monotonic()
        for studio in workers:
            with pytest.raises(Wait) as wait:
                ask(studio, about=name)
            assert wait.value.until.timestamp() - time.time() == pytest.approx(left_s, abs=2)
        assert time.monotonic() - began < 1
    assert more(sandbox, before) == {}
    workers[0].redis.pexpire("governor:spotify:pause:app", 1)
    time.sleep(0.05)
    assert ask(workers[1], about=name)["artists"]["items"][0]["name"] == name
    assert more(sandbox, before) == {"search": 1}


def test_an_exceeded_quota_cools_down_though_it_does_not_say_how_long(
    worker: Callable[..., Studio], sandbox: Sandbox
) -> None:
    sandbox.add_fault("spotify", "search", {"error": "quota_exceeded"})
    studio = worker()
    with pytest.raises(TransientError, match="quota") as refused:
        ask(studio)
    assert refused.value.retry_after_s == 3600
    assert paused_s(worker()) > 3500


@pytest.mark.parametrize(
    ("endpoint", "error", "about_all", "kept_s"),
    [
        ("search", "premium", True, 3 * 3600),
        ("search", "premium_text", True, 3 * 3600),
        ("token", "premium", True, 3 * 3600),
        ("search", "removed", False, DAY_S),
        ("search", "gone", False, DAY_S),
        ("artist", "gone", False, DAY_S),
    ],
)
def test_what_is_refused_for_good_is_one_request_and_a_note(
    worker: Callable[..., Studio], sandbox: Sandbox, endpoint: str, error: str, *, about_all: bool, kept_s: float
) -> None:
    sandbox.add_fault("spotify", endpoint, {"error": error})
    first, second = worker(), worker()
    asked = "search" if endpoint == "token" else endpoint
    with pytest.raises(Refused, match="nobody asks again before"):
        ask(first, asked)
    before = sent(sandbox)
    with pytest.raises(Refused, match="refused at"):
        ask(second, asked)
    other = {"search": "artist", "artist": "search"}[asked]
    if about_all:
        with pytest.raises(Refused):
            ask(second, other)
        assert more(sandbox, before) == {}
    else:
        ask(second, other)
        assert more(sandbox, before).keys() == {other}
    assert second.spotify is not None
    (note,) = second.spotify.refusals.standing()
    assert note.what == ("app" if about_all else asked)
    (key,) = second.redis.scan_iter(match="refused:*")
    assert second.redis.pttl(key) / 1000 == pytest.approx(kept_s, abs=60)
    second.redis.delete(key)
    ask(second, asked)


def test_a_wrong_secret_is_tried_once_and_a_new_one_at_once(worker: Callable[..., Studio], sandbox: Sandbox) -> None:
    wrong = worker("nonsense")
    before = sent(sandbox)
    for _ in range(3):
        with pytest.raises(Unauthorized, match="check SPOTIFY_CLIENT_ID"):
            ask(wrong)
    assert more(sandbox, before) == {"token": 1}
    assert ask(worker("sandbox-right"))


def test_a_token_that_expired_is_fetched_anew_but_not_for_ever(worker: Callable[..., Studio], sandbox: Sandbox) -> None:
    studio = worker()
    assert studio.spotify is not None
    ask(studio)
    sandbox.add_fault("spotify", "search", {"error": "expired_token"})
    with pytest.raises(Unauthorized, match="had just been given"):
        ask(studio)
    assert [note.what for note in studio.spotify.refusals.standing()] == ["token"]


def test_an_old_token_that_is_refused_makes_way_for_a_new_one(
    worker: Callable[..., Studio], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("muzikantas.clients.spotify_session.FRESH_S", 0.0)
    studio = worker()
    ask(studio)
    before = sent(sandbox)
    sandbox.add_fault("spotify", "search", {"error": "expired_token"})
    with pytest.raises(TransientError):
        ask(studio)
    ask(studio)
    assert more(sandbox, before) == {"search": 2, "token": 1}


@pytest.mark.parametrize(
    ("endpoint", "do", "error"),
    [
        ("search", {"http": 503, "retry_after": 7}, TransientError),
        ("search", {"drop": True}, TransientError),
        ("search", {"html": True}, Incomplete),
        ("search", {"http": 400}, Refused),
        ("search", {"lacking": ["id"]}, Incomplete),
        ("token", {"http": 500}, TransientError),
        ("token", {"error": "too_fast", "retry_after": 30}, TransientError),
        ("token", {"html": True}, Incomplete),
        ("token", {"lacking": ["expires_in"]}, Incomplete),
        ("token", {"lacking": ["access_token"]}, Incomplete),
    ],
)
def test_every_other_answer_is_one_of_our_errors_and_the_next_is_asked(
    worker: Callable[..., Studio], sandbox: Sandbox, endpoint: str, do: dict[str, Any], error: type[MuzikantasError]
) -> None:
    sandbox.add_fault("spotify", endpoint, do)
    studio, name = worker(), new()
    assert studio.spotify is not None
    with pytest.raises(error) as raised:
        artists_called(studio, studio.spotify, name)
    assert studio.spotify_governor.state().in_flight == {}
    if isinstance(raised.value, TransientError):
        assert raised.value.retry_after_s == do.get("retry_after")
    assert studio.spotify.refusals.standing() == []


def test_fields_that_an_app_does_not_get_are_none(worker: Callable[..., Studio], sandbox: Sandbox) -> None:
    lacking = {"lacking": ["genres", "external_ids", "duration_ms", "artists", "release_date", "album_type"]}
    for endpoint in ("search", "artist-albums", "album-tracks", "track"):
        sandbox.add_fault("spotify", endpoint, lacking)
    studio = worker()
    assert studio.spotify is not None
    (artist,) = artists_called(studio, studio.spotify, new())
    assert artist.genres is None
    (first, *_) = spotify_answers.items(ask(studio, "artist-albums", artist.id))
    album = spotify_answers.album(first)
    assert (album.released_on, album.kind) == (None, None)
    (song, *_) = spotify_answers.items(ask(studio, "album-tracks", album.id))
    heard = spotify_answers.song(ask(studio, "track", song["id"]))
    assert (heard.isrc, heard.duration_ms, heard.artists) == (None, None, ())


def test_nothing_of_an_id_is_nothing_and_nobody_asks_again(worker: Callable[..., Studio], sandbox: Sandbox) -> None:
    studio, key = worker(), uuid.uuid4().hex[:22]
    before = sent(sandbox)
    assert ask(studio, "track", key) is None
    assert ask(studio, "track", key) is None
    assert more(sandbox, before) == {"token": 1, "track": 1}


def test_the_cache_keeps_a_day_and_no_more(worker: Callable[..., Studio]) -> None:
    studio, name = worker(), new()
    ask(studio, about=name)
    (key,) = studio.redis.scan_iter(match="cache:spotify:kept:search:*")
    assert studio.redis.pttl(key) / 1000 == pytest.approx(DAY_S, abs=60)
    assert not list(studio.redis.scan_iter(match="cache:spotify:flight:*"))


def test_without_redis_nobody_asks(sandbox: Sandbox) -> None:
    nowhere = redis.Redis(port=9, socket_connect_timeout=0.2)
    client = SpotifyClient(nowhere, "sandbox-app", "sandbox-secret", base_url=f"{sandbox.url}/spotify/v1")
    before = sent(sandbox)
    with pytest.raises(TransientError, match="no Redis"):
        client.once(Question(endpoint="search", about="x"), lambda: pytest.fail("it was asked"))
    assert more(sandbox, before) == {}


def test_a_look_up_waits_at_the_limit(worker: Callable[..., Studio], sandbox: Sandbox) -> None:
    studio = worker(limits=Limits(calls=1, window_s=60.0, concurrency=5))
    ask(studio)
    before = sent(sandbox)
    with pytest.raises(Wait, match="at its limit"):
        ask(studio)
    assert more(sandbox, before) == {}
