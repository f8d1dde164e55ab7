"""The operator's `charts import` as a process of its own, which says at its end how much memory it took at most."""

import json
import re
import sys
from pathlib import Path

from muzikantas.cli.app import cli


def peak_mb() -> float:
    """Most memory that this process has had resident; `ru_maxrss` would count its parent's, from before the exec."""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


if __name__ == "__main__":
    cli(["charts", "import", "--json", *sys.argv[1:]], standalone_mode=False)
    print(json.dumps({"peak_memory_mb": peak_mb()}))  # noqa: T201 (its own output)
