"""The named markets that are reported, and the ones that may be tuned on."""

from dataclasses import replace

from benchmarks._learning.settings import Market

BASE = Market()
NOISY = replace(BASE, luck=1.5, country_luck=0.5, never=0.2)

#: What `--scenario` takes besides `cold start` and `bad persona`, in the order of the table.
MARKETS = {
    "base": BASE,
    "noisy": NOISY,
    "null": replace(BASE, heights=(0.0, 0.0), fondness=0.0, genre_level=0.0, repetition=0.0),
    "null with boredom": replace(BASE, heights=(0.0, 0.0), fondness=0.0, genre_level=0.0),
    "no drift": replace(BASE, drift=0.0, breaks=False),
    "break only": replace(BASE, drift=0.0),
    "misleading first hit": replace(BASE, first_hit=4.0),
    "ridges": replace(BASE, kinds=(0.0, 1.0, 0.0)),
    "two peaks": replace(BASE, kinds=(1.0, 0.0, 0.0), parts=(0.0, 1.0)),
    "no novelty": replace(BASE, repetition=0.0),
    "bad reports": replace(BASE, faults=0.1),
}
#: The scenarios of a run without options.
DEFAULT = ("base", "noisy", "null")

#: Other settings, for tuning: nothing that is tuned here has seen a reported market, nor its seeds.
TUNING = {
    "base": replace(
        BASE,
        kinds=(0.4, 0.2, 0.4),
        parts=(0.6, 0.4),
        heights=(1.5, 4.0),
        width=0.36,
        country_shift=0.12,
        repetition=0.6,
        alike_within=0.2,
        obeys=(0.5, 1.1),
        luck=0.95,
        delays=(0.4, 0.3, 0.2, 0.1),
    ),
    "noisy": replace(
        BASE,
        kinds=(0.5, 0.3, 0.2),
        heights=(1.5, 3.6),
        width=0.46,
        drift=0.015,
        broken_genres=3,
        luck=1.3,
        country_luck=0.6,
        never=0.25,
        alike_within=0.13,
        repetition=1.1,
    ),
}
