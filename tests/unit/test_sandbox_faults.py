"""Fault scripts: which call a rule hits, that chance is repeatable, and that nonsense is refused."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from muzikantas.sandbox.deeds import CALLBACKS, DEEDS, ELEVENLABS_ERRORS, FIELDS, INCOMPLETE
from muzikantas.sandbox.fault_rules import BadScript, check
from muzikantas.sandbox.faults import Faults
from muzikantas.sandbox.ledger import Ledger
from muzikantas.sandbox.postman import signature
from muzikantas.sandbox.suno_rules import FAILURES, WAV_FAILURES


def faults(folder: Path, *, seed: int = 7) -> Faults:
    return Faults(Ledger(folder / "ledger.sqlite3"), seed=seed)


def rule(do: dict[str, Any], provider: str = "suno", endpoint: str = "generate", **more: Any) -> dict[str, Any]:
    return {"provider": provider, "endpoint": endpoint, "do": do} | more


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        (rule({"callback": "wrong"}), "out_of_order"),
        (rule({"callback": "bad_signature"}), "kie"),
        (rule({"truncated": 1.5}), "truncated"),
        (rule({"fail": "NO_IDEA"}), "GENERATE_AUDIO_FAILED"),
        (rule({"error": "asleep"}, "elevenlabs", "music"), "system_busy"),
        (rule({"code": 455}, match={"probability": 0}), "probability"),
        (rule({"code": 455}, match={"title": "x"}), "title"),
        (rule({}), "do"),
        (rule({"code": 455}, "kie", "wave"), "kie/wave"),
        (rule({"callback": "out_of_order"}, "kie", "wav"), "duplicate, missing, late, bad_signature"),
        (rule({"fail": "GENERATE_AUDIO_FAILED"}, "suno", "wav"), "GENERATE_WAV_FAILED"),
        (rule({"status": "CALLBACK_EXCEPTION"}, "openai", "chat"), "an HTTP status"),
        (rule({"flagged": "boredom"}, "openai", "moderations"), "self-harm"),
        (rule({"expired": 500}), "410"),
        (rule({"keep_days": 0.5}), "whole number of days"),
        (rule({"drop": "yes"}), "true or false"),
        (rule({"http": 42}), "an HTTP status"),
        (rule({"code": 455}, match={"prompt_contains": "x"}), "title_contains"),
        (rule({"code": 455}, match={"nth": 0}), "nth"),
        (rule({"code": 455}, match=["title"]), "object"),
        (rule({"code": 455}, times=0), "null for always"),
        (rule({"code": 455}, time=3), "found also time"),
    ],
)
def test_a_rule_that_cannot_be_obeyed_says_what_could(bad: dict[str, Any], named: str) -> None:
    with pytest.raises(BadScript, match=rf"rule 2: .*{named}"):
        check([rule({"code": 455}), bad])


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[{", "expected JSON: .*line 1 column 3"),
        ('{"do": 1}', "a JSON list of rules, found dict"),
        (None, "No such file"),
    ],
)
def test_a_file_that_is_no_script_is_named(tmp_path: Path, text: str | None, named: str) -> None:
    file = tmp_path / "rules.json"
    if text is not None:
        file.write_text(text)

    with pytest.raises(BadScript, match=rf"rules\.json: .*{named}"):
        faults(tmp_path).load(file)


def test_a_file_is_loaded_once_and_what_it_used_up_stays_so(tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    file.write_text(json.dumps([rule({"code": 455}), rule({"code": 430}, "kie", times=None)]))
    script = faults(tmp_path)
    script.load(file)
    assert (script.left(), script.deed("suno", "generate")) == (2, {"code": 455})

    script = faults(tmp_path)
    script.load(file)

    assert (script.left(), script.deed("suno", "generate")) == (1, {})
    assert script.deed("kie", "generate") == script.deed("kie", "generate") == {"code": 430}


def test_every_word_of_a_script_is_explained() -> None:
    page = (Path(__file__).parents[2] / "docs" / "howto" / "faults.md").read_text()
    words = {word for address, deeds in DEEDS.items() for word in {*address, *deeds}}
    values = {*CALLBACKS, *FAILURES, *WAV_FAILURES, *ELEVENLABS_ERRORS, *INCOMPLETE}
    fields = {field for names in FIELDS.values() for field in names}

    assert {word for word in words | values | fields if f"`{word}`" not in page} == set()
    [example] = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert len(check(json.loads(example))) == 4


def test_a_random_rule_hits_its_share_the_same_calls_for_the_same_seed(tmp_path: Path) -> None:
    hits = []
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        (tmp_path / name).mkdir()
        script = faults(tmp_path / name, seed=seed)
        script.add([rule({"code": 455}, match={"probability": 0.3})])
        hits.append([bool(script.deed("suno", "generate", said={"title": n})) for n in range(400)])

    assert hits[0] == hits[1]
    assert hits[0] != hits[2]
    assert sum(hits[0]) / 400 == pytest.approx(0.3, abs=0.08)  # more than three standard deviations


def test_a_repetition_has_a_chance_of_its_own(tmp_path: Path) -> None:
    script = faults(tmp_path)
    script.add([rule({"code": 455}, match={"probability": 0.5})])

    outcomes = {bool(script.deed("suno", "generate", said={"title": "the same"})) for _ in range(40)}

    assert outcomes == {True, False}


def test_a_random_rule_can_be_limited_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    script = faults(tmp_path)
    script.add([rule({"code": 455}, match={"probability": 1}, times=3)])
    first = [script.deed("suno", "generate", said=n) for n in range(2)]
    script = faults(tmp_path)
    second = [script.deed("suno", "generate", said=n) for n in range(2)]

    assert first == [{"code": 455}] * 2
    assert second == [{"code": 455}, {}]


def test_a_rule_hits_from_the_nth_fitting_call_on(tmp_path: Path) -> None:
    script = faults(tmp_path)
    script.add([rule({"code": 455}, match={"title_contains": "Red", "nth": 2}, times=2)])

    titles = ["red", "blue", "Dark Red", "reddish", "red"]
    assert [bool(script.deed("suno", "generate", title=title)) for title in titles] == [False, False, True, True, False]


def test_applied_faults_are_counted_by_kind_and_stay_counted(tmp_path: Path) -> None:
    script = faults(tmp_path)
    script.add([rule({"callback": "late", "delay_s": 3}, times=2), rule({"silent": True}, "kie", "file")])
    for _ in range(5):
        script.deed("suno", "generate")
        script.deed("kie", "file")
    script.clear()

    assert script.state() == []
    assert script.applied() == {
        "applied": 3,
        "by_kind": {"callback:late": 2, "silent": 1},
        "by_provider": {"kie": 1, "suno": 2},
    }


def test_a_signature_is_the_documented_one() -> None:
    # openssl: printf 'task-1.1700000000' | openssl dgst -sha256 -hmac secret -binary | base64
    assert signature("task-1", 1_700_000_000, "secret") == "d7fNVF/v83lUPr7IWFjHtSQPN1XaA/d2zjN28E+JjLM="
