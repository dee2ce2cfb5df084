"""The card beside a data file: what is in it, from what, by what command, under what licence.

    write_card(out, GroupRow, step="groups", settings={…}, inputs=[questions], seed=0,
               counts={"split": Counter(…)}, licences=Counter(…))
    made_already(out, card)        # the same step was done before with the same inputs

`<file>.card.json` is for programs, `<file>.card.md` for readers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ValidationError

from telejudge_training.judge_data.files import sha256
from telejudge_training.judge_data.rows import Card, Provenance

OPTIONS = {
    "worlds": "world",
    "splits": "split",
    "reserve": "reserve-kind",
    "recorded_split": "rollouts-split",
    "what": "for",
    "teacher": "model",
    "include_reserved": "reserved",
}
"""Settings that the command line calls otherwise."""

REPEATED = frozenset({"worlds", "splits", "reserve"})
"""Settings whose option is given once for each value."""

SWITCHED_ON = frozenset({"words", "replies", "include_reserved", "tell_which"})
"""Switches that are on unless `--no-…` is given."""


@dataclass
class Making:
    """One run of a step: what it is, what goes in, and what is counted on the way."""

    step: str
    seed: int
    settings: Mapping[str, object]
    """What the output depends on; neither paths nor the number of processes."""
    inputs: Sequence[Path] = ()
    options: Sequence[tuple[str, Path | None]] = ()
    """Inputs that have an option of their own, with its name."""
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    licences: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    @property
    def made_by(self) -> str:
        return f"{self.step} seed={self.seed}"

    def provenance(self, source: str, licence: str, *parents: str) -> Provenance:
        return Provenance(source=source, licence=licence, made_by=self.made_by, parents=parents)

    def count(self, what: str, *values: str) -> None:
        self.counts.setdefault(what, Counter()).update(values)

    def done(self, out: Path) -> Card | None:
        """The card of `out` when this very step has made it already."""
        card = read_card(out)
        if card is None or not out.exists() or sha256(out) != card.sha256:
            return None
        same = (card.step, card.seed, card.settings, card.inputs)
        return card if same == (self.step, self.seed, self._told(), self._hashes()) else None

    def finish(self, out: Path, noun: type[BaseModel], rows: int) -> Card:
        """Write the cards of a file that is complete."""
        card = Card(
            file=out.name,
            record=noun.__name__,
            step=self.step,
            command=self._command(out),
            seed=self.seed,
            settings=self._told(),
            inputs=self._hashes(),
            sha256=sha256(out),
            rows=rows,
            counts={what: dict(sorted(c.items())) for what, c in self.counts.items()},
            licences=dict(sorted(self.licences.items())),
            notes=tuple(self.notes),
        )
        _path(out, "json").write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")
        _path(out, "md").write_text("\n".join(_page(card)) + "\n", encoding="utf-8")
        return card

    def _told(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.settings.items()}

    def _hashes(self) -> dict[str, str]:
        return {
            path.name: sha256(path) for path in (*self.inputs, *(path for _, path in self._given()))
        }

    def _given(self) -> list[tuple[str, Path]]:
        return [(name, path) for name, path in self.options if path is not None]

    def _command(self, out: Path) -> str:
        given = [word for name, value in self.settings.items() for word in _words(name, value)]
        names = [path.name for path in self.inputs]
        given += [f"--{name} {path.name}" for name, path in self._given()]
        words = [*names, *given, f"--seed {self.seed}", f"--out {out.name}"]
        return " ".join([f"telejudge data {self.step}", *words])


def _words(name: str, value: object) -> list[str]:
    """A setting as the command line wants it; a switch only where it is not left as it is."""
    if name == "teacher" and value == "verifier":
        return []  # who it is without an endpoint
    option = OPTIONS.get(name, name.replace("_", "-"))
    if isinstance(value, bool):
        on = name in SWITCHED_ON
        return [] if value == on else [f"--no-{option}" if on else f"--{option}"]
    said = str(value)
    return [
        f"--{option} {each}" for each in (said.split(",") if name in REPEATED else [said]) if each
    ]


def read_card(out: Path) -> Card | None:
    """The card of a data file, or None when it has none that can be read."""
    try:
        return Card.model_validate_json(_path(out, "json").read_bytes())
    except (OSError, ValidationError):
        return None


def _path(out: Path, ending: str) -> Path:
    return out.with_name(f"{out.name}.card.{ending}")


def _page(card: Card) -> Iterable[str]:
    yield f"# {card.file}"
    yield ""
    yield f"{card.rows:,} rows of `{card.record}`, made by"
    yield ""
    yield f"    {card.command}"
    yield ""
    yield f"SHA-256 `{card.sha256}`. Licences of the text (SPDX): " + (
        ", ".join(f"{name}: {count:,} rows" for name, count in card.licences.items()) or "none"
    )
    if card.inputs:
        yield ""
        yield "| made from | SHA-256 |"
        yield "|---|---|"
        yield from (f"| {name} | `{digest}` |" for name, digest in card.inputs.items())
    for what, counted in card.counts.items():
        yield ""
        yield f"| {what} | rows |"
        yield "|---|---:|"
        yield from (f"| {name} | {count:,} |" for name, count in counted.items())
    if card.notes:
        yield ""
        yield from (f"- {note}" for note in card.notes)
