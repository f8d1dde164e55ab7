"""The whole page, from values written by hand: complete, inert, self-contained, and readable when empty."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser

import pytest

from muzikantas.analysis.claims import Effect
from muzikantas.domain.style import DIMENSIONS, Style
from muzikantas.report import curve, pages, words
from muzikantas.report.clips import Clip
from muzikantas.report.diff import Piece, word_diff
from muzikantas.report.view import (
    Calls,
    CreditUse,
    CycleView,
    FindingsView,
    Habit,
    Head,
    Imprint,
    MoneyView,
    Month,
    PlanItem,
    PlanView,
    Promise,
    Report,
    SlotView,
    TextChange,
    TrackView,
    TraitChange,
    VersionView,
)

NOW = datetime(2026, 11, 21, 6, 14, tzinfo=UTC)
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
VOID = {"meta", "link", "br", "img", "hr", "input"}
SECTIONS = ("learning", "effects", "obedience", "cycles", "persona", "next", "money", "imprint")

TRACK = TrackView(
    id=5,
    audio_key="abc.mp3",
    heard=Style("dream pop", (0.5, 0.4, 0.3, 0.2, 0.1)),
    tempo_bpm=104.2,
    key="F#",
    mode="minor",
    key_confidence=0.9,
    loudness_lufs=-14.2,
    duration_s=185.0,
    first_streams=1234,
    streams=5678,
    release="released 5 Jan 2026 by rule content_check",
)
SLOT = SlotView(
    slot=1,
    attempt=1,
    state="track",
    reason=None,
    title="Salt & Lantern",
    words="dream pop, 104 bpm",
    why="nothing known here yet: spreads around the middle",
    asked=Style("dream pop", (0.5, 0.9, 0.8, 0.7, 0.6)),
    credits=10,
    track=TRACK,
)
PARKED = replace(SLOT, slot=2, state="unknown", reason="the answer never came", track=None)
PLAN = PlanView(
    cycle=1,
    policy="learned",
    made_at=NOW,
    items=(
        PlanItem(
            words="synthwave, 150 bpm",
            reason="synthwave, faster: expected +0.86",
            expected=6.3,
            uncertainty=0.9,
            propensity=0.9,
            evidence=((5, "Salt & Lantern"),),
        ),
    ),
    market={
        "spotify:regional:US": {
            "date": "2026-11-19",
            "entries": 200,
            "new_share": 0.125,
            "mean_move": 4.2,
            "streams": 98765432,
            "top10_share": None,
        }
    },
)
FULL = Report(
    head=Head(
        name="Nova Rey",
        persona="writes night music for empty highways",
        genres=("dream pop", "synthwave"),
        voice="instrumental",
        language="en",
        countries=("US", "DE"),
        policy="learned",
        version=2,
        cycles={"closed": 1},
        tracks=1,
        releases=1,
        waiting=0,
        streams={"sandbox": 5678},
        credits=20,
        usd_micros=7017,
        promise=Promise(sent=2, tracks=1, ended=0, under_way=0, unknown=1, lost=0, again=0),
    ),
    days=7,
    curve=curve.measure([(1, 5.0), (1, 6.0), (2, 5.5), (2, 6.5), (3, 7.0), (3, 6.0)]),
    findings=FindingsView(
        cycle=1,
        made_at=NOW,
        effects=(
            Effect("dream pop", 0.1, -0.5, 0.7, 0.9, 3, "not enough data"),
            Effect("tempo", 0.9, 0.3, 1.5, 0.01, 6, "supported"),
        ),
        releases=6,
        releases_needed=944,
        since=2,
    ),
    habits=tuple(Habit(dimension=name, pairs=((0.2, 0.4),), bias=0.2, spread=0.0) for name in DIMENSIONS),
    cycles=(
        CycleView(
            number=1,
            state="closed",
            stage="adapted",
            reason=None,
            version=1,
            started_at=NOW,
            ended_at=NOW,
            slots=(SLOT, PARKED),
            plan=PLAN,
        ),
    ),
    versions=(
        VersionView(
            version=2,
            kind="evolved",
            parent=1,
            plan_cycle=1,
            reason="the nights grew longer",
            made_at=NOW,
            texts=(TextChange(name="Persona", pieces=word_diff("night music", "late night music")),),
            traits=(TraitChange(name="warmth", before=0.5, now=0.55),),
        ),
        VersionView(
            version=1,
            kind="created",
            parent=None,
            plan_cycle=None,
            reason="created by the operator",
            made_at=NOW,
            texts=(TextChange(name="Persona", pieces=(Piece("same", "night music"),)),),
            traits=(TraitChange(name="warmth", before=None, now=0.5),),
        ),
    ),
    plan=PLAN,
    money=MoneyView(
        months=(
            Month(period="2026-11", unit="credits", spent=20, reserved=0, soft_limit=15, hard_limit=100),
            Month(period="2026-11", unit="usd_micros", spent=7017, reserved=0, soft_limit=None, hard_limit=None),
        ),
        credit_uses=(CreditUse(outcome="became a track", requests=1, credits=10),),
        refunded=0,
        calls=(
            Calls(
                purpose="brief",
                models=("gpt-5-mini",),
                outcomes={"ok": 1, "failed": 2},
                input_tokens=200,
                output_tokens=700,
                cost_micros=1424,
            ),
        ),
    ),
    imprint=Imprint(
        made_at=NOW,
        version="0.1.0",
        extractors=("librosa-0.11/1",),
        disclosed=("composition",),
        rights=("sunoapi (V5), plan sandbox. Terms: nothing here may be released",),
        last_report=date(2026, 1, 26),
    ),
)
#: An artist who was created a moment ago.
EMPTY = replace(
    FULL,
    head=replace(
        FULL.head,
        cycles={},
        tracks=0,
        releases=0,
        streams={},
        credits=0,
        usd_micros=0,
        promise=Promise(sent=0, tracks=0, ended=0, under_way=0, unknown=0, lost=0, again=0),
    ),
    curve=curve.measure([]),
    findings=None,
    habits=(),
    cycles=(),
    versions=FULL.versions[1:],
    plan=None,
    money=MoneyView(months=(), credit_uses=(), refunded=0, calls=()),
    imprint=replace(FULL.imprint, extractors=(), disclosed=(), rights=(), last_report=None),
)
CLIPS = {"abc.mp3": Clip("data:audio/mpeg;base64,SUQz")}


class Page(HTMLParser):
    """Reads a page as a browser does: elements with attributes, text, and what is left open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


