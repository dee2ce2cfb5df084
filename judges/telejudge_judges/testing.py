"""For tests of judges: small groups, and what any judge's verdict must satisfy.

judged = await my_judge.judge(sample_group())
check_verdict(sample_group(), judged)
"""

from __future__ import annotations

from typing import Any

from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import Change, Group, Trajectory
from telejudge_envs.nouns.verdict import GroupVerdict

SAMPLE_TASK = TaskView(
    id="[mms_issue]names_its_fault", world="sample", split="test", level=3, ticket="No MMS."
)
"""Its id names the fault, as tau2's do: no generative judge may see it."""


def sample_trajectory(
    name: str, *calls: str, stop: Any = "agent_stop", **fields: Any
) -> Trajectory:
    """Calls by name: `fix…` changes something, `bad…` fails, all others only look."""
    opening = [Message(role="system", text="The policy."), Message(role="user", text="No MMS.")]
    made = [ToolCall(id=f"c{i}", name=call, arguments={"n": i}) for i, call in enumerate(calls)]
    turns = [
        message
        for call in made
        for message in (
            Message(role="assistant", tool_calls=(call,)),
            Message(
                role="tool",
                text=f"{call.name} ok",
                tool_call_id=call.id,
                error=call.name.startswith("bad"),
            ),
        )
    ]
    return Trajectory(
        id=name,
        task_id=SAMPLE_TASK.id,
        world=SAMPLE_TASK.world,
        agent="sample-agent",
        mode="solo",
        messages=(*opening, *turns),
        changes=tuple(
            Change(path="device.x", before=False, after=True, call_id=call.id)
            for call in made
            if call.name.startswith("fix")
        ),
        stop=stop,
        **fields,
    )


SAMPLES = (
    sample_trajectory("t-solved", "look", "fix_roaming", "look", "done"),
    sample_trajectory("t-looked", "look", "done"),
    sample_trajectory("t-failed-call", "look", "bad_call", "bad_again", "fix_apn", "done"),
    sample_trajectory("t-transfer", "look", "fix_apn", "transfer_to_human_agents", "done"),
    sample_trajectory("t-stuck", "look", "fix_roaming", "look", "look", stop="max_steps"),
)


def sample_group(*trajectories: Trajectory) -> Group:
    """A group of these trajectories; of the five `SAMPLES` when none is given."""
    return Group(id="sample", task=SAMPLE_TASK, trajectories=trajectories or SAMPLES)


def check_verdict(group: Group, verdict: GroupVerdict) -> None:
    """Raises AssertionError naming the broken rule."""
    ids = [t.id for t in group.trajectories]
    assert (verdict.group_id, verdict.task_id) == (group.id, group.task.id), "names another group"
    assert [v.trajectory_id for v in verdict.verdicts] == ids, "not one verdict for each trajectory"
    steps = {t.id: sum(len(m.tool_calls) for m in t.messages) for t in group.trajectories}
    for one in verdict.verdicts:
        for defect in one.defects:
            known = defect.step is None or 0 <= defect.step < steps[one.trajectory_id]
            assert known, f"{one.trajectory_id} has no step {defect.step}"
    rewards = {v.trajectory_id: v.reward for v in verdict.verdicts if v.reward is not None}
    ranked = [name for tier in verdict.ranking for name in tier]
    assert sorted(ranked) == sorted(rewards), "the ranking must hold exactly the scored"
    tiers = [{round(rewards[name], 9) for name in tier} for tier in verdict.ranking]
    assert all(len(tier) == 1 for tier in tiers), "a tier mixes rewards"
    heights = [tier.pop() for tier in tiers]
    assert heights == sorted(set(heights), reverse=True), "tiers are not strictly best first"
    again = GroupVerdict.model_validate_json(verdict.model_dump_json())
    assert again == verdict, "the verdict does not survive its JSON line"
