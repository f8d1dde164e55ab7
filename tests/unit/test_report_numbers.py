"""The learning curve's numbers against closed forms, the ledger's sums, and the words made of them."""

import doctest
import math
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import muzikantas.report
from muzikantas.analysis.claims import Effect
from muzikantas.models import generation
from muzikantas.models.llm import Tally
from muzikantas.report import charts, curve, diff, ledger, words
from muzikantas.report.ledger import Slot

PAIRS = st.lists(st.tuples(st.integers(1, 6), st.floats(0, 12)), min_size=1, max_size=40)
SENT = Slot(state="complete", attempt=1, sent=True, finished=True, reason=None, credits=12, has_track=True)


@pytest.mark.parametrize("module", [charts, diff, words, muzikantas.report])
def test_examples_in_docstrings_hold(module: ModuleType) -> None:
    result = doctest.testmod(module)

    assert result.attempted > 0
    assert result.failed == 0


def test_standard_error_is_the_pooled_spread_by_root_n() -> None:
    # Deviations ±1 and ±3 with one degree of freedom each: pooled variance (2 + 18) / 2 = 10.
    points = curve.measure([(1, 4.0), (1, 6.0), (2, 3.0), (2, 9.0), (3, 5.0)]).points

    assert [point.mean for point in points] == [5.0, 6.0, 5.0]
    assert [point.error for point in points] == pytest.approx([math.sqrt(5), math.sqrt(5), math.sqrt(10)])


def test_one_track_a_cycle_has_no_error_to_show() -> None:
    assert [point.error for point in curve.measure([(1, 4.0), (2, 6.0)]).points] == [None, None]


def test_trend_agrees_with_an_ordinary_regression() -> None:
    rng = np.random.default_rng(440)
    cycles = np.repeat([2, 3, 5, 9], 5)
    values = 5 + 0.1 * cycles + rng.normal(size=20)

    trend = curve.measure(zip(cycles.tolist(), values.tolist(), strict=True)).trend

    line = stats.linregress(cycles, values)
    reach = stats.t.ppf(0.975, 18) * line.stderr * 7
    assert trend is not None
    assert (trend.first, trend.last) == (2, 9)
    assert [trend.change, trend.low, trend.high] == pytest.approx(
        [line.slope * 7, line.slope * 7 - reach, line.slope * 7 + reach]
    )
    assert trend.visible > reach


@pytest.mark.parametrize("pairs", [[], [(1, 5.0)] * 9, [(1, 5.0), (2, 6.0), (3, 7.0), (4, 8.5)]])
def test_no_trend_from_one_cycle_or_too_few_tracks(pairs: list[tuple[int, float]]) -> None:
    assert curve.measure(pairs).trend is None


@given(PAIRS, st.randoms(use_true_random=False))
def test_order_of_tracks_does_not_matter(pairs: list[tuple[int, float]], random: object) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis publishes no type for its Random

    one, other = curve.measure(pairs), curve.measure(shuffled)

    assert one.tracks == other.tracks == len(pairs)
    assert [p.mean for p in one.points] == pytest.approx([p.mean for p in other.points])


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([], "old enough"),
        ([(1, 5.0), (2, 6.0)], "too little to tell a trend from luck"),
        ([(1, 5.0), (1, 7.0), (2, 5.2), (2, 7.2), (3, 5.0), (3, 7.0)], "includes no change at all"),
        ([(1, 1.0), (1, 1.1), (2, 2.0), (2, 2.1), (3, 3.0), (3, 3.1)], "The rise is more than the luck"),
        ([(1, 3.0), (1, 3.1), (2, 2.0), (2, 2.1), (3, 1.0), (3, 1.1)], "The fall is more than the luck"),
    ],
)
def test_the_sentence_claims_what_the_interval_allows(pairs: list[tuple[int, float]], said: str) -> None:
    assert said in words.learning(curve.measure(pairs))


def test_a_claim_names_its_direction_only_when_supported() -> None:
    sure = Effect("tempo", -0.9, -1.5, -0.3, 0.01, 20, "supported")

    assert words.claim(sure).startswith("Supported: fewer streams")
    assert "fewer" not in words.claim(replace(sure, verdict="not enough data"))


@pytest.mark.parametrize(
    ("slot", "outcome"),
    [
        (SENT, ledger.TRACK),
        (replace(SENT, has_track=False, reason="no audio", state=generation.FAILED), ledger.ENDED),
        (replace(SENT, has_track=False, finished=False, state=generation.SUBMITTED), ledger.UNDER_WAY),
        (replace(SENT, has_track=False, sent=False, finished=False, state=generation.SUBMITTING), ledger.UNDER_WAY),
        (replace(SENT, has_track=False, sent=False, reason="?", state=generation.UNKNOWN), ledger.UNKNOWN),
        (replace(SENT, has_track=False), ledger.LOST),
        (replace(SENT, has_track=False, sent=False, reason="no credits", state=generation.FAILED), None),
        (replace(SENT, has_track=False, sent=False, finished=False, state=generation.INTENDED), None),
    ],
)
def test_every_request_has_one_outcome(slot: Slot, outcome: str | None) -> None:
    assert ledger.outcome(slot) == outcome


SLOTS = st.builds(
    Slot,
    state=st.sampled_from(["intended", "submitting", "submitted", "complete", "failed", "refused", "unknown"]),
    attempt=st.integers(1, 3),
    sent=st.booleans(),
    finished=st.booleans(),
    reason=st.none() | st.just("why"),
    credits=st.integers(0, 20),
    has_track=st.booleans(),
)


@given(st.lists(SLOTS, max_size=30))
def test_the_promise_adds_up(slots: list[Slot]) -> None:
    promise = ledger.promise(slots)
    uses = ledger.credit_uses(slots)

    assert promise.sent == (promise.tracks + promise.ended + promise.under_way + promise.unknown + promise.lost)
    assert promise.sent == sum(use.requests for use in uses)
    assert sum(use.credits for use in uses) == sum(slot.credits for slot in slots if ledger.outcome(slot))


def test_calls_are_added_up_in_the_order_of_the_loop() -> None:
    ok = Tally(purpose="adapt", model="b", state="ok", calls=2, input_tokens=10, output_tokens=20, cost_micros=5)
    failed = replace(ok, purpose="brief", model="a", state="failed", calls=1)
    again = replace(ok, purpose="brief", model="b", calls=3)

    found = ledger.calls([ok, failed, again])

    assert [each.purpose for each in found] == ["brief", "adapt"]
    assert found[0].models == ("a", "b")
    assert dict(found[0].outcomes) == {"failed": 1, "ok": 3}
    assert found[0].cost_micros == 10


@pytest.mark.parametrize(
    ("name", "stem"),
    [("Nova Rey", "nova-rey"), ("../../etc", "etc"), ("Ёлка 3", "елка-3"), ("!!!", "artist"), ("a" * 200, "a" * 60)],
)
def test_a_name_becomes_a_safe_file_name(name: str, stem: str) -> None:
    assert muzikantas.report.slug(name) == stem
