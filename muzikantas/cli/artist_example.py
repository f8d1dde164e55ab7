"""What `muzikantas artist create --example` prints: a complete file that can be used as it is."""

EXAMPLE = """\
# An artist of the label, for `muzikantas artist create FILE`.
# Every field is here; those with a default say so and may be left out.

name: Nova Rey
language: en                  # of titles and lyrics (ISO 639-1, such as en, de, pt-BR)
countries: [US, DE]           # the markets to play for, two capital letters each

# Who this is. A language model evolves persona and personality in small steps and adds to the backstory.
persona: >-
  Nova Rey writes night music for empty highways and the hour before sunrise. Quiet in interviews, exact in the
  studio, and never twice the same.
backstory: >-
  Nova Rey began with a borrowed four-track recorder and a radio that caught only static.
personality:                  # default: none; traits of your own, each from 0 to 1
  warmth: 0.5
  boldness: 0.4
voice: instrumental           # instrumental (default), female or male

# The style corridor: what may be asked for, by genre. It is yours: no evolution moves it.
# tempo_bpm lies within 60 to 180, the others within 0 to 1; each may be left out and is then free.
corridor:
  dream pop:
    tempo_bpm: [80, 120]
    energy: [0.2, 0.7]
    brightness: [0.2, 0.8]
    valence: [0.1, 0.9]
    percussiveness: [0.1, 0.6]
  synthwave:
    tempo_bpm: [90, 140]

# How the words of a brief become a prompt; each name in braces stands once. The default is this one.
style_template: "{genre}, {tempo}, {energy}, {brightness}, {valence}, {percussiveness}"
negative_tags: ""             # default: none; what the music provider shall avoid, such as "distortion"

slots: 4                      # paid requests a cycle, 1 to 50 (default 4)
policy: learned               # learned (default): plans from what worked; fixed: the middle of the corridor
release_rule: manual          # manual (default): `muzikantas release TRACK`; content_check: all that pass the check
cycle_every_days: 7           # default: none, cycles are started by `muzikantas cycle start`
seed: 7                       # default: from the name; the same seed and history give the same plan

# What may be spent in a calendar month, and in one cycle. Above soft we warn; nothing is bought that would go above
# hard. Default: no limit. `muzikantas artist budget` changes them later.
budget:
  credits_a_month: {soft: 400, hard: 500}
  usd_a_month: {soft: "4.00", hard: "5.00"}
  credits_a_cycle: {hard: 100}
  usd_a_cycle: {hard: "1.00"}
"""
