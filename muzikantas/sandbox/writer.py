"""A language model's understudy: fills any strict JSON schema by copying the data of the prompt and varying it."""

import json
import re
from collections.abc import Mapping

import numpy as np

from muzikantas.sandbox import phrases
from muzikantas.sandbox.json_values import Json
from muzikantas.sandbox.obedience import seeded

Schema = Mapping[str, Json]

_STEP = 0.05  #: how far a number moves at most
_LIST_LENGTH = 3  #: of lists about which neither schema nor data say anything
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_MISSING = object()


def last_object(text: str) -> dict[str, Json]:
    """Find the last JSON object that stands in a text; an empty one when there is none.

    >>> last_object('Rules {not json}. Old: {"a": 1} New: {"a": 2, "b": {"c": 3}} Go.')
    {'a': 2, 'b': {'c': 3}}
    """
    decoder, found, position = json.JSONDecoder(), {}, text.find("{")
    while position >= 0:
        try:
            value, end = decoder.raw_decode(text, position)
        except ValueError:
            end = position + 1
        else:
            found = value
        position = text.find("{", end)
    return found


class Writer:
    """Fills schemas for one prompt; the same prompt and seed give the same words."""

    def __init__(self, said: str, *, seed: int) -> None:
        self._data = last_object(said)
        self._rng = seeded(seed, "writer", said)
        self._definitions: Mapping[str, Schema] = {}
        self._titles: set[str] = set()

    def prose(self) -> str:
        """Answer a prompt that asks for no schema."""
        return " ".join(self._rng.choice(phrases.SENTENCES, 2, replace=False))

    def fill(self, schema: Schema) -> Json:
        """Give a value that the schema accepts."""
        self._definitions = schema.get("$defs", schema.get("definitions", {}))
        return self._value(schema, "", self._data)

    def _value(self, schema: Schema, name: str, current: Json) -> Json:
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            keep = current in schema["enum"] and self._rng.random() < 0.7
            return current if keep else schema["enum"][int(self._rng.integers(len(schema["enum"])))]
        makers = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "number": self._number,
            "integer": self._integer,
            "boolean": self._boolean,
        }
        maker = makers.get(schema.get("type", "object"))
        return maker(schema, name, current) if maker else None

    def _resolved(self, schema: Schema) -> Schema:
        """Follow references and choose the first alternative that is not null."""
        while True:
            if "$ref" in schema:
                schema = self._definitions[schema["$ref"].rsplit("/", 1)[-1]]
            elif options := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
                schema = next((option for option in options if option.get("type") != "null"), options[0])
            elif isinstance(schema.get("type"), list):
                schema = {**schema, "type": next((kind for kind in schema["type"] if kind != "null"), "null")}
            else:
                return schema

    def _object(self, schema: Schema, _name: str, current: Json) -> dict[str, Json]:
        near = current if isinstance(current, dict) else {}
        properties = schema.get("properties", {})
        return {
            name: self._value(wanted, name, near[name] if name in near else _search(self._data, name))
            for name, wanted in properties.items()
        }

    def _array(self, schema: Schema, name: str, current: Json) -> list[Json]:
        known = current if isinstance(current, list) else []
        count = _search(self._data, "count")
        wanted = count if isinstance(count, int) and _is_about_songs(name) else len(known) or _LIST_LENGTH
        length = min(max(wanted, schema.get("minItems", 0)), schema.get("maxItems", wanted))
        items = schema.get("items", {"type": "string"})
        item_name = name.removesuffix("s")
        return [self._value(items, item_name, known[i] if i < len(known) else _MISSING) for i in range(length)]

    def _string(self, schema: Schema, name: str, current: Json) -> str:
        longest = int(schema.get("maxLength", 4000))
        if "lyrics" in name or name == "lyric":
            return phrases.lyrics(self._rng)[:longest]
        if _is_about_songs(name):
            return self._new_title()[:longest]
        if isinstance(current, str) and current:
            return self._varied(current, longest)
        return str(self._rng.choice(phrases.SENTENCES))[:longest].rstrip()

    def _new_title(self) -> str:
        """Give a title that this answer does not have yet."""
        title = phrases.title(self._rng)
        while title in self._titles:
            title = phrases.title(self._rng)
        self._titles.add(title)
        return title

    def _varied(self, text: str, longest: int) -> str:
        """Change a text a little: prose by a sentence, a list by a phrase; names and single words stay."""
        if not re.search(r"[.!?](\s|$)", text):
            is_list = text.count(",") >= 2
            changed = f"{text}, {self._rng.choice(phrases.TOUCHES)}" if is_list else text
        else:
            changed = self._with_new_sentence(_SENTENCE_END.split(text.strip()))
        return changed if len(changed) <= longest else text[:longest]

    def _with_new_sentence(self, sentences: list[str]) -> str:
        fresh = [sentence for sentence in phrases.SENTENCES if sentence not in sentences]
        new = str(self._rng.choice(fresh)) if fresh else phrases.SENTENCES[0]
        # Only later sentences are replaced: the first says who the artist is. Placeholders are never lost.
        loose = [n for n, text in enumerate(sentences) if n > 0 and not _PLACEHOLDER.search(text)]
        if len(sentences) > 3 and loose:
            sentences[int(self._rng.choice(loose))] = new
        else:
            sentences.append(new)
        return " ".join(sentences)

    def _number(self, schema: Schema, _name: str, current: Json) -> float:
        low, high = _bounds(schema)
        known = isinstance(current, int | float) and not isinstance(current, bool)
        start = float(current) if known else _middle(low, high)
        return round(float(np.clip(start + self._rng.uniform(-_STEP, _STEP), low, high)), 4)

    def _integer(self, schema: Schema, _name: str, current: Json) -> int:
        low, high = _bounds(schema)
        known = isinstance(current, int) and not isinstance(current, bool)
        return int(np.clip(current if known else round(_middle(low, high)), low, high))

    def _boolean(self, _schema: Schema, _name: str, current: Json) -> bool:
        return current if isinstance(current, bool) else bool(self._rng.random() < 0.5)


def _bounds(schema: Schema) -> tuple[float, float]:
    return schema.get("minimum", -np.inf), schema.get("maximum", np.inf)


def _middle(low: float, high: float) -> float:
    """Give a plain value between bounds that may be open: their middle, else the bound there is, else 0.5."""
    if np.isfinite(low) and np.isfinite(high):
        return (low + high) / 2
    return next((bound for bound in (low, high) if np.isfinite(bound)), 0.5)


def _is_about_songs(name: str) -> bool:
    return name.removesuffix("s").endswith("title")


def _search(data: Json, name: str) -> Json:
    """Find the value of a name anywhere in nested data, the outermost first."""
    level = [data]
    while level:
        for item in level:
            if isinstance(item, dict) and name in item:
                return item[name]
        level = [inner for item in level for inner in _inside(item)]
    return _MISSING


def _inside(item: Json) -> list[Json]:
    if isinstance(item, dict):
        return list(item.values())
    return item if isinstance(item, list) else []
