"""What a model's verdicts are, whatever the format: entries, problems, and the Codec protocol.

    codec = codec_named("json")                          # codecs/: json, boxed, tuple
    read = codec.read(reply, {"k7qm": 5, "p3xd": 0})     # ids as shown, with numbers of calls
    read.entries["k7qm"].answer, [str(p) for p in read.problems]

A codec says how a format is asked for (prompts/format_*.jinja holds the words), reads replies and
writes training targets. All tolerate what surrounds the verdicts (fences, prose, thinking) and
spellings that mean one thing only; what is missing, doubled, out of range or of a wrong type is a
Problem, never a default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from telejudge_envs.nouns.verdict import Defect

ProblemKind = Literal["unparseable", "missing", "extra", "duplicated", "out_of_range", "wrong_type"]

Shown = Mapping[str, int]
"""The candidates of a prompt in the order shown: id to number of calls."""


class Problem(NamedTuple):
    """Something wrong with a reply. `id` is the candidate it spoils, None for the whole reply."""

    kind: ProblemKind
    id: str | None
    detail: str

    def __str__(self) -> str:
        return self.detail


@dataclass(frozen=True)
class Entry:
    """One candidate's verdict as a model gave it, checked."""

    answer: Literal[0, 1]
    tools: float
    defects: tuple[Defect, ...] = ()


@dataclass
class Reading:
    """What a reply says. `entries` holds the sound ones; each problem names what spoils another."""

    entries: dict[str, Entry] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def spoil(self, kind: ProblemKind, name: str | None, detail: str) -> None:
        self.problems.append(Problem(kind, name, detail))


class Codec(Protocol):
    """A verdict format."""

    @property
    def name(self) -> str:
        """As the command line takes it, and as the blocks of prompts/format_*.jinja begin."""
        ...

    def read(self, text: str, shown: Shown) -> Reading:
        """Read a reply; raises nothing, whatever it is."""
        ...

    def write(
        self,
        entries: Mapping[str, Entry],
        appraisals: Mapping[str, str],
        comparison: str,
        *,
        with_tools: bool = True,
    ) -> str:
        """The reply that a perfect student would give: a training target. `entries` in the order
        shown; `read` finds in it what was written, as far as the format holds it. Without
        `with_tools` the tools are left out where the format asks for none: nobody made a call."""
        ...

    def schema(self, shown: Shown, kinds: tuple[str, ...]) -> dict[str, Any] | None:
        """A JSON schema that constrains decoding; None where the format is no JSON."""
        ...


def codec_named(name: str) -> Codec:
    """Raises UsageError naming the codecs when there is none of this name."""
    from telejudge_envs.errors import UsageError
    from telejudge_judges.codecs.boxed import Boxed
    from telejudge_judges.codecs.json_codec import Json
    from telejudge_judges.codecs.tuples import Tuples

    codecs: dict[str, Codec] = {codec.name: codec for codec in (Json(), Boxed(), Tuples())}
    if name not in codecs:
        raise UsageError(f"no verdict format '{name}'; choose {', '.join(codecs)}")
    return codecs[name]
