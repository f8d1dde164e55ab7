"""Connections that were idle are tried before they are used: their server may have been restarted meanwhile."""

import time
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError

#: Trying costs a round trip, an eighth of what a short transaction costs; one in use a moment ago needs none.
IDLE_S = 5.0


def ping_after_idling(engine: Engine) -> None:
    """Try every connection that has idled for `IDLE_S` when it is checked out; a dead one is replaced."""

    @event.listens_for(engine, "checkin")
    def _note(connection: Any, record: Any) -> None:  # noqa: ANN401, ARG001 (the driver's, SQLAlchemy's)
        record.info["idle_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _try(connection: Any, record: Any, proxy: Any) -> None:  # noqa: ANN401, ARG001 (as above)
        if time.monotonic() - record.info.get("idle_since", time.monotonic()) < IDLE_S:
            return
        try:
            alive = engine.dialect.do_ping(connection)
        except Exception as error:
            raise DisconnectionError from error
        if not alive:
            raise DisconnectionError
