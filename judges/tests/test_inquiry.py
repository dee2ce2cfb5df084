"""What all judges that ask a model about evidence share: options, defaults, what versions hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kinds_harness import run_at
from rubric_harness import answer, library

from telejudge_envs import fake_endpoint as fake
from telejudge_judges import practice
from telejudge_judges.listwise import ListwiseJudge
from telejudge_judges.pairwise import PairwiseJudge
from telejudge_judges.pointwise import PointwiseJudge
from telejudge_judges.prompting import Prompt
from telejudge_judges.reference import by_task
from telejudge_judges.registry import open_judge, settings_of
from telejudge_judges.rubric.judge import RubricJudge
from telejudge_judges.settings import ASKING, make_settings
from telejudge_judges.testing import SAMPLE_TASK, SAMPLES, sample_group

KINDS = pytest.mark.parametrize("kind", ["listwise", "pointwise", "pairwise", "rubric"])

PLAIN = {"base_url": "http://127.0.0.1:9/v1", "model": "m"}
OTHERWISE: dict[str, Any] = {
    "seed": 1, "language": "zh", "budget": 9_000, "structured": "off", "json_mode": True,
    "include_reasoning": True, "merge_identical": False, "sampling": {"temperature": 0.7},
    "model": "other",
}  # fmt: skip
OWN: dict[str, dict[str, Any]] = {
    "listwise": {"orders": 3, "max_orders": 7, "codec": "boxed"},
    "pointwise": {"codec": "tuple"},
    "pairwise": {"pairs": 2, "aggregate": "win_rate", "threshold": 0.6},
    "rubric": {"items": 3, "hit_seen": 5},
}


def version(kind: str, **changes: Any) -> str:
    return open_judge(kind, make_settings({**PLAIN, **changes})).version


@KINDS
def test_whatever_changes_verdicts_changes_the_version(kind: str, tmp_path: Path) -> None:
    prompt, *texts = (tmp_path / name for name in ("prompt.jinja", "one.yaml", "two.yaml"))
    prompt.write_text("".join(f"{{% block {b} %}}{b}{{% endblock %}}" for b in Prompt.blocks))
    for n, file in enumerate(texts):
        file.write_text(f"'{SAMPLE_TASK.id}': Way {n}.\n")
    changes: list[dict[str, Any]] = [{}, {"prompt": prompt}]
    changes += [{name: value} for name, value in (OTHERWISE | OWN[kind]).items()]
    changes += [{"references": file} for file in texts]
    changes.append({"references": texts[0], "reference_mode": "forced"})
    versions = [version(kind, **one) for one in changes]
    assert len(set(versions)) == len(changes)
    same: list[dict[str, Any]] = [{"cache": tmp_path / "kept"}, {"concurrency": 3}]
    same += [{"reference_mode": "forced"}, {"references": texts[0], "reference_mode": "hidden"}]
    assert {version(kind, **one) for one in same} == {versions[0]}


@KINDS
def test_every_kind_reads_the_same_settings(kind: str) -> None:
    assert set(ASKING) <= (settings_of(kind) or set())


BOOKS = library()
MAKES: dict[str, Any] = {
    "listwise": ListwiseJudge,
    "pointwise": PointwiseJudge,
    "pairwise": PairwiseJudge,
    "rubric": lambda client, **options: RubricJudge(client, library=BOOKS, **options),
}


@KINDS
def test_a_reference_is_used_if_unsure_unless_told_otherwise(kind: str) -> None:
    references = by_task({SAMPLE_TASK.id: "The known way."})
    with fake.FakeEndpoint(answer if kind == "rubric" else practice.answer) as server:
        make = MAKES[kind]
        run_at(server, lambda c: make(c, references=references), sample_group(*SAMPLES[:2]))
        assert server.requests
        for request in server.requests:
            system, user = (fake.texts(request, role)[0] for role in ("system", "user"))
            assert "The known way." in user
            assert "only where the evidence leaves you unsure" in system
        unknown = run_at(server, lambda c: make(c, references=by_task({})))
    assert "no reference is known for this group" in unknown.notes
