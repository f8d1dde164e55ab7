"""The governor on a real Redis: never more calls in any window, fair shares, leases that expire, cool-downs for all."""

import heapq
import itertools
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis

from muzikantas.clients.governor import MARGIN_S, Governor
from muzikantas.clients.music import accounts
from muzikantas.domain.accounts import Account, Limits
from muzikantas.domain.errors import OutOfCredits, TransientError
from muzikantas.domain.waiting import Wait
from muzikantas.local import Home, Supervisor, Valkey, remove_servers_folder

Make = Callable[..., Governor]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Valkey alone: the governor needs nothing else."""
    home = Home(tmp_path_factory.mktemp("governor"))
    with Supervisor(home.run, home.logs) as supervisor:
        valkey = Valkey(home)
        supervisor.start([valkey.service()])
        yield valkey.url()
    remove_servers_folder(home)


@pytest.fixture
def make(url: str) -> Make:
    """Makes governors, each with its own connection, that all speak for one provider which no other test uses."""
    provider = f"test-{uuid.uuid4().hex}"

    def governor(*limits: Limits, usual_s: float = 1.0, of: str = "") -> Governor:
        accounts = [Account(name=f"account-{number}", limits=each) for number, each in enumerate(limits)]
        return Governor(redis.Redis.from_url(url), provider + of, accounts, usual_s=usual_s)

    return governor


def admitted(governor: Governor, job: str, *, lease_s: float = 60.0, owner: str = "somebody") -> bool:
    try:
        governor.admit(job, owner=owner, lease_s=lease_s)
    except Wait:
        return False
    return True


def wait_s(governor: Governor, job: str, *, lease_s: float = 0.0, owner: str = "somebody") -> float:
    with pytest.raises(Wait) as wait:
        governor.admit(job, owner=owner, lease_s=lease_s)
    return wait.value.until.timestamp() - time.time()


def work(
    governor: Governor, jobs: list[tuple[str, str]], until: set[str], weights: dict[str, float] | None = None
) -> tuple[dict[str, float], int]:
    """Let jobs (name, owner) come when told to, until those named have called; give all waits, and count the visits."""
    agenda = [(0.0, number, *job) for number, job in enumerate(jobs)]
    asked: dict[str, float] = {}
    waited: dict[str, float] = {}
    for visits in itertools.count():
        if until <= waited.keys():
            return waited, visits
        at, number, job, owner = heapq.heappop(agenda)
        time.sleep(max(at - time.time(), 0))
        asked.setdefault(job, time.time())
        try:
            governor.admit(job, owner=owner, lease_s=0, weight=(weights or {}).get(owner, 1.0))
            waited[job] = time.time() - asked[job]
        except Wait as wait:
            heapq.heappush(agenda, (wait.until.timestamp(), number, job, owner))
    raise AssertionError("itertools.count() ended")


def test_in_any_window_there_are_never_more_calls_than_allowed_and_nearly_as_many(make: Make) -> None:
    limits = Limits(calls=5, window_s=0.5, concurrency=100)
    end = time.monotonic() + 4.0

    def call() -> list[tuple[str, float]]:
        governor = make(limits, limits)
        stamps = []
        while time.monotonic() < end:
            try:
                account = governor.admit(uuid.uuid4().hex, owner="somebody", lease_s=0)
                stamps.append((account.name, time.monotonic()))
            except Wait:
                time.sleep(0.01)
        return stamps

    with ThreadPoolExecutor(4) as pool:
        stamps = [stamp for each in [pool.submit(call) for _ in range(4)] for stamp in each.result()]
    by_account = [[at for name, at in stamps if name == account] for account in {name for name, _ in stamps}]
    assert len(by_account) == 2
    for times in by_account:
        assert max(sum(start <= at < start + limits.window_s for at in times) for start in times) <= limits.calls
        assert len(times) >= 3


def test_those_who_wait_are_sent_to_distinct_times_and_come_about_once(make: Make) -> None:
    governor = make(Limits(calls=10, window_s=0.5, concurrency=100))
    jobs = [(str(number), "somebody") for number in range(60)]
    called, arrivals = work(governor, jobs, {job for job, _ in jobs})
    windows = 60 / 10 - 1
    assert windows * (0.5 + MARGIN_S) - 0.1 < max(called.values()) < (windows + 1) * (0.5 + MARGIN_S) * 1.1
    assert arrivals < 3 * len(jobs)
    assert governor.state().waiting == {}


def test_a_refusal_says_when_to_come(make: Make) -> None:
    governor = make(Limits(calls=1, window_s=0.6, concurrency=9))
    assert admitted(governor, "first", lease_s=0)
    seconds = wait_s(governor, "second")
    assert 0.3 < seconds <= 0.6 + MARGIN_S + 0.02
    assert wait_s(governor, "third") == pytest.approx(2 * (0.6 + MARGIN_S), abs=0.1)
    time.sleep(seconds)
    assert admitted(governor, "second", lease_s=0)


def test_an_artist_with_a_thousand_requests_does_not_starve_one_with_five(make: Make) -> None:
    limits = Limits(calls=2, window_s=0.5, concurrency=2)
    few = [(f"few-{number}", "few") for number in range(5)]
    names = {job for job, _ in few}
    alone, _ = work(make(limits, of="alone"), few, names)
    many = [(f"many-{number}", "many") for number in range(1000)]
    among, _ = work(make(limits, of="crowded"), many + few, names)
    # An even share is half of what the provider allows: five calls then take as long as ten alone, and a first window.
    ratio = max(among.values()) / max(alone.values())
    assert ratio < 3.5, f"waited {ratio:.2f} times as long as alone"


def test_weights_share_what_is_allowed(make: Make) -> None:
    governor = make(Limits(calls=1, window_s=0.1, concurrency=1))
    jobs = [(f"{owner}-{number}", owner) for number in range(30) for owner in ("light", "heavy")]
    called, _ = work(governor, jobs, {"light-7"}, weights={"heavy": 3.0})
    assert 20 <= sum(job.startswith("heavy") for job in called) <= 28


def test_leases_bound_the_jobs_in_flight_and_one_job_holds_one(make: Make) -> None:
    governor = make(Limits(calls=100, window_s=1, concurrency=2))
    assert admitted(governor, "a")
    assert admitted(governor, "a")
    assert admitted(governor, "b", owner="another")
    assert governor.state().in_flight == {"somebody": 1, "another": 1}
    assert not admitted(governor, "c")
    assert governor.state().waiting == {"somebody": 1}
    governor.release("a")
    assert admitted(governor, "c")
    assert governor.state().waiting == {}


def test_a_job_that_waits_for_a_slot_comes_when_one_usually_is_free(make: Make) -> None:
    governor = make(Limits(calls=100, window_s=1, concurrency=1), usual_s=20.0)
    assert admitted(governor, "a", lease_s=60)
    assert wait_s(governor, "b", lease_s=60) == pytest.approx(20.0, abs=0.2)
    assert wait_s(governor, "c", lease_s=60) == pytest.approx(40.0, abs=0.2)
    time.sleep(0.4)
    governor.release("a")
    assert admitted(governor, "b", lease_s=60)
    assert wait_s(governor, "c", lease_s=60) == pytest.approx(0.4, abs=0.2)


def test_who_is_first_in_the_queue_is_not_overtaken_unless_he_stays_away(make: Make) -> None:
    governor = make(Limits(calls=1, window_s=0.3, concurrency=9))
    assert admitted(governor, "first", lease_s=0)
    seconds = wait_s(governor, "a waits", owner="a")  # of equal owners, the name comes first that sorts first
    time.sleep(seconds + 0.05)
    assert not admitted(governor, "b comes", owner="b", lease_s=0)
    time.sleep(2.0)
    assert admitted(governor, "b comes", owner="b", lease_s=0)


def test_of_one_owners_jobs_the_one_that_is_here_goes_first_and_passes_nobody_else(make: Make) -> None:
    governor = make(Limits(calls=100, window_s=1, concurrency=1))
    assert admitted(governor, "running", owner="a")
    for job, owner in (("a1", "a"), ("a2", "a"), ("b1", "b")):
        assert not admitted(governor, job, owner=owner)
    governor.release("running")
    assert not admitted(governor, "a2", owner="a")  # b had nothing yet, and is first
    assert admitted(governor, "b1", owner="b")
    governor.release("b1")
    assert admitted(governor, "a2", owner="a")  # in the place of a1, who is not here
    governor.release("a2")
    assert admitted(governor, "a1", owner="a")


def test_a_lost_jobs_lease_expires_and_a_renewed_one_does_not(make: Make) -> None:
    governor = make(Limits(calls=100, window_s=1, concurrency=2))
    assert admitted(governor, "lost", lease_s=0.3)
    assert admitted(governor, "kept", lease_s=0.3)
    governor.renew("kept", 60.0, account=governor.accounts[0].name, owner="somebody")
    assert not admitted(governor, "next")
    time.sleep(0.35)
    assert admitted(governor, "next")
    assert not admitted(governor, "one too many")


def test_a_cool_down_holds_for_every_worker_and_another_account_takes_over(make: Make) -> None:
    limits = Limits(calls=100, window_s=1, concurrency=9)
    one = make(limits)
    one.cool_down(one.accounts[0], 0.4)
    assert 0.2 < wait_s(make(limits), "a") < 0.5
    assert make(limits, limits).admit("b", owner="somebody", lease_s=0).name == "account-1"
    assert one.state().accounts[0][1].refusals == 1
    time.sleep(0.45)
    assert admitted(make(limits), "a", lease_s=0)


def test_an_empty_account_is_left_alone_and_nobody_calls_when_all_are(make: Make) -> None:
    limits = Limits(calls=100, window_s=1, concurrency=9)
    governor = make(limits, limits)
    governor.out_of_credits(governor.accounts[0])
    assert {governor.admit(str(n), owner="somebody", lease_s=0).name for n in range(3)} == {"account-1"}
    governor.out_of_credits(governor.accounts[1])
    with pytest.raises(OutOfCredits, match="account-0, account-1"):
        governor.admit("x", owner="somebody", lease_s=0)


def test_without_redis_nobody_calls() -> None:
    nowhere = redis.Redis(port=9, socket_connect_timeout=0.2)
    account = Account(name="x", limits=Limits(calls=1, window_s=1, concurrency=1))
    with pytest.raises(TransientError, match="no Redis"):
        Governor(nowhere, "x", [account]).admit("job", owner="somebody", lease_s=0)


def test_the_scripts_travel_with_the_package() -> None:
    import muzikantas.clients.governor as package  # noqa: PLC0415 (its folder is what is looked at)

    folder = Path(package.__file__).parent
    assert {path.name for path in folder.glob("*.lua")} == {"admit.lua", "release.lua"}


def test_the_command_shows_the_governors_of_the_settings(url: str) -> None:
    settings = {
        "SUNO_API_KEY": "a,b",
        "MUSIC_PROVIDERS": "sunoapi",
        "KIE_API_KEY": "",
        "ELEVENLABS_API_KEY": "",
        "SUNO_RATE_CALLS": "7",
        "SUNO_RATE_WINDOW_S": "60",  # on a loaded machine the command alone may take ten seconds
        "OPENAI_RATE_CALLS": "9",
        "DISTRIBUTION_BASE_URL": "",
        "SPOTIFY_CLIENT_ID": "",
    }
    environment = {**os.environ, **settings, "REDIS_URL": url, "MUZ_HOME": "/nonexistent/muzikantas"}
    few = Limits(calls=7, window_s=60.0, concurrency=20)
    first, second = accounts("sunoapi", ["a", "b"], few).values()
    Governor(redis.Redis.from_url(url), "sunoapi", [first]).admit("job", owner="artist:1", lease_s=60)
    command = [sys.executable, "-m", "muzikantas", "limits", "--json"]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout
    music, language = json.loads(said)["providers"]
    assert [account["account"] for account in music["accounts"]] == [first.name, second.name]
    used, unused = music["accounts"]
    assert (used["calls"], used["slots"], used["limits"]["calls"], unused["calls"]) == (1, 1, 7, 0)
    assert music["owners"] == {"artist:1": {"waiting": 0, "in_flight": 1}}
    assert (language["provider"], language["accounts"][0]["limits"]["calls"]) == ("openai", 9)
