"""Whether a bad change of persona is taken back in time, and a harmless one left alone."""

from dataclasses import dataclass

import numpy as np

from benchmarks._learning.settings import Market
from benchmarks._learning.world import Career, World, draw_world
from muzikantas.analysis.experiment import Revert, Running, Verdict, interleave, verdict
from muzikantas.analysis.policy import Observation, propose

#: The cycle that first makes tracks with the changed persona, the harm in log outcome, and how soon it must be undone.
CHANGED, HARM, SOON = 12, -1.4, 3
#: A harmless career tries a change whenever none is on trial, from this cycle on.
FIRST_TRIAL = 4


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One change: the first cycle that made tracks with it, and the cycle before which it was judged (None: never)."""

    began: int
    judged: int | None
    reverted: bool


class _Artist:
    """An artist whose persona may be on trial."""

    def __init__(self, world: World, seed: int) -> None:
        self.career = Career(world)
        self.seed = seed
        self.new: set[int] = set()
        self.taken_back: set[int] = set()

    def known(self, cycle: int) -> list[Observation]:
        """What counts: everything but the tracks of changes that were taken back."""
        return [o for o in self.career.observations(cycle) if o.id not in self.taken_back]

    def judge(self, began: int, cycle: int) -> Verdict:
        """Judge the change on trial with what is known."""
        return verdict(self.known(cycle), self.new, self.career.world.space, began=began, cycle=cycle)

    def make(self, cycle: int, *, on_trial: bool, effect: float) -> None:
        """Release a cycle; on trial, half of it with the new persona."""
        rng = np.random.default_rng([self.seed, cycle, 7])
        count = self.career.world.market.slots
        chosen = propose(self.known(cycle), self.career.world.space, count, cycle=cycle, rng=rng)
        dealt = [False] * count
        if on_trial:
            genres, expected = [p.style.genre for p in chosen], [p.expected for p in chosen]
            dealt = list(interleave(genres, expected, cycle=cycle, rng=rng))
        first = len(self.career.genre) + 1
        self.career.release(cycle, [p.style for p in chosen], np.where(dealt, effect, 0.0))
        self.new |= {first + slot for slot, is_new in enumerate(dealt) if is_new}

    def end(self, *, reverted: bool) -> None:
        """Forget which tracks were new; those of a change that was taken back count no longer."""
        if reverted:
            self.taken_back |= self.new
        self.new = set()


def harmful(market: Market, seed: int) -> Trial:
    """Inject a bad change at cycle 12, and see when it is taken back."""
    artist = _Artist(draw_world(market, seed), seed)
    for cycle in range(1, market.cycles + 1):
        if cycle > CHANGED:
            found = artist.judge(CHANGED, cycle)
            if not isinstance(found, Running):
                return Trial(began=CHANGED, judged=cycle, reverted=isinstance(found, Revert))
        artist.make(cycle, on_trial=cycle >= CHANGED, effect=HARM)
    return Trial(began=CHANGED, judged=None, reverted=False)


def harmless(market: Market, seed: int) -> list[Trial]:
    """Try one change after the other, none of which does anything."""
    artist = _Artist(draw_world(market, seed), seed)
    trials = []
    began = FIRST_TRIAL
    for cycle in range(1, market.cycles + 1):
        if cycle > began:
            found = artist.judge(began, cycle)
            if not isinstance(found, Running):
                reverted = isinstance(found, Revert)
                trials.append(Trial(began=began, judged=cycle, reverted=reverted))
                artist.end(reverted=reverted)
                began = cycle + 1
        artist.make(cycle, on_trial=cycle >= began, effect=0.0)
    return trials


def summary(bad: list[Trial], good: list[list[Trial]]) -> dict[str, object]:
    """Shares of the careers."""
    in_time = [t.reverted and t.judged is not None and t.judged <= CHANGED + SOON for t in bad]
    trials = [trial for career in good for trial in career]
    return {
        "reverted_in_time": round(float(np.mean(in_time)), 4),
        "reverted_at_all": round(float(np.mean([t.reverted for t in bad])), 4),
        "false_reverts_a_change": round(float(np.mean([t.reverted for t in trials])), 4) if trials else None,
        "false_reverts_a_career": round(float(np.mean([any(t.reverted for t in career) for career in good])), 4),
        "changes": len(trials),
        "careers": len(bad),
    }
