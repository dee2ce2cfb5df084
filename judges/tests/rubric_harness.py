"""What the rubric tests share: a quick embedder, rubrics for the sample world, a sound server."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.nouns.trajectory import Trajectory
from telejudge_envs.steps import steps_of
from telejudge_judges import practice
from telejudge_judges.practice import Seen
from telejudge_judges.rubric.items import RubricSet, parse_set

SAMPLE_RUBRICS = """
world: sample
items:
  - {id: closed, text: It closed the case., about: answer, core: true, essential: true, weight: 1.0}
  - {id: changed, text: It changed something., about: answer, core: true, weight: 1.0}
  - {id: failed, text: A call failed., about: tools, polarity: bad, weight: 0.1, core: true,
     kind: failed_call}
  - {id: moved, text: It was transferred., about: tools, polarity: bad, weight: 0.5, core: true,
     severity: hard, kind: needless_transfer}
  - {id: looked, text: It looked at picture messages first., about: tools, weight: 0.2,
     kind: never_looked}
  - {id: rested, text: It waited for the weather., about: tools, weight: 0.2}
cases:
  - {id: mms, ticket: Picture messages (MMS) cannot be sent., items: [looked]}
"""

Truth = Callable[[Seen], int | bool | None]
"""A step, None for the whole trajectory, False when the statement is false."""


def _failed(seen: Seen) -> int | bool | None:
    return seen.failed[0] if seen.failed else False


def _moved(seen: Seen) -> int | bool | None:
    moves = [i for i, name in enumerate(seen.calls) if name.startswith("transfer_to_human")]
    return moves[0] if moves else False


def _looked(seen: Seen) -> int | bool | None:
    return 0 if seen.calls[:1] == ("look",) else False


TRUTHS: Mapping[str, Truth] = {
    "It closed the case.": lambda seen: None if seen.ended in practice._CLOSED else False,
    "It changed something.": lambda seen: None if seen.changes else False,
    "A call failed.": _failed,
    "It was transferred.": _moved,
    "It looked at picture messages first.": _looked,
}


def sample_rubrics() -> RubricSet:
    return parse_set(SAMPLE_RUBRICS, "sample")


class Words:
    """An embedder that counts words: texts with the same words point the same way."""

    name = "words 1"

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.zeros((len(texts), 64), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                row[int(hashlib.sha256(word.encode()).hexdigest(), 16) % 64] += 1.0
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def asked(request: Mapping[str, Any]) -> dict[str, str]:
    """The statements that a request wants answered, by name."""
    text = fake.texts(request)[0]
    statements = dict(re.findall(r"^(q\d+): (.*)$", text, re.MULTILINE))
    wanted = re.findall(r"\bq\d+\b", fake.texts(request)[-1].rsplit("\n", 1)[-1])
    return {name: statements[name] for name in wanted}


def answers(request: Mapping[str, Any]) -> dict[str, Any]:
    """Right answers, computed from the evidence; `na` to what the harness knows nothing of."""
    (seen,) = practice.read_evidence(fake.texts(request)[0]).values()
    said = {}
    for name, statement in asked(request).items():
        if statement not in TRUTHS:
            said[name] = {"verdict": "na", "step": None}
            continue
        shown = TRUTHS[statement](seen)
        step = None if isinstance(shown, bool) else shown
        said[name] = {"verdict": "no" if shown is False else "yes", "step": step, "reason": "so"}
    return said


def answer(request: dict[str, Any], _n: int = 0) -> fake.Reply:
    """A script for FakeEndpoint that answers well."""
    return fake.say(json.dumps({"items": answers(request)}))


def truth_of(trajectory: Trajectory) -> dict[str, tuple[str, int | None]]:
    """Verdict and step for each sample item, from the trajectory itself."""
    steps = steps_of(trajectory)
    seen = Seen(
        calls=tuple(step.call.name for step in steps),
        failed=tuple(step.index for step in steps if step.result.error),
        changes=len(trajectory.changes),
        ended=trajectory.stop,
    )
    told = {}
    for item in sample_rubrics().items:
        shown = TRUTHS[item.text](seen) if item.text in TRUTHS else "na"
        verdict = "na" if shown == "na" else "no" if shown is False else "yes"
        told[item.id] = (verdict, shown if type(shown) is int else None)
    return told
