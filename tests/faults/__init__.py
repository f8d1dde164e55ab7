"""Breaks things on purpose, at moments drawn from a seed, and counts what was paid, made, lost and left open."""
