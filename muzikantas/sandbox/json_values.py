"""JSON as a type and as one line of text."""

import json
from typing import Any

#: Whatever a JSON text can hold. What comes over the wire is checked where it is read.
Json = Any


def as_json(value: Json) -> str:
    """Write a value as one line of JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
