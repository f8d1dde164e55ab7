"""Muzikantas: software that runs a record label of virtual artists."""

__version__ = "0.1.0"
