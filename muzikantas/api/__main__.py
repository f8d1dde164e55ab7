"""`python -m muzikantas.api`: the command line of the callback service."""

import argparse
import sys

import uvicorn

from muzikantas import logs
from muzikantas.api.callbacks import create_app
from muzikantas.domain.errors import InputError
from muzikantas.settings import MUSIC, Settings, settings
from muzikantas.studio import studio

#: More at once than all generations of a label finish in one second; beyond it the provider may call again.
MOST_AT_ONCE = 200


def webhook_keys(given: Settings) -> dict[str, str]:
    """Give the key of each provider whose callbacks are signed."""
    keys = {name: given.music(name).webhook_key.get_secret_value() for name in MUSIC}
    return {name: key for name, key in keys.items() if key}


def main() -> None:
    """Serve until SIGINT or SIGTERM. The access log stays off: a path is a secret of its request."""
    parser = argparse.ArgumentParser(prog="python -m muzikantas.api", description="Hear the providers' callbacks.")
    parser.add_argument("--host", default="127.0.0.1", help="put a proxy with TLS before any other address")
    parser.add_argument("--port", type=int, default=8770)
    given = parser.parse_args()
    logs.set_up(settings())
    uvicorn.run(
        create_app(studio(), webhook_keys=webhook_keys(settings())),
        host=given.host,
        port=given.port,
        http="h11",
        ws="none",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        log_config=None,
        limit_concurrency=MOST_AT_ONCE,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.stderr.write(f"muzikantas: {error}\n")
        sys.exit(2)
