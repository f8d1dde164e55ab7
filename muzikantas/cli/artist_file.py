"""An operator's description of an artist: YAML, checked field by field, an error named by file, line and field."""

import json
import re
import zlib
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from muzikantas.cli.importing import read_text
from muzikantas.domain.errors import InputError
from muzikantas.domain.money import micros
from muzikantas.domain.profile import Bounds, Profile, Value
from muzikantas.models import budget

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
#: The longest genre that the database holds.
GENRE_CHARS = 64
#: Limits above hundreds of billions are typing errors, and still fit the database.
MOST = 10**11


#: Said instead of a regular expression.
FORMS = {
    "language": "expected a language's code such as en or pt-BR",
    "countries": "expected two capital letters such as DE",
}


class Dollars(Value):
    """Limits in dollars: above `soft` we warn, above `hard` nothing is bought; None is no limit."""

    soft: Annotated[Decimal, Field(ge=0, le=MOST)] | None = None
    hard: Annotated[Decimal, Field(ge=0, le=MOST)] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _check_order(self.soft, self.hard)
        return self

    def in_micros(self) -> dict[str, int | None]:
        """Give both limits in millionths of a dollar."""
        return {name: None if value is None else micros(value) for name, value in self}


class Credits(Value):
    """The same two limits in whole credits of the music provider."""

    soft: Annotated[int, Field(ge=0, le=MOST)] | None = None
    hard: Annotated[int, Field(ge=0, le=MOST)] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _check_order(self.soft, self.hard)
        return self


def _check_order(soft: Decimal | int | None, hard: Decimal | int | None) -> None:
    if soft is not None and hard is not None and soft > hard:
        raise ValueError(f"soft is {soft}, above hard, {hard}; a warning comes before the stop")


class Budget(Value):
    """What an artist may spend in a calendar month, and in a cycle; the same money counts in both."""

    credits_a_month: Credits = Credits()
    usd_a_month: Dollars = Dollars()
    credits_a_cycle: Credits = Credits()
    usd_a_cycle: Dollars = Dollars()

    def limits(self) -> Iterator[tuple[str, str, dict[str, int | None]]]:
        """Give unit, template and both limits as the database holds them, one after the other."""
        yield budget.CREDITS, budget.MONTHS, self.credits_a_month.model_dump()
        yield budget.USD_MICROS, budget.MONTHS, self.usd_a_month.in_micros()
        yield budget.CREDITS, budget.CYCLES, self.credits_a_cycle.model_dump()
        yield budget.USD_MICROS, budget.CYCLES, self.usd_a_cycle.in_micros()


class ArtistFile(Profile):
    """Everything an operator says of an artist: the first version of its profile, and how its loop is run."""

    name: str = Field(min_length=1, max_length=200)
    language: str = Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$")
    countries: Sequence[Country] = Field(min_length=1)
    policy: Literal["learned", "fixed"] = "learned"
    release_rule: Literal["manual", "content_check"] = "manual"
    slots: int = Field(default=4, ge=1, le=50)
    cycle_every_days: float | None = Field(default=None, gt=0, le=366)
    seed: int | None = Field(default=None, ge=0, lt=2**63)
    budget: Budget = Budget()

    @field_validator("name")
    @classmethod
    def _no_number(cls, value: str) -> str:
        if value != value.strip() or not value.isprintable():
            raise ValueError(f"{value!r} has spaces around it or characters that cannot be printed")
        if value.isdecimal():
            raise ValueError(f"{value!r} is a number; commands read numbers as ids: add a letter")
        return value

    @model_validator(mode="after")
    def _genres_fit(self) -> Self:
        for genre in self.corridor:
            if not 0 < len(genre.strip()) <= GENRE_CHARS:
                raise ValueError(f"corridor.{genre} is a genre of {len(genre)} characters; expected 1 to {GENRE_CHARS}")
        return self

    def profile(self) -> Profile:
        """Give the first version of the artist."""
        return Profile(**{name: getattr(self, name) for name in Profile.model_fields})

    def columns(self) -> dict[str, Any]:
        """Give the columns of the artist's row; a seed that nobody gave follows from the name."""
        names = ("name", "language", "policy", "release_rule", "slots", "cycle_every_days")
        seed = zlib.crc32(self.name.encode()) if self.seed is None else self.seed
        return {**{name: getattr(self, name) for name in names}, "countries": list(self.countries), "seed": seed}


