"""What an embedded judge can read and say: the file `judge.json` in its folder.

spec = EmbeddedSpec.model_validate_json(Path("judge.json").read_bytes())
spec.defect(3)        # ("left_fault", "soft")
"""

from __future__ import annotations

from typing import Literal, cast

from telejudge_envs.nouns.base import SCHEMA_VERSION, Noun
from telejudge_envs.nouns.verdict import Severity
from telejudge_envs.slots import Kinds
from telejudge_judges.scalar_threshold import Threshold

CLEAR = 0
"""The label that says: nothing (more) is wrong with this call."""


class Shape(Noun):
    """Sizes of the network."""

    hidden: int = 128
    own: int = 0
    """Layers that read each candidate by itself, before all are read together."""
    layers: int = 3
    heads: int = 4
    intermediate: int = 384

    candidates: int = 8
    """Candidates of one sheet; larger groups are judged in parts."""
    steps: int = 48
    """Calls of a candidate that can be told apart; with more it is abstained."""
    call: int = 48
    """Tokens read of a call, longer ones are cut."""
    piece: int = 128
    """Tokens read of a call and its result together."""


Placing = Literal["content", "conduct"]
"""What a candidate's place among the others is drawn from: all that is read of it, or its calls'
names and results only, so that an agent cannot try texts in arguments until it stands where it is
judged best."""


class EmbeddedSpec(Noun):
    """The languages of a judge. `defects` are `kind/severity`; their labels count from 1."""

    schema_version: int = SCHEMA_VERSION
    shape: Shape = Shape()
    defects: tuple[str, ...]
    stops: tuple[str, ...]
    """Reasons why an episode ended; another one is read as unknown."""
    slots: dict[str, tuple[tuple[str, str, int], ...]]
    """By world, the kinds of names that are read as slots (telejudge_envs/slots.py). A group of a
    world that is not here is abstained."""
    placing: Placing = "content"
    threshold: Threshold | None = None
    """Of a judge that only scores: its margin of right over wrong is read against this, and it
    writes no defects (scoring.py). None: a judge that writes."""

    @property
    def wrong(self) -> int:
        return len(self.defects) + 1

    @property
    def right(self) -> int:
        return len(self.defects) + 2

    @property
    def labels(self) -> int:
        """How many there are: clear, the defects, wrong, right."""
        return len(self.defects) + 3

    def defect(self, label: int) -> tuple[str, Severity]:
        kind, severity = self.defects[label - 1].split("/")
        return kind, cast("Severity", severity)

    def label(self, kind: str, severity: str) -> int | None:
        """None: a judge of this spec has no word for it."""
        name = f"{kind}/{severity}"
        return self.defects.index(name) + 1 if name in self.defects else None

    def kinds(self, world: str) -> Kinds:
        return self.slots[world]
