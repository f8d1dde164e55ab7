from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from benchmarks._learning import claimed, score, table
from benchmarks._learning.bounds import Oracle, random_batch
from benchmarks._learning.contest import ORACLE, OURS, RANDOM
from benchmarks._learning.guard import REPETITION, Guard
from benchmarks._learning.optimisers import CmaEs, GaussianProcess
from benchmarks._learning.peers import Asking, GreedyCorrelation, MutateHits, Peer, Static, Told
from benchmarks._learning.runs import Curve, live, run
from benchmarks._learning.scenarios import BASE, MARKETS, TUNING
from benchmarks._learning.settings import Market
from benchmarks._learning.tastes import HILL
from benchmarks._learning.world import Career, alike, bored, draw_world
from muzikantas.analysis.policy import Style

SMALL = replace(BASE, cycles=6, slots=4, break_between=(3, 4))
PUNCTUAL = replace(SMALL, delays=(1.0,), never=0.0)


def lived(market: Market, seed: int = 3) -> Career:
    return run(random_batch, market, seed).career


def test_a_seed_is_a_market_and_luck_is_not_in_the_score() -> None:
    first, again, other = (run(random_batch, SMALL, seed) for seed in (1, 1, 2))
    calm = run(random_batch, replace(SMALL, luck=0.0, country_luck=0.0), 1)
    assert np.array_equal(first.log_response, again.log_response)
    assert not np.array_equal(first.log_response, other.log_response)
    assert np.array_equal(first.log_response, calm.log_response)


def test_without_luck_the_outcome_is_the_expected_response() -> None:
    market = replace(PUNCTUAL, luck=0.0, country_luck=0.0)
    curve = run(random_batch, market, 4)
    outcomes = [o.outcome for o in curve.career.observations(market.cycles + 1)]
    streams = np.expm1(outcomes).reshape(market.cycles, market.slots).sum(axis=1)
    assert streams == pytest.approx(curve.streams * np.exp(market.level))


def test_countries_add_up() -> None:
    for seen in lived(PUNCTUAL).observations(7):
        assert seen.by_country is not None
        assert np.log1p(sum(np.expm1(v) for v in seen.by_country.values())) == pytest.approx(seen.outcome)


@pytest.mark.parametrize("late", [0, 1, 3])
def test_reports_arrive_so_many_cycles_late(late: int) -> None:
    career = lived(replace(PUNCTUAL, delays=(0.0,) * late + (1.0,)))
    for cycle in range(1, 8):
        known = career.observations(cycle)
        assert {o.cycle for o in known if o.weight > 0} == set(range(1, min(cycle - late, 7)))
        assert all(o.outcome == 0.0 for o in known if o.weight == 0)


def test_some_reports_never_arrive_and_faults_lose_double_or_delay_them() -> None:
    assert all(o.weight == 0 for o in lived(replace(PUNCTUAL, never=1.0)).observations(99))
    faulty = lived(replace(BASE, delays=(1.0,), never=0.0, faults=0.3))
    known = faulty.observations(BASE.cycles + 1)
    times = Counter(o.id for o in known if o.weight > 0)
    lost = 1 - len(times) / (BASE.cycles * BASE.slots)
    assert set(times.values()) == {1, 2}
    assert 0.05 < lost < 0.2  # a tenth, and the late ones of the last two cycles
    assert 0.05 < np.mean([n == 2 for n in times.values()]) < 0.17


def test_the_top_of_a_hill_is_its_height_above_the_level_and_nothing_is_higher() -> None:
    market = replace(SMALL, kinds=(1.0, 0.0, 0.0), parts=(1.0,), country_shift=0.0)
    tastes = draw_world(market, 5).tastes
    assert np.all(tastes.kind == HILL)
    genre = np.arange(market.genres)
    top = tastes.log_response(1, genre, tastes.middle[1, :, 0])
    assert top == pytest.approx(tastes.fondness.T + tastes.height)
    anywhere = tastes.log_response(1, np.repeat(genre, 50), np.random.default_rng(0).random((200, market.dimensions)))
    assert np.all(anywhere <= np.repeat(top, 50, axis=0) + 1e-12)
    assert np.all(anywhere >= np.repeat(tastes.fondness.T, 50, axis=0))


def test_the_break_moves_so_many_genres_once_and_leaves_what_was_before() -> None:
    market = replace(BASE, drift=0.0)
    broken, whole = (draw_world(replace(market, breaks=breaks), 8).tastes for breaks in (True, False))
    at = broken.break_cycle
    assert np.array_equal(broken.middle[:at], whole.middle[:at])
    moved = np.any(broken.middle[at:] != whole.middle[at:], axis=(0, 2, 3))
    assert moved.sum() == market.broken_genres
    assert whole.break_cycle > market.cycles


def test_where_nobody_has_a_taste_every_style_is_worth_the_same() -> None:
    market = MARKETS["null"]
    curves = [run(choose, market, 6) for choose in (random_batch, Oracle(draw_world(market, 6)))]
    assert curves[0].log_response == pytest.approx(np.full(market.cycles, market.level))
    assert curves[1].log_response == pytest.approx(curves[0].log_response)


def test_repeating_costs_more_each_time_up_to_a_bound_and_nothing_where_it_is_switched_off() -> None:
    still = replace(MARKETS["null"], disobedience=0.0)
    worth = {}
    for repetition in (0.0, BASE.repetition):
        career = Career(draw_world(replace(still, repetition=repetition), 1))
        same = [Style("genre 1", (0.5,) * BASE.dimensions)]
        worth[repetition] = np.array([career.release(cycle, same)[0] for cycle in range(1, 20)])
    lost = worth[0.0] - worth[BASE.repetition]
    assert lost[0] == pytest.approx(0.0)
    assert lost[1] == pytest.approx(bored(BASE, np.array(BASE.forgotten)))
    assert np.all(np.diff(lost) > 0)
    assert lost[-1] < BASE.repetition


