"""Opt-in tests of the image on a Docker engine."""
