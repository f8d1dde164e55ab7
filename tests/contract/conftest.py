"""Where the contract is tried: the sandbox by default, and with `--live` the providers themselves, for money."""

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from muzikantas.clients.generators import GENERATORS, Generator, generator
from muzikantas.domain.brief import Brief, JobState, Submitted

#: Path of each stand-in in the sandbox.
SANDBOX_PATHS = {"sunoapi": "", "kie": "/kie", "elevenlabs": "/elevenlabs"}

_NUMBERS = itertools.count()


@dataclass(frozen=True, kw_only=True)
class Target:
    """One provider, real or not, and how long it may take."""

    generator: Generator
    key: str
    tick_s: float
    patience_s: float


@dataclass(frozen=True, kw_only=True)
class Paid:
    """One paid request, followed to its end."""

    before: int | None
    after: int | None
    submitted: Submitted
    state: JobState | None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--live",
        action="store_true",
        help="run the contract against the real providers whose key is in LIVE_SUNOAPI_KEY, LIVE_KIE_KEY, "
        "LIVE_ELEVENLABS_KEY or LIVE_OPENAI_KEY; costs one paid request each, and at a gateway one WAV",
    )


@pytest.fixture(scope="session")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A sandbox process of our own; give its address."""
    data = tmp_path_factory.mktemp("sandbox")
    options = ["--data", str(data), "--generation-seconds", "0.3", "--audio-seconds", "6", "--fast-audio"]
    with (
        (data / "stderr.log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "muzikantas.sandbox", *options], stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        assert process.stdout is not None
        yield str(json.loads(process.stdout.readline())["url"])
        process.terminate()


def stand_in(name: str, sandbox_url: str) -> Target:
    """Give a provider's stand-in, with a key that nobody has used: the sandbox limits each on its own."""
    made = generator(name, base_url=sandbox_url + SANDBOX_PATHS[name])
    return Target(generator=made, key=f"sandbox-contract-{next(_NUMBERS)}", tick_s=0.35, patience_s=30)


@pytest.fixture(scope="session", params=list(GENERATORS))
def target(request: pytest.FixtureRequest) -> Target:
    """Each provider in turn."""
    name = str(request.param)
    if not request.config.getoption("--live"):
        return stand_in(name, request.getfixturevalue("sandbox_url"))
    key = os.environ.get(f"LIVE_{name.upper()}_KEY", "")
    if not key:
        price = GENERATORS[name].facts.credits_per_request
        pytest.skip(f"no LIVE_{name.upper()}_KEY is set; with one this pays one request, about {price} credits")
    # Another server that speaks the same: how this path itself is tried without money.
    url = os.environ.get(f"LIVE_{name.upper()}_URL", "")
    return Target(generator=generator(name, base_url=url), key=key, tick_s=30, patience_s=900)


@pytest.fixture(scope="session")
def paid(target: Target) -> Paid:
    """The one request of each provider that is paid for where it is real."""
    before = target.generator.credits_left(key=target.key)
    submitted = target.generator.submit(brief(target), key=target.key, reference="contract", callback_url=None)
    state = None if target.generator.facts.synchronous else followed(target, submitted.task_id)
    return Paid(before=before, after=target.generator.credits_left(key=target.key), submitted=submitted, state=state)


@pytest.fixture
def script(request: pytest.FixtureRequest) -> Iterator[Callable[..., None]]:
    """What adds rules to the sandbox's fault script, which is empty again afterwards."""
    if request.config.getoption("--live"):
        pytest.skip("a provider cannot be told to go wrong")
    url = f"{request.getfixturevalue('sandbox_url')}/admin/faults"

    def add(provider: str, endpoint: str, do: dict[str, Any]) -> None:
        answer = requests.post(url, json=[{"provider": provider, "endpoint": endpoint, "do": do}], timeout=5)
        assert answer.json() == {"added": 1}

    yield add
    requests.delete(url, timeout=5)


def brief(target: Target, *, model: str | None = None) -> Brief:
    return Brief(
        style="house, 124 bpm, in A minor, energetic, bright tone, hopeful, driving drums",
        title="Contract",
        lyrics=None,
        negative_tags="",
        vocal_gender=None,
        model=model or target.generator.facts.default_model,
    )


def followed(target: Target, task_id: str) -> JobState:
    """Look at a job until it has ended."""
    state: JobState = until(
        target, lambda: _ended(target.generator.look(task_id, key=target.key)), f"the end of {task_id}"
    )
    return state


def _ended(state: JobState) -> JobState | None:
    return None if state.takes is None and state.failure is None else state


def until(target: Target, ask: Callable[[], Any], what: str) -> Any:
    """Ask at the target's pace until there is an answer."""
    deadline = time.monotonic() + target.patience_s
    while time.monotonic() < deadline:
        if (answer := ask()) is not None:
            return answer
        time.sleep(target.tick_s)
    raise AssertionError(f"{what} did not come in {target.patience_s:.0f} s")
