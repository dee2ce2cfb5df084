"""The embedded judge: generative, listwise, a million weights a world, and ships with us.

    judge = EmbeddedJudge()                    # the shipped one; or EmbeddedJudge(folder)
    verdict = await judge.judge(group)

It reads the ticket and all candidates' calls with their results (reading.py) in one sequence, and
writes for each candidate the defects of each call and then right or wrong (sheet.py, writing.py).
No endpoint, no key, no ground truth: what it knows it learned from groups whose truth was known
(`telejudge train embedded-judge`). Rewards follow from its verdicts by the same `fuse` and
weights as the verifier's, so that the two can be compared.

Candidates are shown in an order drawn from what is read of them (spec.py), so that the order in
which they come changes nothing; with `orders` above 1 more orders are judged, the majority counts
and `order_flip_rate` is measured. Identical candidates are judged once. What it was not made for
(another world, more calls than it has room for) is abstained. Words meant for the judge are found
by rule (pleas.py) and can only cost. A judge whose spec has a threshold
only scores (scoring.py): it has no opinion of the calls apart from the answer, so `tools` is its
chance of right, like the scalar judge's.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import Group, Trajectory
from telejudge_envs.nouns.verdict import Defect, GroupVerdict, Verdict
from telejudge_judges.aggregate import Votes, flip_rate, verdict
from telejudge_judges.codec import Entry
from telejudge_judges.detectors.catalogue import tools_score
from telejudge_judges.embedded import SHIPPED
from telejudge_judges.embedded.folder import Parts, by_world, encoder, version_of
from telejudge_judges.embedded.pleas import BY_RULE, charged
from telejudge_judges.embedded.reading import read_case
from telejudge_judges.embedded.sheet import sheet_of
from telejudge_judges.embedded.spec import EmbeddedSpec
from telejudge_judges.embedded.writing import Said, write
from telejudge_judges.opaque import digest, orders
from telejudge_judges.sitting import Sitting, abstain

VERSION = "2"
"""Raised when the same weights may give other verdicts."""


class EmbeddedJudge:
    """Implements the Judge protocol. Raises UsageError when the folder holds no such judge."""

    name = "embedded"

    def __init__(self, folder: Path = SHIPPED, *, orders: int = 1) -> None:
        self.folder = folder
        self.parts: dict[str, Parts] = by_world(folder)
        """By world."""
        self._encode = {world: encoder(one.tokenizer) for world, one in self.parts.items()}
        self._orders = orders
        self._lock = threading.Lock()
        self.version = f"{VERSION}+{version_of(folder)}" + (f" {orders}" if orders > 1 else "")

    def __reduce__(self) -> Any:
        """Into other processes it goes as its folder's name."""
        return partial(EmbeddedJudge, orders=self._orders), (self.folder,)

    async def judge(self, group: Group) -> GroupVerdict:
        return await asyncio.to_thread(self.judge_now, group)

    def judge_now(self, group: Group) -> GroupVerdict:
        sitting = Sitting(self, group)
        if group.task.world not in self.parts:
            cause = f"unknown world: {group.task.world}"
            return sitting.close({t.id: abstain(t.id, cause) for t in sitting.judged})
        shape = self.parts[group.task.world].spec.shape
        alike: dict[str, list[Trajectory]] = defaultdict(list)
        refused: dict[str, Verdict] = {}
        for trajectory in sitting.judged:
            calls = sum(len(message.tool_calls) for message in trajectory.messages)
            if calls > shape.steps:
                cause = f"too_long: {calls} calls; the judge reads {shape.steps}"
                refused[trajectory.id] = abstain(trajectory.id, cause)
            else:
                alike[_content(trajectory)].append(trajectory)
        votes = self._votes(group.task, {key: members[0] for key, members in alike.items()})
        said = {
            one.id: charged(_verdict(one.id, *votes[key]), one)
            for key, members in alike.items()
            for one in members
        }
        flips = flip_rate({key: vote for key, (vote, _) in votes.items()})
        return sitting.close({**said, **refused}, order_flip_rate=flips)

    def _votes(
        self, view: TaskView, distinct: Mapping[str, Trajectory]
    ) -> dict[str, tuple[Votes, float]]:
        """By content: the votes of all orders, and the certainty of the answer on average."""
        heard: dict[str, list[Said]] = {key: [] for key in distinct}
        spec = self.parts[view.world].spec
        by_conduct = spec.placing == "conduct"
        drawn = {key: _conduct(one) if by_conduct else key for key, one in distinct.items()}
        keys = sorted(distinct, key=lambda key: (drawn[key], key))
        for part in _parts(keys, spec.shape.candidates):
            for order in orders(self._orders, len(part), digest(*(drawn[key] for key in part))):
                shown = [part[place] for place in order]
                said = self._write(view, [distinct[key] for key in shown])
                for key, one in zip(shown, said, strict=True):
                    heard[key].append(one)
        return {key: _counted(said, spec) for key, said in heard.items()}

    def _write(self, view: TaskView, trajectories: Sequence[Trajectory]) -> list[Said]:
        parts, encode = self.parts[view.world], self._encode[view.world]
        case = read_case(view, trajectories, parts.spec.kinds(view.world))
        with self._lock:
            return write(parts.network, sheet_of(case, parts.spec, encode))


def _counted(said: Sequence[Said], spec: EmbeddedSpec) -> tuple[Votes, float]:
    entries = [_entry(one, spec) for one in said]
    right = [one.certainty if one.answer else 1 - one.certainty for one in said]
    mean = sum(right) / len(right)
    return Votes(asked=len(said), entries=entries), max(mean, 1 - mean)


def _verdict(trajectory_id: str, votes: Votes, confidence: float) -> Verdict:
    return verdict(trajectory_id, votes).model_copy(update={"confidence": confidence})


def _entry(said: Said, spec: EmbeddedSpec) -> Entry:
    defects = []
    for step, label in said.defects:
        kind, severity = spec.defect(label)
        if kind not in BY_RULE:
            defects.append(Defect(step=step, kind=kind, severity=severity, reason=kind))
    chance = said.certainty if said.answer else 1 - said.certainty
    tools = tools_score(defects) if spec.threshold is None else chance
    return Entry(said.answer, tools, tuple(defects))


def _content(trajectory: Trajectory) -> str:
    """The same for trajectories that the judge cannot tell apart but by their place."""
    said = [
        message.model_dump_json(include={"role", "tool_calls", "error"})
        + (message.text if message.role == "tool" else "")
        for message in trajectory.messages
        if message.tool_calls or message.role == "tool"
    ]
    return digest(trajectory.stop, *said)


def _conduct(trajectory: Trajectory) -> str:
    """Which tools it called and what came of it, without its arguments."""
    said = [
        " ".join(call.name for call in message.tool_calls)
        if message.role != "tool"
        else message.text
        for message in trajectory.messages
        if message.tool_calls or message.role == "tool"
    ]
    return digest(trajectory.stop, *said)


def _parts(keys: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    """Parts of at most so many, as equal as possible."""
    count = -(-len(keys) // most)
    for number in range(count):
        yield keys[number::count]
