"""benchmarks/judge_teleqna.py from answers to kept results, with a model that knows nothing."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from judge_data_harness import answer_groups

from telejudge_eval.judge_eval.admission import read_result
from telejudge_training.judge_data.files import read_rows
from telejudge_training.judge_data.making_rows import RowSettings, write_judge_data
from telejudge_training.judge_data.rows import JudgeRow

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_every_way_of_judging_answers_is_trained_examined_and_kept(
    tmp_path: Path, model_maker: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capsys
):
    pytest.importorskip("trl")
    monkeypatch.chdir(ROOT)
    name = "judge_teleqna"
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    bench = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, bench)
    spec.loader.exec_module(bench)
    answers = tmp_path / "answers-0.jsonl"
    answer_groups(tmp_path)
    write_judge_data(
        [answers], tmp_path / "rows.jsonl", RowSettings(codec="boxed", prompt=bench.BRIEF)
    )
    rows = list(read_rows(tmp_path / "rows.jsonl", JudgeRow))
    model_maker(tmp_path / "model", rows, positions=4096)
    kept = tmp_path / "kept"
    words = f"{answers} --model {tmp_path / 'model'} --out {tmp_path / 'out'} --keep {kept}"
    few = "--preset smoke --groups 8 --test 2 --largest 2 --attacks 0"
    monkeypatch.setattr(sys, "argv", [name, *words.split(), *few.split()])
    bench.main()
    results = [read_result(path) for path in sorted(kept.glob("*.json"))]
    assert [result.label for result in results] == list(bench.WAYS)
    judged = {tuple(group.group_id for group in result.groups) for result in results}
    assert len(judged) == 1  # the same groups by all
    assert {result.settings["kind"] for result in results} >= {"sft", "bt", "rrhf", "grpo", "opd"}
    before = {path.name: path.read_bytes() for path in kept.glob("*.json")}
    capsys.readouterr()
    bench.main()
    assert "0 s judging" in capsys.readouterr().out
    assert before == {path.name: path.read_bytes() for path in kept.glob("*.json")}
