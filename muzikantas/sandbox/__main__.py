"""`python -m muzikantas.sandbox`: the command line of the sandbox."""

import argparse
from pathlib import Path

from muzikantas.sandbox.app import serve
from muzikantas.sandbox.config import SUNO_MODELS, Config


def read_arguments(arguments: list[str] | None = None) -> Config:
    """Turn command-line arguments into a `Config`."""
    parser = argparse.ArgumentParser(prog="python -m muzikantas.sandbox", description="Stand-ins for all providers.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the database and of the audio")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one; the ready line names it")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--seed", type=int, default=7, help="of the market, the synthesis and the writer")
    parser.add_argument("--generation-seconds", type=float, default=2.0, help="median time until SUCCESS")
    parser.add_argument("--audio-seconds", type=float, default=22.0, help="length of a take")
    parser.add_argument("--credits", type=int, default=100_000, help="what every account starts with")
    parser.add_argument("--faults", type=Path, default=None, help="a fault script (JSON)")
    parser.add_argument("--suno-models", nargs="+", default=SUNO_MODELS, help="model names the gateway accepts")
    parser.add_argument("--llm-models", nargs="*", default=(), help="model names the writer accepts (none: all)")
    parser.add_argument("--webhook-key", default="sandbox-webhook-key", help="signs the callbacks of /kie")
    parser.add_argument("--music-concurrency", type=int, default=5, help="calls at a time for a key of /elevenlabs")
    parser.add_argument("--fast-audio", action="store_true", help="a few recordings varied cheaply, for load")
    given = parser.parse_args(arguments)
    return Config(**vars(given) | {name: tuple(vars(given)[name]) for name in ("suno_models", "llm_models")})


if __name__ == "__main__":
    serve(read_arguments())
