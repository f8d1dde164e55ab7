"""One embedded stack for all integration tests: PostgreSQL, Valkey, workers, beat and the sandbox, as in production."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from muzikantas.local import remove_servers_folder
from muzikantas.local.stack import Shape, embedded
from tests.integration.label import Label

BEAT = Path(__file__).with_name("beat_fast.py")
#: Short, so that a killed worker's messages come back while a test waits.
VISIBILITY_TIMEOUT_S = 12
#: A key of its own, to be looked for in the logs.
PLANTED_KEY = "sandbox-planted-4c1d9e"
#: Of a second account at the same provider.
SECOND_KEY = "sandbox-second-77ab01"


@pytest.fixture(scope="session")
def label(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Label]:
    """The running stack, seen as a label: make artists, turn cycles, break things."""
    # Whatever the environment names must not matter: here it names servers that do not exist.
    for name in ("DATABASE_URL", "REDIS_URL", "SUNO_BASE_URL", "OPENAI_BASE_URL"):
        os.environ[name] = "postgresql://nobody:nothing@192.0.2.1:5432/elsewhere"
    shape = Shape(
        flower=False,
        durable=False,
        groups={"suno": "2,2", "media": "2,2", "listen": "2,2", "llm": "2,2", "spotify": "1,1", "default": "2,2"},
        sandbox_options=("--generation-seconds", "1.0", "--audio-seconds", "12"),
        overrides={
            "VISIBILITY_TIMEOUT_S": str(VISIBILITY_TIMEOUT_S),
            "RECONCILE_AFTER_S": "3",
            "SUBMIT_DEADLINE_S": "8",
            "SUNO_USUAL_S": "1",
            "SUNO_API_KEY": f"{PLANTED_KEY},{SECOND_KEY}",
            "MUSIC_PROVIDERS": "sunoapi,kie,elevenlabs",
            "KIE_USUAL_S": "1",
            "SUNO_RATE_CALLS": "100",
            "SUNO_RATE_WINDOW_S": "1",
            "BEAT_SCHEDULE": str(BEAT),
        },
    )
    home = tmp_path_factory.mktemp("label")
    with embedded(home, shape) as stack:
        yield Label(stack)
    remove_servers_folder(stack.home)
