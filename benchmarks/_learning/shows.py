"""What is promised of learning, one figure and one bar each, as far as a run has measured it."""

from collections.abc import Mapping
from typing import Any

#: Scenarios of which the promises name a peer.
JUDGED = ("base", "noisy")


def shows(found: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Compare a run's figures (the object of `Figures`) with the promises; what was not run is left out."""
    return {**_captured(found), **_claimed(found), **_other(found)}


def _captured(found: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """A quarter better than the best peer out of the box, beyond doubt better than the guarded, never below chance."""
    rows: dict[str, dict[str, Any]] = {}
    for name in JUDGED:
        ours = found.get(name, {})
        if ours.get("best_peer") is not None:
            rows[f"1 {name}: capture to 1.25 of the best peer's"] = _above(ours["capture"], 1.25 * ours["best_peer"])
        if ours.get("paired_se"):
            rows[f"1 {name}: standard errors above the best guarded peer"] = _above(
                ours["paired"] / ours["paired_se"], 2
            )
    errors = {name: row["lift_log"] / row["lift_se"] for name, row in found.items() if _lift(row)}
    if errors:
        worst = min(errors, key=lambda name: errors[name])
        rows["1 standard errors above random, in the worst scenario"] = _above(errors[worst], -1) | {"scenario": worst}
    if "after_break_cycles" in found.get("base", {}):
        rows["1 base: cycles to 80 % after the break"] = _below(found["base"]["after_break_cycles"], 6)
    return rows


def _lift(row: object) -> bool:
    return isinstance(row, dict) and bool(row.get("lift_se"))


def _claimed(found: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    if "claims" not in found:
        return {}
    claims = found["claims"]
    rows = {
        f"2 null claims, {who}": _below(claims[f"null_claims_{who}"]["share"], 0.05)
        | {"se": claims[f"null_claims_{who}"]["se"]}
        for who in ("random", "ours")
    }
    return rows | {
        "2 power": _above(claims["power"], 0.8),
        "2 coverage": {"figure": claims["coverage"], "bar": [0.92, 0.97], "met": 0.92 <= claims["coverage"] <= 0.97},
    }


def _other(found: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    rows = {}
    if "cold_start" in found:
        rows["3 cold start: better with what others learnt"] = _above(found["cold_start"]["better"], 0.2)
    if "bad_persona" in found:
        persona = found["bad_persona"]
        rows["4 bad persona reverted within 3 cycles"] = _above(persona["reverted_in_time"], 0.8)
        rows["4 false reverts a change"] = _below(persona["false_reverts_a_change"], 0.1)
    if "lost" in found.get("bad_reports", {}):
        lost = found["bad_reports"]
        rows["5 capture lost with bad reports"] = _below(lost["lost"], 0.1) | {"se": lost["lost_se"]}
    return rows


def _above(figure: float, bar: float) -> dict[str, Any]:
    return {"figure": round(figure, 4), "bar": round(bar, 4), "met": figure >= bar}


def _below(figure: float | None, bar: float) -> dict[str, Any]:
    """Compare with an upper bar; a figure that is never reached does not meet it."""
    return {"figure": figure, "bar": bar, "met": figure is not None and figure <= bar}
