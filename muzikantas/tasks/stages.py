"""What the tasks of a cycle's stages share: a wait that is too long for a message is written into the cycle."""

from datetime import datetime
from typing import Any

from sqlalchemy import update

from muzikantas.celery import StudioTask
from muzikantas.models.cycle import RUNNING, Cycle


class StageTask(StudioTask):
    """A task about one cycle."""

    abstract = True

    def wait_longer(self, until: datetime, *args: Any) -> None:  # noqa: ANN401 (the cycle's id)
        """Let `reconcile` bring the cycle on at `until`, not before: until then nothing has gone wrong."""
        with self.studio.begin() as session:
            waits = update(Cycle).where(Cycle.id == args[0], Cycle.state == RUNNING)
            session.execute(waits.values(due_at=until))

    at_work = wait_longer
