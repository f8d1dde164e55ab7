"""`muzikantas sandbox --faults FILE`: rules from a file, and a good word about a file that is none."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.test_sandbox import Sandbox, song

COMMANDS = [["muzikantas.sandbox"], ["muzikantas", "sandbox", "--port", "0"]]


@pytest.mark.parametrize("command", COMMANDS, ids=["module", "command"])
@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[{"provider": "suno",', "expected JSON"),
        ('[{"provider": "suno", "endpoint": "generate", "do": {"explode": true}}]', "rule 1: suno/generate cannot do"),
    ],
)
def test_a_file_that_cannot_be_obeyed_ends_it_with_a_word(
    tmp_path: Path, command: list[str], text: str, named: str
) -> None:
    file = tmp_path / "rules.json"
    file.write_text(text)
    options = ["--data", str(tmp_path / "data"), "--faults", str(file)]

    ended = subprocess.run(
        [sys.executable, "-m", *command, *options], capture_output=True, text=True, timeout=60, check=False
    )

    assert (ended.returncode, ended.stdout) == (2, "")
    [line] = ended.stderr.splitlines()
    assert line.startswith(f"bad fault script: {file}: ")
    assert named in line


def test_rules_of_a_file_are_obeyed_and_not_begun_anew_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    file.write_text(
        '[{"provider": "suno", "endpoint": "generate", "do": {"code": 455, "http": 503, "retry_after": 7}}]'
    )
    running = Sandbox(tmp_path, "--faults", str(file), "--generation-seconds", "60")
    account = running.new_account()

    answers = [running.post("/api/v1/generate", song("Script"), account) for _ in range(2)]
    running.kill()
    running.start()
    answers.append(running.post("/api/v1/generate", song("Script"), account))
    running.kill()

    assert [(each.status_code, each.json()["code"]) for each in answers] == [(503, 455), (200, 200), (200, 200)]
    assert answers[0].headers["retry-after"] == "7"
    said = (tmp_path / "stderr.log").read_text()
    assert '"rules": 1, "left": 1' in said
    assert '"rules": 1, "left": 0' in said
