"""The governor: may I call this provider now, with which account, and if not, when. Shared by all workers in Redis."""

from muzikantas.clients.governor.governor import MARGIN_S, Governor
from muzikantas.clients.governor.state import State

__all__ = ["MARGIN_S", "Governor", "State"]
