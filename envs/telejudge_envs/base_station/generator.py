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

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telejudge_envs.base_station.atoms import atoms, exclusive
from telejudge_envs.base_station.faults import FAULTS
from telejudge_envs.base_station.physics import effects
from telejudge_envs.base_station.responsibility import OUT_OF_REACH
from telejudge_envs.base_station.spec import Spec, part_for, team_for
from telejudge_envs.base_station.stages import facts_for, rounds

SIZES = {"train": 4300, "dev": 400, "test": 900, "ood": 400}
LEVELS = {1: 0.22, 2: 0.26, 3: 0.18, 4: 0.20, 5: 0.14}
UNFIXABLE = 0.2
HELD_OUT_FAULTS = frozenset({"T4", "S2", "A4"})
HELD_OUT_TOPOLOGY = "ring"
HELD_OUT_PAIRS = frozenset(
    frozenset(p)
    for p in (
        ("P1", "E1"), ("P3", "F2"), ("T3", "R3"), ("T5", "B4"), ("B3", "A1"), ("S1", "R1"),
        ("F1", "R2"), ("F3", "R5"), ("A3", "R4"), ("E2", "R6"), ("P2", "A2"), ("B1", "F3"),
    )
)  # fmt: skip
TOPOLOGIES = {"single": 4, "star": 3, "mixed": 1, "gnss_only": 1, "leased": 1}
SHARES = (("train", 74), ("dev", 8), ("test", 18))
"""How canonical compositions are dealt out, in percent."""

REMOVABLE_PARTS = ("rectifier", "fan", "baseband", "fibre", "gnss_antenna")
"""Parts whose lack can be known before anybody travels."""

MAX_TRIES = 20_000


@dataclass(frozen=True)
class _Draft:
    topology: str
    atoms: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"{self.topology}|{'+'.join(sorted(self.atoms))}"

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(a[:2] for a in self.atoms)

    @property
    def out_of_distribution(self) -> bool:
        pairs = {frozenset((a, b)) for a in self.codes for b in self.codes if a != b}
        return (
            self.topology == HELD_OUT_TOPOLOGY
            or bool(self.codes & HELD_OUT_FAULTS)
            or bool(pairs & HELD_OUT_PAIRS)
        )

    def split(self) -> str:
        if self.out_of_distribution:
            return "ood"
        digest = hashlib.sha256(self.key.encode()).digest()
        point = int.from_bytes(digest[:4], "big") % 100
        for name, share in SHARES:
            if point < share:
                return name
            point -= share
        return "test"


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
        draft = _draft(name, level, dice)
        if draft.split() != name:
            continue
        spec = _filled(draft, name, seed, number, level, unfixable, dice)
        if spec is None:
            continue
        look = _look(spec)
        if seen.setdefault(look, name) == name:
            return spec
    raise RuntimeError(f"no level {level} composition for split {name} in {MAX_TRIES} tries")


def _draft(name: str, level: int, dice: random.Random) -> _Draft:
    topology = dice.choices(list(TOPOLOGIES), list(TOPOLOGIES.values()))[0]
    if name == "ood" and dice.random() < 0.35:
        topology = HELD_OUT_TOPOLOGY
    first = _held_out(level, topology, dice) if name == "ood" else ()
    size = {1: 1, 2: 2, 3: 2, 4: dice.choice((3, 3, 4)), 5: dice.choice((1, 2, 2, 3))}[level]
    if level == 3 and topology == "star" and dice.random() < 0.4:
        return _Draft(topology, ("T3", *_drawn(dice, 1, ("T3",), topology)))
    rest = _drawn(dice, max(0, size - len(first)), first, topology)
    return _Draft(topology, tuple(sorted((*first, *rest))))