def test_likeness_is_one_for_a_copy_symmetric_and_ends() -> None:
    rng = np.random.default_rng(2)
    values, genre = rng.random((20, 8)), rng.integers(0, 4, 20)
    near = alike(BASE, genre, values, genre, values)
    assert np.diag(near) == pytest.approx(1.0)
    assert near == pytest.approx(near.T)
    far = values + BASE.alike_within
    assert alike(BASE, genre, values, genre, far).diagonal() == pytest.approx(0.0, abs=1e-9)


def test_a_misleading_first_hit_is_the_worst_track_of_the_first_cycle() -> None:
    market = replace(PUNCTUAL, first_hit=6.0)
    hit, plain = lived(market), lived(PUNCTUAL)
    heard = [[o.outcome for o in career.observations(2)] for career in (hit, plain)]
    changed = np.flatnonzero(~np.isclose(heard[0], heard[1]))
    assert len(changed) == 1
    assert int(np.argmax(heard[0])) == changed[0]


def test_the_oracle_is_one_and_random_is_zero() -> None:
    results = []
    for seed in (1, 2):
        world = draw_world(SMALL, seed)
        by_chance, best = live(random_batch, world, seed), live(Oracle(world), world, seed)
        results.append({RANDOM: by_chance, ORACLE: best, OURS: live(Asking(MutateHits(), guarded=True), world, seed)})
    assert score.captures(results, ORACLE) == pytest.approx([1.0, 1.0])
    assert score.captures(results, RANDOM, log=True) == pytest.approx([0.0, 0.0])
    assert np.all(score.captures(results, OURS) < 1.0)


@pytest.mark.parametrize("make", [Static, GreedyCorrelation, MutateHits, CmaEs, GaussianProcess])
@pytest.mark.parametrize("guarded", [True, False])
def test_peers_fill_every_slot_inside_the_space(make: type[Peer], *, guarded: bool) -> None:
    market = replace(SMALL, cycles=4)
    career = live(Asking(make(), guarded=guarded), draw_world(market, 2), 2).career
    assert len(career.genre) == market.cycles * market.slots
    for seen in career.observations(99):
        assert all(0.0 <= value <= 1.0 for value in seen.asked.values)


def test_the_guard_charges_a_copy_in_full_and_draws_again() -> None:
    here = np.full(3, 0.5)
    guard = Guard(np.array([1]), here[None, :], np.array([0.0]), on=True)
    assert guard.loss(np.array([1]), here[None, :])[0] == pytest.approx(REPETITION)
    draws = iter([(1, here), (1, here + 0.4)])
    assert guard.pick(lambda: next(draws))[1] == pytest.approx(here + 0.4)


def test_believing_a_choice_equals_conditioning_on_it_anew() -> None:
    rng = np.random.default_rng(9)
    values, genre = rng.random((12, 3)), rng.integers(0, 2, 12)
    told = Told(tuple(range(12)), genre, values, values, rng.normal(size=12), 2)
    peer = GaussianProcess()
    peer.learn(told, rng)
    before, mean = peer.variance.copy(), peer.mean.copy()
    peer._believe(5)
    believed = peer.variance.copy()
    peer.x, peer.y = np.vstack([peer.x, peer.rows[5]]), np.append(peer.y, mean[5])
    peer._condition()
    assert believed == pytest.approx(peer.variance, abs=1e-6)
    assert peer.mean == pytest.approx(mean, abs=1e-6)
    assert np.all(believed <= before + 1e-12)


def test_cycles_until_a_policy_is_back_after_the_break() -> None:
    def curve(values: list[float]) -> Curve:
        array = np.array(values)
        return Curve(log_response=array, streams=array, spread=0.0, seconds=0.0, break_cycle=6)

    ours = [0.0] * 1 + [1.0] * 4 + [0.1, 0.3, 0.5, 0.81, 0.9]
    results = [{OURS: curve(ours), RANDOM: curve([0.0] * 10), ORACLE: curve([2.0] * 10)}]
    assert score.after_break(results, OURS) == 3
    results[0][OURS] = curve([0.0] * 1 + [1.0] * 4 + [0.1] * 5)
    assert score.after_break(results, OURS) is None


def test_the_planted_effect_has_the_correlation_it_is_named_for() -> None:
    found = [claimed.planted(seed) for seed in range(12)]
    r = [np.corrcoef([o.realised.values[0] for o in seen], [o.outcome for o in seen])[0, 1] for seen, _, _ in found]
    assert all(len(seen) == claimed.RELEASES for seen, _, _ in found)
    assert np.mean(r) == pytest.approx(claimed.TRUE_R, abs=3 * np.std(r) / np.sqrt(len(r)) + 0.01)


def test_tuning_markets_are_not_the_reported_ones() -> None:
    assert not set(TUNING.values()) & set(MARKETS.values())


def test_the_table_has_a_line_a_policy_also_where_nothing_can_be_captured() -> None:
    row = {"lift_log": 0.1, "lift_se": 0.02, "spread": 0.2, "seconds_a_decision": 0.0}
    captured = row | {"capture": 0.3, "se": 0.04, "capture_log": 0.4, "se_log": 0.05, "last_third": 0.5}
    text = table.text({"null": row, "base": captured, "shows": {}, "peers": {"null": {"random": row}, "base": {}}})
    assert text.count("0.100 ± 0.020") == 2
    assert "0.300 ± 0.040" in text
