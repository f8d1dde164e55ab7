"""The stages of the loop as Celery tasks. Most useful from a shell: `evolve_artist.delay(artist_id)`."""

from muzikantas.tasks.cycles import evolve_artist, reconcile
from muzikantas.tasks.market import analyse
from muzikantas.tasks.performance import collect_performance

__all__ = ["analyse", "collect_performance", "evolve_artist", "reconcile"]