def _held_out(level: int, topology: str, dice: random.Random) -> tuple[str, ...]:
    """A fault, or from two faults on a pair, that only ood shows; none on ood's topology."""
    if topology == HELD_OUT_TOPOLOGY:
        return ()
    if level == 1 or dice.random() < 0.5:
        return (_placed(dice.choice(sorted(HELD_OUT_FAULTS)), dice),)
    pair = sorted(dice.choice(sorted(map(sorted, HELD_OUT_PAIRS))))
    return tuple(_placed(code, dice) for code in pair)


def _placed(code: str, dice: random.Random) -> str:
    return f"{code}.{dice.randrange(1, 4)}" if FAULTS[code].sector else code


def _drawn(
    dice: random.Random, size: int, beside: tuple[str, ...], topology: str
) -> tuple[str, ...]:
    """Compatible atoms: the fault first, then its sector, so that site faults come often enough."""
    without = frozenset({"S2"}) if topology == "gnss_only" else frozenset()
    pool = atoms(without=without)
    codes = sorted({a[:2] for a in pool})
    chosen: list[str] = []
    while len(chosen) < size:
        code = dice.choice(codes)
        atom = dice.choice([a for a in pool if a[:2] == code])
        if not any(exclusive(atom, other) or atom == other for other in (*chosen, *beside)):
            chosen.append(atom)
    return tuple(sorted(chosen))


def _filled(
    draft: _Draft,
    name: str,
    seed: int,
    number: int,
    level: int,
    unfixable: bool,
    dice: random.Random,
) -> Spec | None:
    """The spec, or None when the draft does not fit the level."""
    if draft.topology == "gnss_only" and "S2" in draft.codes:
        return None
    variants = {a: v for a in draft.atoms if (v := _variant(a, dice))}
    if _cured_by_the_way(draft.atoms, variants):
        return None
    missing: tuple[str, ...] = ()
    if unfixable:
        candidates = [a for a in draft.atoms if a[:2] in OUT_OF_REACH]
        lacking = [a for a in draft.atoms if part_for(a, variants.get(a, {})) in REMOVABLE_PARTS]
        if candidates and (level != 5 or not lacking):
            chosen = dice.choice(candidates)
            variants[chosen] = {**variants.get(chosen, {}), "unfixable": True}
        elif lacking:
            missing = (part_for(lacking[0], variants.get(lacking[0], {})) or "",)
        else:
            return None
    elif "R4" in draft.codes or ("T1" in draft.codes and draft.topology == "leased"):
        return None
    free = [i for i in (1, 2, 3) if not any(a.endswith(f".{i}") for a in draft.atoms)]
    conflict = level >= 4 and dice.random() < 0.5 and bool(free)
    spec = Spec(
        id=f"bs-{name}-{number:04d}",
        split=name,  # type: ignore[arg-type]
        seed=seed,
        level=level,
        topology=draft.topology,  # type: ignore[arg-type]
        atoms=draft.atoms,
        variants=variants,
        hour=dice.randrange(24),
        priority=dice.choices(("normal", "vip", "emergency"), (6, 2, 1))[0],
        noise=dice.randrange(2) if level <= 2 else dice.randrange(1, 4),
        missing=missing,
        holdover_lost="S1" in draft.atoms and dice.random() < 0.4,
        work_order=dice.choice(free) if conflict else 0,
        persona=dice.choice(("expert", "expert", "novice")),
    )
    spec = _harder(spec, dice) if level == 5 else spec
    return _fitted(spec, unfixable)


def _cured_by_the_way(chosen: tuple[str, ...], variants: dict[str, dict[str, Any]]) -> bool:
    """Whether the repair of one fault would take another with it, seen or not: a restart of the
    node wakes hung cells; work on the mast locks and unlocks its cell."""
    on_mast = {
        a.partition(".")[2]
        for a in chosen
        if a[:2] in ("A1", "A4", "F3")
        or variants.get(a, {}).get("jammed")
        or variants.get(a, {}).get("shorted")
    }
    if any(a[:2] in ("B4", "R6") and a[-1] in on_mast for a in chosen):
        return True
    if "B1" in chosen and any(a.startswith("B4") for a in chosen):
        return True
    shorted = {a[-1] for a in chosen if variants.get(a, {}).get("shorted")}
    return any(a.startswith("F3") and a[-1] in shorted for a in chosen)


