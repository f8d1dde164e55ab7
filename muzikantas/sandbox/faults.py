"""The fault script: rules that say which call goes wrong, and how. Kept in the ledger, so it survives a restart."""

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

from muzikantas.sandbox.acceptance import said
from muzikantas.sandbox.book import Task
from muzikantas.sandbox.deeds import Deed, kind_of
from muzikantas.sandbox.fault_rules import BadScript, Rule, check, parse
from muzikantas.sandbox.json_values import Json, as_json
from muzikantas.sandbox.ledger import Ledger
from muzikantas.sandbox.obedience import seeded


class Faults:
    """The rules in force."""

    def __init__(self, ledger: Ledger, *, seed: int) -> None:
        self._ledger, self._seed = ledger, seed
        self._rules: dict[int, Rule] = {}
        self._read()

    def load(self, path: Path) -> None:
        """Add the rules of a file, unless this very script was loaded before a restart. Raises `BadScript`."""
        try:
            text = path.read_text(encoding="utf-8")
            if self._ledger.fact("fault_script", "") != text:
                self.add(parse(text))
                self._ledger.set_fact("fault_script", text)
        except (OSError, ValueError) as error:
            raise BadScript(f"{path}: {error}") from error

    def add(self, script: Json) -> int:
        """Add rules and give how many there were."""
        rules = check(script)
        for rule in rules:
            self._ledger.rows("INSERT INTO rules (rule) VALUES (?)", as_json(rule))
        self._read()
        return len(rules)

    def left(self) -> int:
        """Count the rules that can still hit something."""
        return sum(rule["times"] is None or rule["fired"] < rule["times"] for rule in self.state())

    def clear(self) -> None:
        """Forget all rules; what already stayed with a task stays, and what was applied remains counted."""
        self._ledger.rows("DELETE FROM rules")
        self._read()

    def _read(self) -> None:
        """Keep the rules parsed: they are looked at in every call."""
        rows = self._ledger.rows("SELECT number, rule FROM rules ORDER BY number")
        self._rules = {row["number"]: json.loads(row["rule"]) for row in rows}

    def state(self) -> list[dict[str, Any]]:
        """Give all rules with how often each was looked at and obeyed."""
        rows = self._ledger.rows("SELECT * FROM rules ORDER BY number")
        return [json.loads(row["rule"]) | {"seen": row["seen"], "fired": row["fired"]} for row in rows]

    def applied(self) -> dict[str, Any]:
        """Give how many faults were applied since the beginning, by kind and by provider."""
        by_kind: Counter[str] = Counter()
        by_provider: Counter[str] = Counter()
        for row in self._ledger.rows("SELECT * FROM applied ORDER BY provider, kind"):
            by_kind[row["kind"]] += row["times"]
            by_provider[row["provider"]] += row["times"]
        return {"applied": by_kind.total(), "by_kind": by_kind, "by_provider": by_provider}

    def deed(self, provider: str, endpoint: str, *, said: Json = None, **call: str) -> Deed:
        """Say what to do to this call: the deed of the first rule that applies, or nothing.

        `nth` counts the calls that fit the rest of the rule since the rule was added; the rule is obeyed from the
        nth on, `times` times. A `probability` is drawn from the seed, the rule, `said` (what was asked, without
        addresses) and how often it was said before: so a repetition has a chance of its own.
        """
        for number, rule in self._rules.items():
            if (rule["provider"], rule["endpoint"]) != (provider, endpoint) or not _fits(rule["match"], call):
                continue
            row = self._ledger.rows("UPDATE rules SET seen = seen + 1 WHERE number = ? RETURNING seen, fired", number)[
                0
            ]
            due = row["seen"] >= int(rule["match"].get("nth", 1))
            if due and (rule["times"] is None or row["fired"] < rule["times"]) and self._drawn(number, rule, said):
                self._applied(number, rule)
                return rule["do"]
        return {}

    def of_task(self, endpoint: str, task: Task) -> Deed:
        """Say what to do to a call that concerns a paid task."""
        texts = {"title": task.title, "style": task.style, "reference": str(task.reference)}
        return self.deed(task.provider, endpoint, said=said(task.body), **texts)

    def _drawn(self, number: int, rule: Rule, said: Json) -> bool:
        if "probability" not in rule["match"]:
            return True
        digest = hashlib.blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=16).hexdigest()
        before = self._ledger.number(
            "INSERT INTO draws VALUES (?, ?, 0)"
            " ON CONFLICT (rule, said) DO UPDATE SET times = times + 1 RETURNING times",
            number,
            digest,
        )
        chance = seeded(self._seed, "fault", as_json(rule), digest, str(before)).random()
        return bool(chance < rule["match"]["probability"])

    def _applied(self, number: int, rule: Rule) -> None:
        self._ledger.rows("UPDATE rules SET fired = fired + 1 WHERE number = ?", number)
        self._ledger.rows(
            "INSERT INTO applied VALUES (?, ?, 1) ON CONFLICT (provider, kind) DO UPDATE SET times = times + 1",
            rule["provider"],
            kind_of(rule["do"]),
        )


def _fits(match: dict[str, Any], call: dict[str, str]) -> bool:
    return all(
        str(wanted).lower() in call.get(key.removesuffix("_contains"), "").lower()
        for key, wanted in match.items()
        if key.endswith("_contains")
    )
