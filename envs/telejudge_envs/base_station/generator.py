"""The task list: seeds and fault compositions, stratified, in splits that share nothing.

In: nothing but the sizes. Out: the same specs in every run.

    specs = generate()            # {"train": [Spec, …], "dev": […], "test": […], "ood": […]}

Levels: 1 one fault; 2 two that do not hide each other; 3 one hidden by another, or a storm with red
herrings; 4 three or four in at least two rounds beside a safety conflict; 5 a refusing tool, a
technician with a wrong theory or a missing spare on top. No canonical composition (faults, sectors,
topology) is in two splits; ood has the faults, pairs and the topology that the others never show.
A fifth of the tasks has a fault that only another team can deal with.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from telejudge_envs.base_station.drafts import draft_for
from telejudge_envs.base_station.filling import filled
from telejudge_envs.base_station.spec import Spec
from telejudge_envs.base_station.symptoms import look_of

SIZES = {"train": 4300, "dev": 400, "test": 900, "ood": 400}
LEVELS = {1: 0.22, 2: 0.26, 3: 0.18, 4: 0.20, 5: 0.14}
UNFIXABLE = 0.2
MAX_TRIES = 20_000


def generate(sizes: dict[str, int] | None = None, seed: int = 0) -> dict[str, list[Spec]]:
    """All splits. Takes some seconds; independent of the machine and of earlier calls."""
    wanted = sizes or SIZES
    seen: dict[str, str] = {}
    return {name: list(_split(name, count, seed, seen)) for name, count in wanted.items()}


def write(folder: Path, specs: dict[str, list[Spec]] | None = None) -> list[Path]:
    """Generate the task list into `<folder>/<split>.jsonl`; the files that ship are made so."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, listed in (specs or generate()).items():
        path = folder / f"{name}.jsonl"
        lines = (spec.model_dump_json(exclude_defaults=True) for spec in listed)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        made.append(path)
    return made


def _split(name: str, count: int, seed: int, seen: dict[str, str]) -> Iterator[Spec]:
    dice = random.Random(f"generate|{name}|{seed}")
    base = {"train": 0, "dev": 100_000, "test": 200_000, "ood": 300_000}[name]
    levels = [lv for lv, share in LEVELS.items() for _ in range(round(share * count))]
    levels = (levels + [1] * count)[:count]
    dice.shuffle(levels)
    for number, level in enumerate(levels):
        yield _spec(name, base + number, number, level, dice, seen)


def _spec(
    name: str, seed: int, number: int, level: int, dice: random.Random, seen: dict[str, str]
) -> Spec:
    unfixable = dice.random() < UNFIXABLE
    for _ in range(MAX_TRIES):
        draft = draft_for(name, level, dice)
        if draft.split() != name:
            continue
        spec = filled(draft, name, seed, number, level, unfixable, dice)
        if spec is None:
            continue
        look = look_of(spec)
        if seen.setdefault(look, name) == name:
            return spec
    raise RuntimeError(f"no level {level} composition for split {name} in {MAX_TRIES} tries")