def _variant(atom: str, dice: random.Random) -> dict[str, Any]:
    code = atom[:2]
    if code == "P3":
        return {"shorted": True} if dice.random() < 0.25 else {}
    if code == "A2":
        return {"jammed": True} if dice.random() < 0.5 else {}
    if code == "T2":
        return {"worn": True} if dice.random() < 0.4 else {}
    if code == "F2":
        worn = {"worn": True} if dice.random() < 0.4 else {}
        return {"end": dice.choice(("bbu", "rru")), **worn}
    if code == "A1":
        return {
            "segment": dice.choice(("jumper", "feeder", "connector")),
            "dist_m": float(dice.randrange(2, 40)),
        }
    if code == "T1":
        return {"cut_at_m": 100 * dice.randrange(3, 19)}
    return {}


def _harder(spec: Spec, dice: random.Random) -> Spec:
    """Level 5: one of the three complications, unless a spare is missing already."""
    if spec.missing:
        return spec
    ways: list[dict[str, Any]] = [{"persona": "wrong_theory"}]
    ways.append({"busy": {dice.choice(("dispatch_technician", "request_approval", "escalate")): 1}})
    ways.append({"busy": {dice.choice(("unlock_cell", "set_config", "travel_to_site")): 1}})
    return spec.model_copy(update=dice.choice(ways))


def _fitted(spec: Spec, unfixable: bool) -> Spec | None:
    """The spec with its symptom, if its faults come to light in as many rounds as it should.

    Other teams are asked about only where `unfixable` lets them have a fault: that builds a world.
    """
    stuck = [a for a in spec.atoms if unfixable and team_for(spec, a) is not None]
    if len({team_for(spec, a) for a in stuck}) < len(stuck):
        return None  # one escalation would stand for two faults
    found = rounds(
        spec.atoms,
        stuck=stuck,
        ring=spec.topology == "ring",
        holdover_lost=spec.holdover_lost,
        work_order=spec.work_order,
    )
    if found is None:
        return None
    storm = spec.topology == "star" and "T3" in spec.atoms
    if spec.level == 2 and len(found) > 1:
        return None
    if spec.level == 3 and len(found) == 1 and not (storm and spec.noise >= 2):
        return None
    if spec.level == 4 and len(found) == 1:
        return None
    return spec.model_copy(update={"symptom": _symptom(spec)})


def _symptom(spec: Spec) -> str:
    """What users notice most."""
    seen = _effects(spec)
    downs = [i for i in (1, 2, 3) if not seen[f"traffic.{i}"] and i != spec.work_order]
    if (len(downs) >= 2 and not seen["path"]) or len(downs) == 3:
        return "outage"
    if downs:
        return "sector_outage"
    for name, words in (
        ("slow", "slow"), ("ho_fail", "mobility"), ("too_late", "mobility"), ("weak", "coverage"),
        ("far", "coverage"), ("noise", "noise"),
    ):  # fmt: skip
        if any(seen[f"kpi.{name}.{i}"] for i in (1, 2, 3)):
            return words
    return "alarm"


def _effects(spec: Spec) -> dict[str, int]:
    facts = facts_for(
        spec.atoms,
        ring=spec.topology == "ring",
        holdover_lost=spec.holdover_lost,
        work_order=spec.work_order,
    )
    return effects(facts, 1)


def _look(spec: Spec) -> str:
    """What a first look shows, ids aside: equal looks stay within one split."""
    seen = "".join(str(bit) for bit in _effects(spec).values())
    around = (spec.topology, spec.work_order, spec.hour, spec.priority, spec.noise)
    return f"{around}|{seen}"
