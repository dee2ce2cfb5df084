"""What became of every rollout, as lines: one file for each process, in one folder.

rollouts-HOST-PID.jsonl    step, split, task, reward, advantage, success, stop, tokens, …
groups-HOST-PID.jsonl      some groups whole (JudgedGroup), for `telejudge report`

`read_rollouts(folder)` gives the lines of all processes, by step. As a command it prints averages
by step and draws them:

    python -m telejudge_training.verl_backend.record runs/x/record curves.png
"""

from __future__ import annotations

import argparse
import json
import os
import socket
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean
from typing import Any

from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_envs.nouns.trajectory import Rollout
from telejudge_training.curves import draw_curves
from telejudge_training.verl_backend.shares import JudgedTogether


class Recorder:
    """Called with every group that was judged; writes nothing when there is no folder."""

    def __init__(self, folder: Path | None, groups_every: int) -> None:
        self._folder, self._groups_every = folder, groups_every
        self._name = f"{socket.gethostname()}-{os.getpid()}.jsonl"

    def __call__(self, judged: JudgedTogether) -> None:
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        phase, _, step = judged.place.label.rpartition("-")
        lines = [json.dumps(line) for line in rollout_lines(judged, phase, int(step))]
        self._append("rollouts", lines)
        if judged.reward is not None and int(step) % self._groups_every == 0:
            self._append("groups", [judged_group(judged, phase, int(step)).model_dump_json()])

    def _append(self, kind: str, lines: list[str]) -> None:
        assert self._folder is not None
        with (self._folder / f"{kind}-{self._name}").open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))


def rollout_lines(judged: JudgedTogether, phase: str, step: int) -> list[dict[str, Any]]:
    """A line for each member that came in time."""
    reward = judged.reward
    return [
        {
            "split": phase,
            "step": step,
            "uid": judged.place.uid,
            "session": session,
            "members": len(judged.rollouts),
            "reward": reward.rewards[rollout.trajectory.id] if reward else None,
            "advantage": reward.advantages[rollout.trajectory.id] if reward else None,
            "trouble": judged.trouble,
            "waited_s": round(judged.waited_s, 3),
            "judged_s": round(judged.judged_s, 3),
            **metrics_of(rollout),
        }
        for session, rollout in judged.rollouts.items()
    ]


def metrics_of(rollout: Rollout) -> dict[str, Any]:
    """What can be said of a rollout without a judge."""
    trajectory, outcome = rollout.trajectory, rollout.outcome
    usable = outcome is not None and not outcome.faults
    return {
        "task": trajectory.task_id,
        "success": outcome.world_reward if usable and outcome else None,
        "stop": trajectory.stop,
        "failed_by": trajectory.failure.owner if trajectory.failure else None,
        "calls": trajectory.usage.calls,
        "turns": trajectory.usage.requests,
        "tokens": trajectory.usage.completion_tokens,
        "seconds": round(trajectory.usage.seconds, 3),
    }


def judged_group(judged: JudgedTogether, phase: str, step: int) -> JudgedGroup:
    """The record that reports show. Raises ValueError for a group without verdict."""
    if judged.reward is None:
        raise ValueError(f"group {judged.group.id} has no verdict: {judged.trouble}")
    return JudgedGroup(
        phase=phase,
        step=step,
        group=judged.group,
        verdict=judged.reward.verdict,
        outcomes={
            r.trajectory.id: r.outcome for r in judged.rollouts.values() if r.outcome is not None
        },
        advantages=judged.reward.advantages,
    )


def read_rollouts(folder: Path) -> list[dict[str, Any]]:
    """The lines of all processes, by step, group and session."""
    lines = [
        json.loads(line)
        for file in sorted(folder.glob("rollouts-*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    return sorted(lines, key=lambda line: (line["step"], line["uid"], line["session"]))


def steps_of(folder: Path) -> list[dict[str, Any]]:
    """Averages by split and step, in the form of the embedded trainer's metrics.jsonl: `phase` is
    `grpo` for training, `val` for validation."""
    grouped: dict[tuple[int, str], list[dict[str, Any]]] = defaultdict(list)
    for line in read_rollouts(folder):
        grouped[line["step"], line["split"]].append(line)
    return [
        {
            "step": step,
            "phase": "grpo" if split == "train" else split,
            "rollouts": len(lines),
            "success": _mean(line["success"] for line in lines),
            "reward": _mean(line["reward"] for line in lines),
            "calls": _mean(line["calls"] for line in lines),
            "tokens": _mean(line["tokens"] for line in lines),
            "masked": sum(line["reward"] is None for line in lines),
            "judged_s": _mean(line["judged_s"] for line in lines),
        }
        for (step, split), lines in sorted(grouped.items())
    ]


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(fmean(known), 4) if known else None


def main() -> None:
    """Print a run's steps as lines, and draw them: `… record RUN_DIR/record curves.png`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("picture", type=Path, nargs="?")
    given = parser.parse_args()
    lines = [json.dumps(line) for line in steps_of(given.folder)]
    print("\n".join(lines))
    if given.picture is not None:
        metrics = given.picture.with_suffix(".jsonl")
        metrics.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        draw_curves(metrics, given.picture)


if __name__ == "__main__":
    main()
