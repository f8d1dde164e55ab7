"""Listening: recordings in, `Features` out.

One decode, one resampling and one spectrogram carry every feature; each feature is one small function whose
docstring gives its definition, unit, range and source.
"""

from muzikantas.analysis.audio.content import check_content
from muzikantas.analysis.audio.decode import Samples, decode, preview
from muzikantas.analysis.audio.measure import EXTRACTOR, measure, warm_up

__all__ = ["EXTRACTOR", "Samples", "check_content", "decode", "measure", "preview", "warm_up"]
