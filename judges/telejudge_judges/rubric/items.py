"""Rubrics as data: items, the tickets that they were written for, and the files that hold them.

    shipped = starter_sets()                      # what we wrote for both worlds
    own = load_set(Path("my_rubrics.yaml"))       # raises DataError naming item and field
    own.items[0].text

An item is one statement about one candidate that can be answered with yes, no or not applicable.
A file is YAML with `world`, `items` and `cases`; a case is a ticket with the ids of the items that
matter for tickets like it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from telejudge_envs.errors import DataError, MissingExtraError
from telejudge_envs.nouns.base import Noun
from telejudge_envs.nouns.verdict import Severity

ANY_WORLD = "any"


class RubricItem(Noun):
    """A statement about a candidate. It is *failed* when it is false and good, or true and bad."""

    id: str = Field(min_length=1)
    text: str = Field(min_length=1)
    about: Literal["answer", "tools"]
    """Which of the two labels of a verdict it informs."""
    world: str = ANY_WORLD
    """The world it is for; `any` for all."""
    polarity: Literal["good", "bad"] = "good"
    """Whether it is good or bad when the statement is true."""
    weight: float = Field(default=0.2, gt=0.0, le=1.0)
    """About the answer: its share of the vote. About the tools: what failing it costs."""
    severity: Severity = "soft"
    """Of the defect that a failed item becomes."""
    kind: str = "other"
    """Kind of that defect, named as the verifier names it."""
    core: bool = False
    """Asked of every ticket of its world, and never dropped for its hit rate."""
    essential: bool = False
    """About the answer: failing it makes the answer 0 whatever the others say."""
    applies_to: tuple[str, ...] = ()
    """What tickets it is for, in words; empty: all. Part of what the vector index knows of it."""
    source: str = ""
    """Where the statement comes from: a rule of the policy, a chapter of the manual."""

    @property
    def subject(self) -> str:
        """What is embedded: the statement and the tickets that it is for."""
        return ". ".join((self.text.rstrip("."), *self.applies_to))


class RubricCase(Noun):
    """A ticket and the items that matter for tickets like it."""

    id: str = Field(min_length=1)
    ticket: str = Field(min_length=1)
    items: tuple[str, ...] = Field(min_length=1)
    world: str = ANY_WORLD


class RubricSet(Noun):
    """Items and cases; ids are unique, and cases name items of the set."""

    items: tuple[RubricItem, ...]
    cases: tuple[RubricCase, ...] = ()

    def of_world(self, world: str) -> RubricSet:
        """Only what is for this world."""
        wanted = (world, ANY_WORLD)
        return RubricSet(
            items=tuple(i for i in self.items if i.world in wanted),
            cases=tuple(c for c in self.cases if c.world in wanted),
        )


@cache
def starter_sets() -> RubricSet:
    """The rubrics that come with telejudge, for all worlds."""
    folder = resources.files("telejudge_judges.rubric") / "data"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return merge(parse_set(f.read_text(encoding="utf-8"), f.name) for f in files)


def load_set(path: Path) -> RubricSet:
    """The rubrics in a file. Raises DataError saying which item or case is wrong, and how."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"rubric file {path} cannot be read: {error}") from error
    return parse_set(text, str(path))


def parse_set(text: str, where: str) -> RubricSet:
    """The rubrics in the text of a file; `where` names it in errors."""
    try:
        import yaml
    except ImportError as error:
        raise MissingExtraError("PyYAML", "rubric") from error
    try:
        given = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DataError(f"rubric file {where} is not YAML: {error}") from error
    if not isinstance(given, dict) or not isinstance(given.get("items"), list):
        raise DataError(f"rubric file {where} must hold a list `items` and may hold a list `cases`")
    unknown = sorted(map(str, set(given) - {"world", "items", "cases"}))
    if unknown:
        raise DataError(f"rubric file {where}: no field {', '.join(unknown)}")
    world = str(given.get("world") or ANY_WORLD)
    items = tuple(_one(RubricItem, each, world, where) for each in given["items"])
    cases = tuple(_one(RubricCase, each, world, where) for each in given.get("cases") or ())
    return _checked(RubricSet(items=items, cases=cases), where)


def merge(sets: Iterable[RubricSet], where: str = "the rubrics together") -> RubricSet:
    """All sets as one. Raises DataError when two of them use the same id."""
    given = tuple(sets)
    return _checked(
        RubricSet(
            items=tuple(i for one in given for i in one.items),
            cases=tuple(c for one in given for c in one.cases),
        ),
        where,
    )


def _one(noun: type[Any], given: object, world: str, where: str) -> Any:
    if not isinstance(given, dict):
        raise DataError(f"rubric file {where}: an entry is no mapping: {str(given)[:60]!r}")
    try:
        return noun.model_validate({"world": world, **given})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        name = given.get("id", "an entry without id")
        raise DataError(f"rubric file {where}, {name}: {field}: {first['msg']}") from error


def _checked(rubrics: RubricSet, where: str) -> RubricSet:
    for what, ids in (("items", rubrics.items), ("cases", rubrics.cases)):
        twice = [name for name, n in Counter(one.id for one in ids).items() if n > 1]
        if twice:
            raise DataError(f"{where}: {what} with the same id: {', '.join(twice)}")
    known = {item.id for item in rubrics.items}
    for case in rubrics.cases:
        lost = sorted(set(case.items) - known)
        if lost:
            raise DataError(f"{where}, case {case.id} names items that are not there: {lost}")
    return rubrics
