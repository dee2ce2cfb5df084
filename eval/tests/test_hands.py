"""A person at the terminal, the explained gold plan, and the commands about tasks."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from typer.testing import CliRunner

from telejudge_envs.base_station.gold import Gold
from telejudge_envs.base_station.world import BaseStation
from telejudge_envs.inspection import inspect
from telejudge_eval.cli.app import app
from telejudge_eval.explain import explained
from telejudge_eval.hands import Desk, play_by_hand
from telejudge_eval.picture import draw_task
from telejudge_judges.verifier import score

WORLD = BaseStation()
TASK = WORLD.task("bs-dev-0001")


def typed(*lines: str):
    """Answers to every question, then the end of input."""
    waiting = iter(lines)

    def ask(question: str) -> str:
        try:
            return next(waiting)
        except StopIteration:
            raise EOFError from None

    return ask


def quiet() -> Console:
    return Console(file=io.StringIO(), width=200)


def test_a_person_who_knows_the_way_solves_the_task():
    gold = Gold(WORLD.open(TASK)).play().observation
    lines: list[str] = []
    for call in (call for message in gold for call in message.tool_calls):
        if call.name == "submit_resolution_report":
            lines += [call.name]
            for cause in call.arguments["root_causes"]:
                lines += [cause["fault_class"], cause["object_id"], ",".join(cause["evidence"])]
            lines += ["", "yes" if call.arguments["restored"] else "no"]
        else:
            words = [call.name]
            for name, value in call.arguments.items():
                told = ",".join(value) if isinstance(value, list) else value
                words.append(f'"{name}={told}"')
            lines.append(" ".join(words))
    trajectory = play_by_hand(WORLD, TASK, quiet(), typed(*lines))
    verdict = score(trajectory.id, inspect(WORLD, TASK, trajectory))
    assert (trajectory.stop, verdict.answer) == ("agent_stop", 1)


def test_tools_go_by_number_and_missing_arguments_are_asked_for():
    episode = WORLD.open(TASK)
    desk = Desk(episode, quiet(), typed(episode.db.focus))
    number = [tool.name for tool in desk.tools].index("get_clock") + 1
    desk._call(str(number))
    assert episode.observation[-2].tool_calls[0].name == "get_clock"
    assert not episode.observation[-1].error
    assert episode.db.focus in desk.words


@pytest.mark.parametrize("line", ["no_such_tool", "get_clock a b c", 'get_clock "a', "?", "? 3"])
def test_a_line_that_means_nothing_costs_nothing(line: str):
    episode = WORLD.open(TASK)
    desk = Desk(episode, quiet(), typed(line))
    assert desk.turn()
    assert len(episode.observation) == 2


def test_the_explained_plan_says_of_every_call_what_it_was_worth():
    text = explained(WORLD, TASK)
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 6
    assert "Reward: 1.0." in text
    assert text == explained(WORLD, TASK)


def test_a_task_can_be_drawn(tmp_path):
    picture = draw_task(TASK, tmp_path / "task.png")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_commands_about_tasks(tmp_path):
    run = CliRunner()
    checked = run.invoke(
        app, ["validate", "basestation", "--split", "dev", "--limit", "4", "--processes", "1"]
    )
    assert checked.exit_code == 0, checked.output
    assert "oracle" in checked.output
    assert run.invoke(app, ["validate", "tau2-telecom"]).exception is not None
    told = run.invoke(app, ["explain", "basestation", TASK.id, "--out", str(tmp_path / "gold.md")])
    assert told.exit_code == 0, told.output
    assert (tmp_path / "gold.md").read_text().startswith(f"### {TASK.id}")
    played = run.invoke(app, ["play", "basestation", TASK.id], input="list_alarms\nquit\n")
    assert played.exit_code == 0, played.output
    assert "reward" in played.output
