"""A recipe and a run directory in; `python -m verl.trainer.main_ppo`, as it is, runs.

    plan = prepare(recipe, Path("runs/verl"), seed=0)      # data/, verl.yaml, run.json
    plan.command                                           # what is started, for the curious
    status = start(plan)

`verl.yaml` is verl's whole configuration: on a Ray cluster the same command is run with it on the
head node (docs/verl.md). A run that was stopped goes on from its last checkpoint.
"""

# pyright: reportMissingImports=false
# (verl is an extra: types are checked without it as well)

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from telejudge_envs.errors import UsageError
from telejudge_training.files import read_json, write_json
from telejudge_training.verl_backend import configure
from telejudge_training.verl_backend.data import FILES, write_data
from telejudge_training.verl_backend.recipe import VerlRecipe

CONFIG = "verl"
"""verl.yaml, as Hydra names it."""


@dataclass(frozen=True)
class Plan:
    """What would be started; `checked` is what the dry run looked at."""

    command: tuple[str, ...]
    variables: dict[str, str]
    run_dir: Path
    tasks: dict[str, int]
    checked: tuple[str, ...]


def prepare(
    recipe: VerlRecipe,
    run_dir: Path,
    seed: int,
    *,
    data: Path | None = None,
    admission: Mapping[str, Any] | None = None,
) -> Plan:
    """Check the recipe against the installed verl and write what a run needs.

    Without `data` (a folder of `telejudge data verl`) the tasks are written into the run directory.
    Raises UsageError for a setting that verl does not take, or when the directory holds a run of
    another recipe or seed.
    """
    run_dir = run_dir.resolve()
    folder = (data or run_dir / "data").resolve()
    config = configure.compose(recipe.overrides(folder, run_dir, seed))
    from omegaconf import OmegaConf  # there, or compose would have said what to install

    checked = tuple(configure.check(config))
    _claim(recipe, run_dir, seed, dict(admission or {}))
    tasks = {} if data is not None else write_data(recipe, folder)
    missing = [name for name in FILES.values() if not (folder / name).is_file()]
    if missing:
        raise UsageError(f"{folder} lacks {', '.join(missing)}; `telejudge data verl` writes them")
    (run_dir / f"{CONFIG}.yaml").write_text(OmegaConf.to_yaml(config), encoding="utf-8")
    return Plan(command_of(run_dir), recipe.variables(run_dir), run_dir, tasks, checked)


def command_of(run_dir: Path) -> tuple[str, ...]:
    """verl's own trainer over the configuration in `run_dir`."""
    return (
        sys.executable,
        "-m",
        "verl.trainer.main_ppo",
        "--config-path",
        str(run_dir),
        "--config-name",
        CONFIG,
        f"hydra.run.dir={run_dir / 'hydra'}",
    )


def start(plan: Plan, log: Path | None = None) -> int:
    """Run it to its end; returns verl's exit status. With `log`, what it prints goes there."""
    environment = {**os.environ, **plan.variables}
    if log is None:
        return subprocess.run(plan.command, env=environment, check=False).returncode
    with log.open("ab") as file:
        done = subprocess.run(
            plan.command, env=environment, stdout=file, stderr=subprocess.STDOUT, check=False
        )
    return done.returncode


def _claim(recipe: VerlRecipe, run_dir: Path, seed: int, admission: dict[str, Any]) -> None:
    """Write run.json, or make sure that the one there is of this recipe and seed."""
    path = run_dir / "run.json"
    told = {"backend": "verl", "recipe": recipe.name, "seed": seed}
    if path.exists():
        held = read_json(path)
        if {key: held.get(key) for key in told} != told:
            raise UsageError(f"{run_dir} holds another run ({held}); choose another directory")
        return
    run_dir.mkdir(parents=True, exist_ok=True)
    versions = {name: metadata.version(name) for name in ("telejudge", "verl", "torch", "ray")}
    config = json.loads(recipe.model_dump_json())
    write_json(path, {**told, "config": config, "admission": admission, "versions": versions})
