"""What the rubric tests share: a quick embedder, rubrics for the sample world, a sound server."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Endpoint
from telejudge_envs.nouns.trajectory import Group, Trajectory
from telejudge_envs.nouns.verdict import GroupVerdict
from telejudge_envs.steps import steps_of
from telejudge_judges import practice
from telejudge_judges.practice import Seen
from telejudge_judges.rubric.index import RubricIndex
from telejudge_judges.rubric.items import RubricSet, parse_set
from telejudge_judges.rubric.judge import RubricJudge
from telejudge_judges.rubric.library import Library
from telejudge_judges.rubric.reply import Answer
from telejudge_judges.rubric.score import verdict_of
from telejudge_judges.testing import check_verdict, sample_group

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


# -- judging


def client_at(server: fake.FakeEndpoint, **fields: Any) -> ChatClient:
    given: dict[str, Any] = {"timeout_s": 10, "deadline_s": 20, "max_retries": 1, **fields}
    return ChatClient(Endpoint(base_url=server.base_url, model="m", **given))


def library(rubrics: RubricSet | None = None, **options: Any) -> Library:
    index = asyncio.run(RubricIndex.build(rubrics or sample_rubrics(), Words()))
    return Library(index, **{"items": 1, **options})


def judged(
    script: fake.Script,
    what: Group | None = None,
    books: Library | None = None,
    endpoint: dict[str, Any] | None = None,
    **options: Any,
) -> GroupVerdict:
    with fake.FakeEndpoint(script) as server:
        judge = RubricJudge(
            client_at(server, **(endpoint or {})), library=books or library(), **options
        )
        return run(judge, what or sample_group())


def run(judge: RubricJudge, what: Group) -> GroupVerdict:
    async def once() -> GroupVerdict:
        try:
            verdict = await judge.judge(what)
            check_verdict(what, verdict)
            return verdict
        finally:
            await judge.client.close()

    return asyncio.run(once())


def spoilt(spoil: Callable[[dict[str, Any]], Any], *, repaired: bool) -> fake.Script:
    """First answers are spoilt; `repaired` tells whether the second are sound."""

    def script(request: dict[str, Any], _n: int) -> fake.Reply:
        said = answers(request)
        if repaired and len(request["messages"]) == 4:
            return fake.say(json.dumps({"items": said}))
        changed = spoil(said)
        return changed if isinstance(changed, fake.Reply) else fake.say(str(changed))

    return script


def assert_right(verdict: GroupVerdict, what: Group) -> None:
    chosen = [item for item in sample_rubrics().items if item.core or item.id == "looked"]
    for mine, one in zip(verdict.verdicts, what.trajectories, strict=True):
        truth = {name: Answer(*said, "so") for name, said in truth_of(one).items()}  # type: ignore[arg-type]
        assert mine == verdict_of(one.id, chosen, truth), one.id
