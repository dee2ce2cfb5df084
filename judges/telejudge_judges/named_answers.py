"""A reply that answers things by name, read strictly: what is wrong with it, name by name.

    problems = read_named(reply, "items", known=["q1", "q2"], wanted=["q2"], take=take)

`take(name, given)` keeps a sound answer or says what is wrong with it. Fences, prose and thinking
around the JSON are tolerated; inside it nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from telejudge_judges.codec import Problem
from telejudge_judges.codecs.checks import shown_value
from telejudge_judges.codecs.tolerant import find_object

Take = Callable[[str, dict[str, object]], Problem | None]


def read_named(
    text: str, key: str, *, known: Iterable[str], wanted: Iterable[str], take: Take
) -> list[Problem]:
    """Read the object under `key` (a plural, such as `items`); names in `wanted` must be there."""
    names, given = list(known), find_object(text, key)
    if not isinstance(given, dict):
        what = f'there is no complete JSON object with an object "{key}" in it'
        return [Problem("unparseable", None, what)]
    among = f"no {key.removesuffix('s')}; the {key} are {', '.join(names)}"
    problems = [Problem("extra", None, f'"{n}" is {among}') for n in given if n not in names]
    doubled = getattr(given, "doubled", ())
    for name in wanted:
        if name in doubled:
            problems.append(Problem("duplicated", name, f'"{name}" is answered twice'))
        elif name not in given:
            problems.append(Problem("missing", name, f'"{name}" has no answer'))
        elif not isinstance(given[name], dict):
            what = f'"{name}" must be an object, got {shown_value(given[name])}'
            problems.append(Problem("wrong_type", name, what))
        elif problem := take(name, given[name]):
            problems.append(problem)
    return problems
