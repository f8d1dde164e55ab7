"""The server: one database, one fault script, all stand-ins on one port."""

import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp

from muzikantas.sandbox.admin import Admin
from muzikantas.sandbox.answers import RequestLog
from muzikantas.sandbox.config import Config
from muzikantas.sandbox.distribution import Distribution
from muzikantas.sandbox.elevenlabs import ElevenLabs
from muzikantas.sandbox.fault_rules import BadScript
from muzikantas.sandbox.faults import Faults
from muzikantas.sandbox.ledger import Ledger
from muzikantas.sandbox.openai import OpenAI
from muzikantas.sandbox.recorder import Recorder
from muzikantas.sandbox.spotify import Spotify
from muzikantas.sandbox.suno import Suno
from muzikantas.sandbox.suno_rules import KIE, SUNOAPI


def create_app(config: Config) -> ASGIApp:
    """Wire the stand-ins together; what a killed server left is taken up when the app starts."""
    config.data.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(config.data / "ledger.sqlite3")
    faults = Faults(ledger, seed=config.seed)
    if config.faults is not None:
        faults.load(config.faults)
        # What was used up before a restart stays used up; whoever starts the script again by hand has to see that.
        line = {"event": "faults", "file": str(config.faults), "rules": len(faults.state()), "left": faults.left()}
        sys.stderr.write(json.dumps(line) + "\n")
    recorder = Recorder(config, ledger)
    gateways = [
        Suno(dialect, config=config, ledger=ledger, faults=faults, recorder=recorder) for dialect in (SUNOAPI, KIE)
    ]

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        for gateway in gateways:
            gateway.resume()
        yield
        recorder.close()

    app = FastAPI(title="Muzikantas sandbox", openapi_url=None, lifespan=life)
    for gateway in gateways:
        app.include_router(gateway.routes())
    app.include_router(ElevenLabs(config, ledger, faults, recorder).routes())
    app.include_router(OpenAI(config, ledger, faults).routes())
    app.include_router(Spotify(config, ledger, faults).routes())
    app.include_router(Distribution(config, ledger, faults).routes())
    app.include_router(Admin(config, ledger, faults).routes())
    app.add_exception_handler(404, _nowhere)
    app.add_exception_handler(405, _nowhere)
    return RequestLog(app)


async def _nowhere(request: Request, _error: Exception) -> Response:
    """Answer for a path or method that no provider has; the body code is the music gateway's."""
    message = f"Nothing here: {request.method} {request.url.path}"
    return JSONResponse({"code": 404, "msg": message, "data": None}, status_code=404)


class _Server(uvicorn.Server):
    """Says on stdout when it listens."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = (sockets or [])[0].getsockname()[:2]
        sys.stdout.write(json.dumps({"event": "listening", "url": f"http://{host}:{port}", "port": port}) + "\n")
        sys.stdout.flush()


def serve(config: Config) -> None:
    """Serve until SIGINT or SIGTERM; end with status 2 when the fault script cannot be obeyed."""
    listener = socket.create_server((config.host, config.port))
    config = replace(config, port=listener.getsockname()[1])
    try:
        app = create_app(config)
    except BadScript as error:
        sys.stderr.write(f"bad fault script: {error}\n")
        sys.exit(2)
    options = uvicorn.Config(app, http="h11", ws="none", access_log=False, proxy_headers=False, log_level="warning")
    # Callbacks under way may take fifteen seconds; they are owed again after a restart.
    options.timeout_graceful_shutdown = 1
    _Server(options).run(sockets=[listener])
