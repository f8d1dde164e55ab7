"""The fault script: rules that say which call goes wrong, and how. Kept in the ledger, so it survives a restart."""

import json
from pathlib import Path
from typing import Any, TypedDict

from muzikantas.sandbox.json_values import Json, as_json
from muzikantas.sandbox.ledger import Ledger

Deed = dict[str, Any]


class Rule(TypedDict):
    """One line of a fault script; `match` and `times` may be left out (every call; once)."""

    provider: str
    endpoint: str
    match: dict[str, Any]
    times: int
    do: Deed


#: What every endpoint can be told to do: a plain HTTP answer, a broken connection, a late answer.
_ANYWHERE = frozenset({"http", "status", "retry_after", "error_code", "drop", "delay_s"})

#: The deeds of every endpoint. A deed on `generate` that is no answer stays with the task it hit, and `record-info`
#: and `file` obey it from then on. A new provider or deed is a line here and a reader of it there.
DEEDS: dict[tuple[str, str], frozenset[str]] = {
    ("suno", "generate"): _ANYWHERE
    | {"code", "accept_then_drop", "fail", "refund", "zero_bytes", "html", "expired", "identical_takes"},
    ("suno", "record-info"): _ANYWHERE | {"code"},
    ("suno", "credit"): _ANYWHERE | {"code"},
    ("suno", "file"): _ANYWHERE | {"zero_bytes", "html", "expired", "identical_takes"},
    ("openai", "responses"): _ANYWHERE | {"refusal", "incomplete", "invalid_json"},
    ("distribution", "releases"): _ANYWHERE,
    ("distribution", "streams"): _ANYWHERE | {"html"},
}


class BadScript(ValueError):
    """A fault script that cannot be obeyed; the message names the rule and what is possible."""


def check(script: Json) -> list[Rule]:
    """Read a fault script (parsed JSON), or raise `BadScript`."""
    if not isinstance(script, list):
        raise BadScript(f"a fault script is a JSON list of rules, found {type(script).__name__}")
    return [_checked(rule, number) for number, rule in enumerate(script, start=1)]


def _checked(rule: Json, number: int) -> Rule:
    where = f"rule {number}"
    if not isinstance(rule, dict) or not isinstance(rule.get("do"), dict):
        raise BadScript(f"{where}: expected an object with provider, endpoint and do, found {as_json(rule)}")
    address = (rule.get("provider", ""), rule.get("endpoint", ""))
    if address not in DEEDS:
        raise BadScript(f"{where}: no endpoint {'/'.join(map(str, address))}; there are {sorted(DEEDS)}")
    if unknown := rule["do"].keys() - DEEDS[address]:
        raise BadScript(f"{where}: {address} cannot do {sorted(unknown)}; it can do {sorted(DEEDS[address])}")
    match = rule.get("match", {})
    if odd := [key for key in match if key != "nth" and not key.endswith("_contains")]:
        raise BadScript(f"{where}: cannot match {odd}; use nth or <field>_contains")
    return Rule(
        provider=address[0], endpoint=address[1], match=match, times=int(rule.get("times", 1)), do=dict(rule["do"])
    )


class Faults:
    """The rules in force."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def load(self, path: Path) -> None:
        """Add the rules of a file, unless this very script was loaded before a restart."""
        text = path.read_text(encoding="utf-8")
        if self._ledger.fact("fault_script", "") != text:
            self.add(json.loads(text))
            self._ledger.set_fact("fault_script", text)

    def add(self, script: Json) -> int:
        """Add rules and give how many there were."""
        rules = check(script)
        for rule in rules:
            self._ledger.rows("INSERT INTO rules (rule) VALUES (?)", as_json(rule))
        return len(rules)

    def clear(self) -> None:
        """Forget all rules; what already stayed with a task stays."""
        self._ledger.rows("DELETE FROM rules")

    def state(self) -> list[dict[str, Any]]:
        """Give all rules with how often each was looked at and obeyed."""
        rows = self._ledger.rows("SELECT * FROM rules ORDER BY number")
        return [json.loads(row["rule"]) | {"seen": row["seen"], "fired": row["fired"]} for row in rows]

    def deed(self, provider: str, endpoint: str, **call: str) -> Deed:
        """Say what to do to this call: the deed of the first rule that applies, or nothing.

        `nth` counts the calls that fit the rest of the rule since the rule was added; the rule is obeyed from the
        nth on, `times` times.
        """
        for row in self._ledger.rows("SELECT * FROM rules ORDER BY number"):
            rule: Rule = json.loads(row["rule"])
            if (rule["provider"], rule["endpoint"]) != (provider, endpoint) or not _fits(rule["match"], call):
                continue
            due = row["seen"] + 1 >= int(rule["match"].get("nth", 1)) and row["fired"] < rule["times"]
            self._ledger.rows(
                "UPDATE rules SET seen = seen + 1, fired = fired + ? WHERE number = ?", int(due), row["number"]
            )
            if due:
                return rule["do"]
        return {}


def _fits(match: dict[str, Any], call: dict[str, str]) -> bool:
    return all(
        str(wanted).lower() in call.get(key.removesuffix("_contains"), "").lower()
        for key, wanted in match.items()
        if key != "nth"
    )
