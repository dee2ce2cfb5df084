"""A task as it is stored: a seed and what is wrong, from which the world is built.

spec = Spec(id="bs-train-00017", split="train", seed=17, topology="single", atoms=("P3.2",), …)
db = build(spec)                 # at most a millisecond
"""

from __future__ import annotations

import functools
import random
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from telejudge_envs.base_station.atoms import inject, split
from telejudge_envs.base_station.layout import Layout, Topology, healthy
from telejudge_envs.base_station.noise import add_noise
from telejudge_envs.base_station.operations import Team
from telejudge_envs.base_station.responsibility import part_type, team_needed
from telejudge_envs.base_station.state import Priority, RanDB

Persona = Literal["expert", "novice", "wrong_theory"]
Symptom = Literal["outage", "sector_outage", "slow", "mobility", "coverage", "noise", "alarm"]
STUBBORN = ("worn", "shorted", "jammed")
"""Variants that the gentle repair does not cure."""


class Spec(BaseModel):
    """`variants` by atom (see injections.py). `work_order`: the sector under an open work order, or
    0. `busy`: tools that refuse so many first calls. `symptom`: what the ticket complains of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    split: Literal["train", "dev", "test", "ood"]
    seed: int
    level: int
    topology: Topology = "single"
    atoms: tuple[str, ...]
    variants: dict[str, dict[str, Any]] = Field(default_factory=dict)
    hour: int = 10
    priority: Priority = "normal"
    noise: int = 0
    missing: tuple[str, ...] = ()
    holdover_lost: bool = False
    work_order: int = 0
    persona: Persona = "expert"
    busy: dict[str, int] = Field(default_factory=dict)
    symptom: Symptom = "alarm"

    @property
    def layout(self) -> Layout:
        return Layout(
            topology=self.topology,
            split=self.split,
            seed=self.seed,
            hour=self.hour,
            priority=self.priority,
            missing=self.missing,
            holdover_lost=self.holdover_lost,
        )

    def variant(self, atom: str) -> dict[str, Any]:
        return self.variants.get(atom, {})


def build(spec: Spec) -> RanDB:
    """The world as the agent finds it."""
    db = healthy(spec.layout)
    add_noise(db, random.Random(f"noise|{spec.seed}"), spec.noise, work_order=spec.work_order)
    db.busy_tools = dict(spec.busy)
    if spec.priority == "emergency":
        _place_emergency_calls(db, spec)
    for atom in spec.atoms:
        inject(db, atom, spec.variant(atom))
    return db


def _place_emergency_calls(db: RanDB, spec: Spec) -> None:
    """On an emergency site calls are in progress in a cell that no fault concerns, if there is one.

    A cell without traffic has none, whatever is noted here.
    """
    busy = {int(a.partition(".")[2]) for a in spec.atoms if "." in a} | {spec.work_order}
    for cell in db.sites[db.focus].cells:
        if cell.sector not in busy:
            cell.ue_emergency = 2
            return


def part_for(atom: str, variant: dict[str, Any]) -> str | None:
    """The type of spare part that the repair of the fault needs; None when it needs none."""
    return part_type(atom[:2], stubborn=any(variant.get(kind) for kind in STUBBORN))


def needs_site_visit(atom: str, variant: dict[str, Any]) -> bool:
    """Whether the repair is done on site. A RET that only lost its calibration is not."""
    if atom[:2] == "A2":
        return bool(variant.get("jammed"))
    return split(atom)[0].onsite


def team_for(spec: Spec, atom: str) -> Team | None:
    """The team that must take a fault of the task, since the agent could not at its start; None
    when he can repair it."""
    return _teams(spec.model_dump_json(exclude_defaults=True)).get(atom)


@functools.lru_cache(maxsize=8192)
def _teams(spec: str) -> dict[str, Team]:
    """By atom, for the faults that are not the agent's. Kept, since every outcome asks again."""
    given = Spec.model_validate_json(spec)
    db = build(given)
    return {atom: team for atom in given.atoms if (team := team_needed(db, atom))}
