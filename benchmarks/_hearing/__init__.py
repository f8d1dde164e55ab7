"""The hearing benchmark's parts: tunes, rendering, scores, peers and times."""
