"""Listening: recordings in, `Features` out.

One decode, one resampling and one spectrogram carry every feature; each feature is one small function whose
docstring gives its definition, unit, range and source. `docs/howto/features.md` has them all in one table.
"""

from muzikantas.analysis.audio.content import check_content
from muzikantas.analysis.audio.decode import Samples, decode, preview
from muzikantas.analysis.audio.intake import Recording
from muzikantas.analysis.audio.measure import EXTRACTOR, features, measure, measure_file, record, warm_up

__all__ = [
    "EXTRACTOR",
    "Recording",
    "Samples",
    "check_content",
    "decode",
    "features",
    "measure",
    "measure_file",
    "preview",
    "record",
    "warm_up",
]
