"""Where the contract is tried: the sandbox by default, and with `--live` the providers themselves, for money."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from muzikantas.clients.generators import GENERATORS, Generator, generator

#: Path of each stand-in in the sandbox.
SANDBOX_PATHS = {"sunoapi": "", "kie": "/kie", "elevenlabs": "/elevenlabs"}


@dataclass(frozen=True, kw_only=True)
class Target:
    """One provider, real or not, and how long it may take."""

    generator: Generator
    key: str
    tick_s: float
    patience_s: float


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--live",
        action="store_true",
        help="run the contract against the real providers whose key is in LIVE_SUNOAPI_KEY, LIVE_KIE_KEY or "
        "LIVE_ELEVENLABS_KEY; costs one paid request each",
    )


@pytest.fixture(scope="session")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A sandbox process of our own; give its address."""
    data = tmp_path_factory.mktemp("sandbox")
    options = ["--data", str(data), "--generation-seconds", "0.3", "--audio-seconds", "6"]
    with (
        (data / "stderr.log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "muzikantas.sandbox", *options], stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        assert process.stdout is not None
        yield str(json.loads(process.stdout.readline())["url"])
        process.terminate()


@pytest.fixture(scope="session", params=list(GENERATORS))
def target(request: pytest.FixtureRequest) -> Target:
    """Each provider in turn."""
    name = str(request.param)
    if not request.config.getoption("--live"):
        url = request.getfixturevalue("sandbox_url") + SANDBOX_PATHS[name]
        return Target(generator=generator(name, base_url=url), key="sandbox-contract", tick_s=0.5, patience_s=30)
    key = os.environ.get(f"LIVE_{name.upper()}_KEY", "")
    if not key:
        price = GENERATORS[name].facts.credits_per_request
        pytest.skip(f"no LIVE_{name.upper()}_KEY is set; with one this pays one request, about {price} credits")
    # Another server that speaks the same: how this path itself is tried without money.
    url = os.environ.get(f"LIVE_{name.upper()}_URL", "")
    return Target(generator=generator(name, base_url=url), key=key, tick_s=30, patience_s=900)
