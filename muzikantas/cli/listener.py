"""The process in which `analyze` listens to files: one line in, one line out, within limits on time and memory.

Foreign files meet decoders written in C; what one of them does to this process costs that file alone.
"""

import json
import resource
import signal
import stat
import sys
from pathlib import Path
from typing import Any

from muzikantas.analysis import audio
from muzikantas.analysis.audio.decode import MOST_BYTES
from muzikantas.domain.errors import UnusableAudio

#: An hour of audio takes half a minute; a file that takes this long is one that hangs.
LONGEST_S = 300


def hear(file: str) -> dict[str, Any]:
    """Measure one file; give its features, or the reason why there are none."""
    path = Path(file)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return {"error": "a folder without audio files" if path.is_dir() else "no regular file"}
        with path.open("rb") as source:
            return vars(audio.measure_file(source))
    except OSError as error:
        return {"error": f"cannot be read: {error.strerror}"}
    except UnusableAudio as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": f"needs more than the {MOST_BYTES >> 20} MiB that a listener may have"}
    except Exception as error:  # noqa: BLE001 (what an engine raises on one file must not cost the others)
        return {"error": f"{type(error).__name__}: {error}"}


def main() -> None:
    """Answer line by line until there are no more."""
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    for line in sys.stdin:
        # Nothing catches this alarm: it also ends a decoder that never comes back to Python.
        signal.alarm(LONGEST_S)
        heard = hear(json.loads(line))
        signal.alarm(0)
        sys.stdout.write(json.dumps(heard, allow_nan=False) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
