"""The document on judges with a real model: all figures from kept results, which hold no text."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from judge_eval_harness import group, mark

from telejudge_eval.judge_eval.document import document
from telejudge_eval.judge_eval.kept import keep
from telejudge_eval.judge_eval.measure import measures
from telejudge_eval.judge_eval.records import Result, Sample

ROOT = Path(__file__).parents[2]
KEPT = sorted((ROOT / "docs/results/judges").glob("*.json"))
OBJECTIVES = ROOT / "docs/results/judge-objectives"
KEPT_TOO = sorted(OBJECTIVES.glob("*.json"))

RIGHT = group(mark(1, 1, reward=0.9, true_reward=1.0), mark(0, 0, reward=0.1, true_reward=0.1))
WRONG = group(
    mark(1, 0, reward=0.1, true_reward=1.0), mark(0, true_reward=0.1), name="h", seconds=2.0
)


def result(*groups, label: str) -> Result:
    sample = Sample(source="s", file="f.zip", sha256="ab" * 32, groups=9, candidates=99)
    made = measures(groups, samples=100)
    return Result(
        judge="j", judge_version="1", label=label, groups=groups, measures=made, samples=(sample,)
    )


@pytest.fixture
def kept(tmp_path: Path) -> list[Path]:
    first = result(RIGHT, WRONG, label="pointwise, json")
    second = result(RIGHT, label="listwise, one order, json")
    return keep(tmp_path, {r.label: {"f": r} for r in (first, second)})


def test_only_groups_that_all_judged_are_kept_and_counted(kept: list[Path]) -> None:
    for path in kept:
        one = Result.model_validate_json(path.read_text(encoding="utf-8"))
        assert [g.group_id for g in one.groups] == ["g"]
        assert [(s.groups, s.candidates) for s in one.samples] == [(1, 2)]
        assert one.measures["s"]["accuracy"].value == 1.0


def test_the_document_tells_the_measures_beside_constant_answers(kept: list[Path]) -> None:
    text = document(kept, "# Judges\n")
    assert text.startswith("# Judges\n\n## s\n\n1 groups, 2 candidates from `f.zip`")
    measured = text[: text.index("###")]
    rows = {line.split(" | ")[0]: line.split(" | ")[1:3] for line in measured.splitlines()}
    assert rows["| pointwise, json"] == ["50%", "100.0%"]
    assert rows["| *always 1*"] == ["100%", "50.0%"]
    assert "| listwise, one order, json − pointwise, json | Acc" in text
    assert "| pointwise, json | **refused** |" in text


def test_the_committed_document_is_what_the_kept_results_render() -> None:
    assert KEPT, "results are committed beside the document"
    committed = (ROOT / "docs/judge-results.md").read_text(encoding="utf-8")
    assert committed == _benchmark("judge_results").rendered(ROOT)


def test_the_document_on_objectives_is_what_the_kept_results_render() -> None:
    assert KEPT_TOO, "results are committed beside the document"
    committed = (ROOT / "docs/judge-objectives.md").read_text(encoding="utf-8")
    assert committed == _benchmark("judge_objectives_table").rendered(ROOT)


def test_the_document_on_judges_as_rewards_is_what_the_kept_results_render() -> None:
    committed = (ROOT / "docs/judges-as-rewards.md").read_text(encoding="utf-8")
    assert committed == _benchmark("policy_row_table").rendered(ROOT)


def test_rows_of_objectives_take_flips_from_four_orders(tmp_path: Path) -> None:
    folder = tmp_path / "docs/results/judge-objectives"
    results, other = {}, WRONG.model_copy(update={"source": "t"})
    for label, objective, flips in (
        ("listwise", "listwise", None),
        ("grpo", "grpo", None),
        ("grpo, 4 orders", "grpo", 0.25),
        ("bt", "bt", None),
    ):
        settings = {"objective": objective, "updates": 800, "weights": 840_000}
        groups = [g.model_copy(update={"order_flip_rate": flips}) for g in (RIGHT, other)]
        made = result(*groups, label=label).model_copy(update={"settings": settings})
        results[label] = {"f": made}
    keep(folder, results)
    for name in ("introduction.md", "reports.md"):
        (folder / name).write_text((OBJECTIVES / name).read_text("utf-8"), encoding="utf-8")
    text = _benchmark("judge_objectives_table").rendered(tmp_path)
    lines = text[text.index("## Held-out") : text.index("## By source")].splitlines()
    cells = [line.split(" | ") for line in lines]
    rows = {row[0].strip("| "): row[1:] for row in cells if len(row) > 5}
    assert "grpo, 4 orders" not in rows
    assert rows["grpo"][4].startswith("25.0%")
    assert rows["listwise"][4] == "–"
    assert rows["bt"][5] == "–"
    assert rows["*always 1*"][2] == "50.0%"
    assert "| grpo − listwise | +0.0% |" in text


WORDS = re.compile(r"[\w.+:, |#~()-]{0,60}|[\w.+:,|#~\[\]-]{0,240}")
"""What a kept result may say within its groups: ids, kinds, causes, no sentences. A world's
task ids may be long, but have no space."""


@pytest.mark.parametrize("path", [*KEPT, *KEPT_TOO], ids=lambda path: path.stem)
def test_kept_results_hold_no_text(path: Path) -> None:
    kept = json.loads(path.read_text(encoding="utf-8"))
    for text in _texts(kept["groups"]):
        assert WORDS.fullmatch(text), text
        assert text.count(" ") <= 5, text
    assert path.stat().st_size < 400_000  # an untrained judge names a defect at every call
    assert not re.search(r'"/(tmp|work|home|opt|root)/', path.read_text(encoding="utf-8"))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _benchmark(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
