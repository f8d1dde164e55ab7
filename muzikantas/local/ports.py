"""Free ports on loopback that a home folder keeps, so that addresses stay the same from start to start."""

import json
import random
import socket
from pathlib import Path

from muzikantas.domain.errors import MuzikantasError
from muzikantas.local.home import write_private

#: Below the range from which the kernel takes the ports of outgoing connections (32768-60999 by default): a port that
#: is free for a moment, while its server restarts, is not taken by a client of somebody.
PORTS = range(20000, 30000)
TRIES = 200


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        # As the servers do: connections of the past in TIME_WAIT do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def remembered(path: Path, name: str) -> int:
    """The port that `name` had last time when it is free, else a new one, noted in the file `path`."""
    try:
        ports = {str(key): int(value) for key, value in json.loads(path.read_text()).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        ports = {}
    old = ports.get(name)
    if old is not None and is_free(old):
        return old
    ports[name] = _unused(set(ports.values()))
    write_private(path, json.dumps(ports))
    return ports[name]


def _unused(taken: set[int]) -> int:
    for _ in range(TRIES):
        port = random.choice(PORTS)  # noqa: S311 - spreads studios over the range, guards nothing
        if port not in taken and is_free(port):
            return port
    raise MuzikantasError(
        f"No free port on 127.0.0.1 in {TRIES} tries between {PORTS.start} and {PORTS.stop - 1}; "
        "end some of what listens there."
    )
