"""An episode without a single call is the laziest of all, in every world."""

from __future__ import annotations

import pytest

from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.trajectory import Group, Trajectory
from telejudge_envs.registry import open_world
from telejudge_judges.verifier import Verifier


@pytest.mark.parametrize("name", ["tau2-telecom", "base-station"])
def test_to_do_nothing_earns_no_more_than_to_give_up(name: str) -> None:
    world = open_world(name)
    task = world.tasks("test")[0]
    episode = world.open(task)
    episode.step(Message(role="assistant", text="I leave it at that."))
    trajectory = Trajectory(
        id="idle",
        task_id=task.id,
        world=name,
        agent="idle",
        mode="solo",
        messages=episode.observation,
        stop="agent_error",
        failure=episode.failure,
    )
    group = Group(id="g", task=task.view, trajectories=(trajectory,))
    (verdict,) = Verifier(open_world).judge_now(group).verdicts
    assert {"gave_up", "left_fault"} <= {defect.kind for defect in verdict.defects}
    assert verdict.reward is not None
    assert verdict.reward < 0.1
