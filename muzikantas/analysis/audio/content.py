"""Is a file that has arrived the recording that was announced? Asked before it is kept."""

from muzikantas.analysis.audio.decode import blocks
from muzikantas.analysis.audio.measure import SHORTEST_S
from muzikantas.domain.errors import UnusableAudio

#: Less than this share of the announced length is a file that was cut on its way; encoders differ by some frames only.
WHOLE = 0.9
#: Quieter than this throughout, as peak of the samples (-60 dBFS), is silence.
SILENCE = 0.001


def check_content(data: bytes, *, announced_s: float | None) -> None:
    """Raise `UnusableAudio` unless `data` decodes to sound, long enough and as long as announced.

    Parameters
    ----------
    data
        The bytes of the file.
    announced_s
        Length that the provider gave, in seconds; None where it gave none: then the file's own header counts.
    """
    stream = blocks(data)
    length_s, loudest = 0.0, 0.0
    for block in stream.blocks:
        length_s += block.shape[1] / stream.sample_rate
        loudest = max(loudest, float(block.max()), -float(block.min()))
    if length_s < SHORTEST_S:
        raise UnusableAudio(f"{length_s:.1f} s of audio; a track has at least {SHORTEST_S:.0f} s")
    announced_s = announced_s or stream.announced_s
    if announced_s and length_s < WHOLE * announced_s:
        raise UnusableAudio(f"truncated: {length_s:.1f} s of audio where {announced_s:.1f} s were announced")
    if not loudest > SILENCE:
        raise UnusableAudio(f"{length_s:.1f} s of silence")
