"""`telejudge data corruptions`: as many labelled trajectories as asked for, none twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from telejudge_envs import store
from telejudge_envs.nouns.trajectory import Rollout
from telejudge_eval.cli.app import app
from telejudge_judges.corruption.records import Labelled


@pytest.mark.parametrize("world", ["base-station", "tau2-telecom"])
def test_the_command_writes_labelled_trajectories(tmp_path: Path, world: str) -> None:
    rollouts = tmp_path / "rollouts.jsonl"
    if world == "tau2-telecom":
        played = CliRunner().invoke(
            app,
            ["rollout", "--split", "small", "--rollouts", "1", "--out", str(rollouts)],
        )
        assert played.exit_code == 0, played.output
    given = ["--rollouts", str(rollouts)] if rollouts.exists() else []
    out = tmp_path / "corruptions.jsonl"
    made = CliRunner().invoke(
        app,
        ["data", "corruptions", "--world", world, "--count", "40", "--processes", "1",
         "--out", str(out), *given],
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    assert "40 labelled trajectories" in made.output
    written = list(store.read(out, Labelled))
    assert len(written) == 40
    texts = {labelled.rollout.trajectory.model_dump_json(exclude={"id"}) for labelled in written}
    assert len(texts) == 40
    assert {labelled.kind is None for labelled in written} == {True, False}
    assert all(isinstance(labelled.rollout, Rollout) for labelled in written)