@pytest.mark.parametrize("report", [FULL, EMPTY], ids=["full", "empty"])
def test_every_element_is_closed_and_every_section_is_there(report: Report) -> None:
    page = Page(pages.render(report, CLIPS))

    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert set(SECTIONS) <= set(ids)
    links = [a["href"] or "" for tag, a in page.elements if tag == "a"]
    assert {link.removeprefix("#") for link in links} <= set(ids)


@pytest.mark.parametrize("report", [FULL, EMPTY], ids=["full", "empty"])
def test_nothing_is_loaded_from_anywhere(report: Report) -> None:
    html = pages.render(report, CLIPS)

    page = Page(html)
    sources = [a.get("src") or a.get("href") or "" for tag, a in page.elements if tag != "a"]
    assert all(source.startswith("data:") for source in sources if source)
    assert not re.search(r"https?:|//|@import|url\(", html.replace("<!doctype html>", ""))
    policy = next(a["content"] for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "script" not in policy


def test_text_from_outside_is_text() -> None:
    slot = replace(SLOT, title=EVIL, words=EVIL, why=EVIL, reason=EVIL, track=replace(TRACK, release=EVIL))
    plan = replace(
        PLAN,
        items=(replace(PLAN.items[0], reason=EVIL, evidence=((5, EVIL),)),),
        market={EVIL: PLAN.market["spotify:regional:US"]},
    )
    version = replace(FULL.versions[0], reason=EVIL, texts=(TextChange(name="Persona", pieces=word_diff("a", EVIL)),))
    report = replace(
        FULL,
        head=replace(FULL.head, name=EVIL, persona=EVIL, streams={EVIL: 1}),
        cycles=(replace(FULL.cycles[0], reason=EVIL, slots=(slot,), plan=plan),),
        versions=(version,),
        plan=plan,
        imprint=replace(FULL.imprint, rights=(EVIL,)),
    )

    page = Page(pages.render(report, {"abc.mp3": Clip(None, EVIL)}))

    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "img"})
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    # Each field above comes out whole, as text: the title of the page and the headline, persona, reasons and so on.
    assert page.text.count(EVIL) >= 12


def test_a_track_shows_its_player_its_figures_and_its_outcome() -> None:
    page = Page(pages.render(FULL, CLIPS))

    players = [a for tag, a in page.elements if tag == "audio"]
    assert [(a["src"], a["preload"]) for a in players] == [(CLIPS["abc.mp3"].uri, "none")]
    for shown in (
        "Salt & Lantern",
        "104 bpm",
        "F♯ minor",
        f"{words.MINUS}14.2 LUFS",
        "3:05",
        "1,234 streams in 7 days",
        "5,678",
    ):
        assert shown in page.text


def test_what_is_unknown_is_shown_with_its_reason() -> None:
    text = Page(pages.render(FULL, CLIPS)).text

    assert "the answer never came" in text
    assert "1 request ended without an answer" in text
    assert "generations resolve" in text


def test_a_soft_limit_that_is_passed_warns() -> None:
    assert "above the soft limit of 15 credits" in Page(pages.render(FULL, CLIPS)).text


def test_a_missing_clip_says_why() -> None:
    page = Page(pages.render(FULL, {"abc.mp3": Clip(None, "the store no longer holds abc…")}))

    assert "No preview: the store no longer holds abc…." in page.text
    assert "audio" not in {tag for tag, _ in page.elements}


def test_changes_of_the_persona_are_marked() -> None:
    html = pages.render(FULL, CLIPS)

    assert "<ins>late </ins>night music" in html
    assert "<del>0.50</del> <ins>0.55</ins>" in html


def test_an_empty_report_says_what_will_come() -> None:
    text = Page(pages.render(EMPTY, {})).text

    for sentence in (
        "No request has been paid for yet.",
        "No release is old enough for an outcome yet",
        "No cycle has learned yet.",
        "No track has been heard yet.",
        "No plan yet",
        "No cycle has been started.",
        "Nothing has been spent or reserved.",
        "No streams report has come in.",
    ):
        assert sentence in text
    assert "None" not in re.sub(r"None of", "", text)


def test_the_same_report_gives_the_same_page() -> None:
    assert pages.render(FULL, CLIPS) == pages.render(FULL, CLIPS)