def read_artist(path: Path) -> ArtistFile:
    """Read and check an artist's file. Raises `InputError` with a line for everything that is wrong."""
    root, data = _parse(path, read_text(path))
    try:
        # Strict, and as JSON: a list may be a pair and a whole number a fraction, but no text becomes a number.
        return ArtistFile.model_validate_json(data, strict=True)
    except ValidationError as error:
        found = sorted(_explain(root, details) for details in error.errors(include_url=False))
        raise InputError("\n".join(f"{path} line {line}: {said}" for line, said in found)) from None


def _parse(path: Path, text: str) -> tuple[yaml.Node, str]:
    """Give the file's nodes, which know their lines, and its content as JSON."""
    try:
        loader = _Plain(text)
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            raise InputError(f"{path} line 1: expected `field: value` lines; see `muzikantas artist create --example`")
        _refuse_doubles(root, path)
        return root, json.dumps(loader.construct_document(root))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise InputError(f"{path} line {mark.line + 1 if mark else 1}: no YAML ({error.problem})") from None
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        raise InputError(f"{path}: no YAML that describes an artist ({error})") from None


class _Plain(yaml.SafeLoader):
    """YAML without yes/no and dates: `NO` is Norway, and a name may look like a day."""

    yaml_implicit_resolvers = {  # noqa: RUF012 (PyYAML's own name and form)
        first: [
            (tag, pattern)
            for tag, pattern in resolvers
            if tag not in {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp"}
        ]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _refuse_doubles(node: yaml.Node, path: Path) -> None:
    """Refuse a field that stands twice: YAML readers silently take the last one."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_doubles(item, path)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: dict[str, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        earlier = seen.setdefault(str(key.value), line)
        if earlier != line:
            raise InputError(f"{path} line {line}: {key.value} stands twice, first on line {earlier}; keep one")
        _refuse_doubles(value, path)


def _explain(root: yaml.Node, details: ErrorDetails) -> tuple[int, str]:
    """Turn one finding of pydantic into a line number and what to say there: field, what was found and expected."""
    place = [str(part) for part in details["loc"]]
    kind, message = details["type"], details["msg"].removeprefix("Value error, ")
    if kind == "value_error":
        said, place = message, _culprit(root, place, message)
    elif kind == "missing":
        said = "this field is missing"
    elif kind == "extra_forbidden":
        said = f"unknown field; expected one of {', '.join(_fields_at(place[:-1]))}"
    else:
        form = FORMS.get(place[0]) if kind == "string_pattern_mismatch" else None
        said = f"found {_short(details['input'])}; {form or message.replace('Input should', 'it should')}"
    return _locate(root, place)[0], ": ".join([*filter(None, [".".join(place)]), said])


def _culprit(root: yaml.Node, place: list[str], message: str) -> list[str]:
    """Find the field that a rule about several fields means: its message begins with the name, or with it in words."""
    words = next((name for name in Profile.model_fields if message.startswith(f"the {name.replace('_', ' ')} ")), None)
    name = re.match(r"\w+(\..+?(?= is ))?", words or message)
    inner = name[0].split(".", 1) if name else []
    deeper = [*place, *("tempo_bpm" if part == "tempo" else part for part in inner)]
    return deeper if _locate(root, deeper)[1] == len(deeper) else place


def _locate(root: yaml.Node, place: Sequence[str]) -> tuple[int, int]:
    """Give the line of the deepest part of `place` that the file has, and how deep that is."""
    node, line = root, root.start_mark.line + 1
    for depth, part in enumerate(place):
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
        elif isinstance(node, yaml.SequenceNode) and part.isdecimal() and int(part) < len(node.value):
            found = (node.value[int(part)],) * 2
        else:
            found = None
        if found is None:
            return line, depth
        line, node = found[0].start_mark.line + 1, found[1]
    return line, len(place)


def _fields_at(place: Sequence[str]) -> Sequence[str]:
    """Name the fields that are known at a place of the file; below `corridor` and `personality` names are free."""
    models: dict[str, type[Value]] = {"budget": Budget}
    models |= dict.fromkeys(("credits_a_month", "credits_a_cycle"), Credits)
    models |= dict.fromkeys(("usd_a_month", "usd_a_cycle"), Dollars)
    model = ArtistFile if not place else models.get(place[-1], Bounds)
    return tuple(model.model_fields)


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:60]}…"
