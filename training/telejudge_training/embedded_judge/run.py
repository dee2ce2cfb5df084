"""The whole training of an embedded judge: a recipe and a seed in, a run folder out.

    summary = train_embedded_judge(laptop(), Path("runs/judge"), seed=0)

Stages: groups (`groups.jsonl`, unless some are given) → tokenizer and spec → updates (`train/`) →
`judge/`, which `--judge embedded --judge-folder runs/judge/judge` opens → `curves.png`,
`summary.json`. A run that was killed goes on where it was and ends with the same judge.
"""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from telejudge_envs.errors import UsageError
from telejudge_training.embedded_judge.pools import LabelledPool, pools_of
from telejudge_training.embedded_judge.settings import EmbeddedJudgeRecipe
from telejudge_training.events import OnEvent
from telejudge_training.files import read_json, write_json
from telejudge_training.judge_data.files import read_rows
from telejudge_training.judge_data.rows import GroupRow
from telejudge_training.judge_data.trajectories import OnPools, write_groups

PROCESSES = 2
"""That play groups."""


def train_embedded_judge(
    recipe: EmbeddedJudgeRecipe,
    run_dir: Path,
    seed: int,
    *,
    groups: Path | None = None,
    start: Path | None = None,
    on_pools: OnPools = lambda done, total: None,
    on_line: Any = lambda step, steps, line: None,
    on_event: OnEvent = lambda event: None,
) -> dict[str, Any]:
    """Run or resume; returns what summary.json holds. A finished run is not repeated.

    `groups`: a file of `telejudge data trajectories` to learn from in place of the recipe's own.
    `start`: the folder of a judge that the objective goes on with (`grpo`) or learns from (`opd`).
    `on_line` is told of the judge's updates, `on_event` of the agents that it spars with.
    Raises UsageError when the folder holds a run of another recipe, seed, file or start, when the
    groups have none of the split train or dev, or when the objective needs a start and there is
    none, or the other way round.
    """
    clock: dict[str, float] = {}
    recipe.check_start(start is not None)
    resumed = _claim(recipe, run_dir, seed, groups, start)
    if (done := run_dir / "summary.json").exists():
        return read_json(done)
    began = time.perf_counter()
    if groups is None:
        groups = run_dir / "groups.jsonl"
        plan = recipe.groups.model_copy(update={"seed": seed})
        write_groups(plan, groups, processes=PROCESSES, on_pools=on_pools)
    clock["groups"] = round(time.perf_counter() - began, 2)
    rows = list(read_rows(groups, GroupRow))
    most = recipe.shape.steps
    train, dev = pools_of(rows, "train", most), pools_of(rows, "dev", most)
    if not train or not dev:
        raise UsageError(f"{groups} has no groups of the split {'dev' if train else 'train'}")
    del rows
    clock["learning"] = _learned(recipe, run_dir, seed, train, dev, start, on_line, on_event)
    summary = {
        "recipe": recipe.name,
        "seed": seed,
        "candidates": {"train": _count(train), "dev": _count(dev)},
        **_last_check(run_dir),
        "seconds": round(time.perf_counter() - began, 2),
        "stage_seconds": clock,
        "resumed": resumed,  # then the seconds are those since the resumption
    }
    write_json(run_dir / "summary.json", summary)
    return summary


def _learned(
    recipe: EmbeddedJudgeRecipe,
    run_dir: Path,
    seed: int,
    train: Sequence[LabelledPool],
    dev: Sequence[LabelledPool],
    start: Path | None,
    on_line: Any,
    on_event: OnEvent,
) -> float:
    """Write `judge/` and the curves; returns the seconds that it took."""
    import torch

    from telejudge_judges.embedded.folder import save
    from telejudge_training.embedded_judge.teach import taught
    from telejudge_training.judge_training.pictures import draw

    began, threads = time.perf_counter(), torch.get_num_threads()
    torch.set_num_threads(recipe.learning.threads)
    try:
        parts = taught(
            recipe,
            train,
            dev,
            run_dir / "train",
            seed=seed,
            key=read_json(run_dir / "run.json")["key"],
            start=start,
            on_line=on_line,
        )
        if recipe.sparring.rounds:
            from telejudge_training.embedded_judge.rounds import sparred

            sparred(
                parts,
                train,
                dev,
                recipe,
                run_dir,
                seed=seed,
                key=read_json(run_dir / "run.json")["key"],
                on_line=on_line,
                on_event=on_event,
            )
        placed = parts.spec.model_copy(update={"placing": recipe.placing})
        save(parts._replace(spec=placed), run_dir / "judge")
        draw(run_dir / "train" / "metrics.jsonl", run_dir / "curves.png")
    finally:
        torch.set_num_threads(threads)
    return round(time.perf_counter() - began, 2)


def _last_check(run_dir: Path) -> dict[str, Any]:
    from telejudge_training.journal import read_metrics

    folder = max(run_dir.glob("train*"), key=lambda path: path.name)
    checks = [x for x in read_metrics(folder / "metrics.jsonl") if x["phase"] == "dev"]
    return {"dev": {name: checks[-1][name] for name in ("accuracy", "defects_f1")}}


def _count(pools: Sequence[LabelledPool]) -> int:
    return sum(len(pool.members) for pool in pools)


def _claim(
    recipe: EmbeddedJudgeRecipe, run_dir: Path, seed: int, groups: Path | None, start: Path | None
) -> bool:
    """Write run.json, or make sure that the one there is of this very run; say which."""
    if groups is not None and not groups.is_file():
        raise UsageError(f"there is no file {groups}; `telejudge data trajectories` writes groups")
    data = "" if groups is None else hashlib.sha256(groups.read_bytes()).hexdigest()
    begin = "" if start is None else _version(start)
    key, path = recipe.key(seed, data + begin), run_dir / "run.json"
    if path.exists():
        held = read_json(path)
        if held.get("key") != key:
            raise UsageError(
                f"{run_dir} holds another run (recipe {held.get('recipe', {}).get('name')}, seed "
                f"{held.get('seed')}) or one on other groups or from another judge; choose another "
                "directory"
            )
        return True
    run_dir.mkdir(parents=True, exist_ok=True)
    packages = ("telejudge", "torch", "transformers", "tokenizers")
    write_json(
        path,
        {
            "key": key,
            "seed": seed,
            "recipe": recipe.model_dump(),
            "groups": None if groups is None else {"file": groups.name, "sha256": data},
            "start": begin or None,
            "versions": {
                "python": platform.python_version(),
                **{name: version(name) for name in packages},
            },
        },
    )
    return False


def _version(start: Path) -> str:
    from telejudge_judges.embedded.folder import load, version_of

    load(start)  # says what is missing
    return version_of(start)
