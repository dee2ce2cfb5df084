"""The base-station world as a World: contract, replay, tasks, score."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telejudge_envs.base_station.episode import specs as tool_specs
from telejudge_envs.base_station.generator import SIZES, generate, write
from telejudge_envs.base_station.gold import Gold
from telejudge_envs.base_station.names import SPLITS
from telejudge_envs.base_station.spec import build, team_for
from telejudge_envs.base_station.tasks import specs
from telejudge_envs.base_station.validate import validate
from telejudge_envs.base_station.world import BaseStation
from telejudge_envs.errors import DataError, UsageError
from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Trajectory
from telejudge_envs.registry import open_world
from telejudge_envs.testing import check_world

WORLD = BaseStation()
JUNK = [
    ToolCall(id="a", name="no_such_tool"),
    ToolCall(id="b", name="list_alarms"),
    ToolCall(id="c", name="list_alarms", arguments={"scope_id": 7}),
    ToolCall(id="d", name="lock_cell", arguments={"cell_id": "nowhere"}),
    ToolCall(id="e", name="reset_board", raw="{not json"),
    ToolCall(id="f", name="splice_fibre", arguments={"link_id": "x"}),
    ToolCall(id="g", name="get_clock", arguments={"site_id": "x", "extra": 1}),
]


def played(task: Task, dice: random.Random | None = None) -> Trajectory:
    episode = Gold(WORLD.open(task), dice=dice).play()
    return Trajectory(
        id="t",
        task_id=task.id,
        world=WORLD.name,
        agent="gold",
        mode="solo",
        messages=episode.observation,
        changes=episode.ledger,
        stop=episode.stop or "failed",
    )


@pytest.mark.parametrize("split", SPLITS)
def test_the_world_keeps_the_contract(split: str):
    check_world(WORLD, split, junk=JUNK)


def test_it_is_found_by_its_name_with_or_without_dash():
    assert open_world("basestation").name == open_world("base-station").name == "base-station"


def test_the_shipped_tasks_are_those_that_the_command_writes(tmp_path):
    write(tmp_path)
    for split in SPLITS:
        ours = [spec.model_dump_json(exclude_defaults=True) for spec in specs(split).values()]
        assert (tmp_path / f"{split}.jsonl").read_text().splitlines() == ours


def test_splits_share_neither_compositions_nor_ids_nor_words():
    keys = {s: {(x.topology, x.atoms) for x in specs(s).values()} for s in SPLITS}
    letters = {s: {t.view.ticket.split("Site: ")[1][0] for t in WORLD.tasks(s)} for s in SPLITS}
    words = {s: {t.view.ticket.splitlines()[4] for t in WORLD.tasks(s)} for s in SPLITS}
    for table in (keys, letters, words):
        assert sum(map(len, table.values())) == len(set().union(*table.values()))


def test_ood_shows_what_no_other_split_does():
    known = [x for s in ("train", "dev", "test") for x in specs(s).values()]
    elsewhere = {a[:2] for x in known for a in x.atoms}
    ood = {a[:2] for x in specs("ood").values() for a in x.atoms}
    assert {"T4", "S2", "A4"} <= ood - elsewhere
    assert "ring" in {x.topology for x in specs("ood").values()}


def test_sizes_levels_and_the_share_of_other_teams():
    every = [x for s in SPLITS for x in specs(s).values()]
    assert len(every) == sum(SIZES.values()) == 6_000
    assert {x.level for x in every} == {1, 2, 3, 4, 5}
    handed = sum(any(team_for(x, a) for a in x.atoms) for x in every) / len(every)
    assert 0.18 < handed < 0.22


@pytest.mark.slow
def test_a_sample_of_every_split_is_sound():
    """`telejudge validate basestation` does this for all 6,000."""
    for split in SPLITS:
        chosen = random.Random(split).sample(list(specs(split).values()), 40)
        assert [(r.task_id, r.failed) for r in map(validate, chosen) if r.failed] == []


def test_the_same_seed_gives_the_same_bytes():
    first = generate({"test": 30})["test"]
    assert first == generate({"test": 30})["test"]
    assert [build(s).model_dump_json() for s in first] == [
        build(s).model_dump_json() for s in first
    ]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 899), st.integers(0, 9))
def test_gold_in_any_order_solves_and_replays_to_the_same_end(number: int, seed: int):
    task = WORLD.tasks("test")[number]
    trajectory = played(task, random.Random(seed))
    again = WORLD.replay(task, trajectory)
    assert again.outcome().answer == 1
    assert again.ledger == trajectory.changes
    assert trajectory.stop == "agent_stop"


def test_a_read_is_numbered_by_its_call_and_a_busy_tool_refuses_once():
    spec = next(x for x in specs("train").values() if "dispatch_technician" in x.busy)
    episode = WORLD.open(WORLD.task(spec.id))
    db = episode.db
    call = {
        "site_id": db.focus,
        "technician_id": db.technicians[0].id,
        "task": "look",
        "parts": [],
    }
    answers = [
        episode.step(
            Message(
                role="assistant",
                tool_calls=(ToolCall(id="x", name="dispatch_technician", arguments=call),),
            )
        )[0]
        for _ in range(2)
    ]
    assert [a.error for a in answers] == [True, False]
    assert answers[0].text.startswith("Error: BUSY")
    assert json.loads(answers[1].text)["action_id"] == "w2"


def test_dual_mode_leaves_the_field_tools_to_the_technician():
    noc = {tool.name for tool in tool_specs("dual", "agent")}
    field = {tool.name for tool in tool_specs("dual", "user")}
    assert not noc & field
    assert noc | field == {tool.name for tool in tool_specs("solo", "agent")}
    task = WORLD.task("bs-train-0000", "dual")
    with pytest.raises(UsageError, match="technician"):
        WORLD.open(task)
    episode = WORLD.open(task, user=WORLD.scripted_user(task, 0))
    taken = ToolCall(id="1", name="check_breakers")
    answer = episode.step(Message(role="assistant", tool_calls=(taken,)))[0]
    assert answer.error
    assert "technician" in answer.text


def test_text_in_solo_mode_is_the_agents_error():
    episode = WORLD.open(WORLD.tasks("train")[0])
    episode.step(Message(role="assistant", text="I think it is the fibre."))
    assert episode.stop == "agent_error"
    assert episode.outcome().answer == 0


def test_a_report_of_all_faults_is_wrong():
    task = WORLD.tasks("train")[1]
    trajectory = played(task)
    report = trajectory.messages[-2].tool_calls[0]
    causes = report.arguments["root_causes"]
    extra = {**causes[0], "fault_class": "congestion"}
    episode = WORLD.open(task)
    for message in trajectory.messages[2:-2]:
        if message.role == "assistant":
            episode.step(message)
    stuffed = report.model_copy(
        update={"arguments": {**report.arguments, "root_causes": [*causes, extra]}}
    )
    episode.step(Message(role="assistant", tool_calls=(stuffed,)))
    failed = [check.name for check in episode.outcome().checks if not check.passed]
    assert failed[0].startswith("causes")


def test_a_task_of_another_world_is_refused():
    stranger = Task(view=WORLD.tasks("train")[0].view.model_copy(update={"world": "other"}))
    with pytest.raises(UsageError, match="other"):
        WORLD.open(stranger)
    broken = Task(view=WORLD.tasks("train")[0].view, hidden={})
    with pytest.raises(DataError):
        WORLD.open(broken)


def test_what_the_technician_got_wrong_is_recorded_as_his():
    spec = next(x for x in specs("train").values() if x.persona == "wrong_theory")
    task = WORLD.task(spec.id, "dual")
    user = WORLD.scripted_user(task, 0)
    episode = WORLD.open(task, user=user)
    episode.step(Message(role="assistant", text="What do you think is wrong?"))
    sent = {
        "site_id": episode.db.focus,
        "technician_id": episode.db.technicians[0].id,
        "task": "look",
        "parts": [],
    }
    call = ToolCall(id="s", name="dispatch_technician", arguments=sent)
    episode.step(Message(role="assistant", tool_calls=(call,)))
    episode.step(Message(role="assistant", text=f"Please travel to {episode.db.focus}."))
    outcome = episode.outcome()
    assert [f.cause for f in outcome.coped_with] == ["wrong_claim"]
    assert outcome.faults == ()
