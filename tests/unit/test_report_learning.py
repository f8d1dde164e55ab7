"""The report says which outcomes were corrected, which do not count, and what it cannot tell yet."""

from dataclasses import replace

from muzikantas.report import pages
from muzikantas.report.evolution import Evolution
from muzikantas.report.learning import Learning, LostTracks, PromotedTrack
from muzikantas.report.view import OtherPolicy
from tests.unit.test_report_page import FULL


def test_nothing_is_said_where_nothing_was_done() -> None:
    html = pages.render(FULL, {})
    for head in ("Outcomes without promotion", "Outcomes that do not count", "what promotion brought is taken off"):
        assert head not in html


def test_promoted_and_lost_tracks_are_named_with_their_reason_and_escaped() -> None:
    learning = Learning(
        promoted=(PromotedTrack(title="<b>Night</b>", reason="playlist: streams divided by 1.65"),),
        lost=(LostTracks(titles=("One", "Two"), reason="version 3, which wrote it, lost its trial"),),
    )
    html = pages.render(replace(FULL, evolution=Evolution(learning=learning)), {})
    assert "what promotion brought is taken off" in html
    assert "&lt;b&gt;Night&lt;/b&gt;</th><td>playlist: streams divided by 1.65" in html
    assert "One, Two: version 3, which wrote it, lost its trial.</p>" in html


def test_another_policy_is_shown_or_what_it_lacks() -> None:
    lacks = "What following the best guess in every slot would have earned cannot be told yet: too few."
    html = pages.render(replace(FULL, evolution=Evolution(learning=Learning(lacks=lacks))), {})
    assert lacks in html
    assert FULL.findings is not None
    other = OtherPolicy(value=5.4, error=0.1, effective=31.0, earned=5.3, releases=33)
    html = pages.render(replace(FULL, findings=replace(FULL.findings, without_exploring=other)), {})
    assert "Had every slot followed the best guess" in html
    assert "cannot be told yet" not in html
