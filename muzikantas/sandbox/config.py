"""What a sandbox is started with."""

from dataclasses import dataclass
from pathlib import Path

#: Model names of the gateway's documentation and of its newer clients.
SUNO_MODELS = ("V4", "V4_5", "V4_5PLUS", "V4_5ALL", "V5", "V5_5", "V6", "V6_MINI", "V6_WILD")

KEY_PREFIX = "sandbox"  #: every key that begins so is good, each is an account of its own


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of one sandbox; the command line has one flag for each."""

    data: Path  #: folder of the database and of the audio
    port: int = 0  #: 0 takes a free port; the ready line names it
    host: str = "127.0.0.1"
    seed: int = 7
    generation_seconds: float = 2.0  #: median time from request to SUCCESS
    audio_seconds: float = 22.0
    credits: int = 100_000  #: what every account starts with
    faults: Path | None = None  #: a fault script, loaded once into the database
    suno_models: tuple[str, ...] = SUNO_MODELS
    webhook_key: str = "sandbox-webhook-key"  #: signs the callbacks of gateways that sign
    music_concurrency: int = 5  #: calls at a time that ElevenLabs Music allows a key
    fast_audio: bool = False  #: a jukebox plays in the band's place
    llm_models: tuple[str, ...] = ()  #: empty: every name is good

    @property
    def url(self) -> str:
        """Give the address under which clients reach this server."""
        return f"http://{self.host}:{self.port}"
