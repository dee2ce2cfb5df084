"""`telejudge rollout` with models at endpoints: agents, users and engines by their options."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from telejudge_agents.runner import run
from telejudge_agents.scripted.registry import scripted
from telejudge_envs import fake_endpoint as fake
from telejudge_envs.endpoint import Endpoint
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.trajectory import Rollout
from telejudge_envs.registry import open_world
from telejudge_envs.store import read
from telejudge_envs.stub_endpoint import StubEndpoint, plan_of
from telejudge_eval import runs
from telejudge_eval.cli.app import app
from telejudge_eval.cli.options import prices
from telejudge_eval.cli.seating import Seating
from telejudge_eval.tables import users_of


def rollout(out: Path, *options: str) -> list[Rollout]:
    told = CliRunner().invoke(app, ["rollout", "--out", str(out), *options])
    assert told.exit_code == 0, told.output
    return list(read(out, Rollout))


@pytest.fixture(scope="module")
def task_id() -> str:
    return open_world("tau2-telecom").tasks("test")[0].id


@pytest.mark.parametrize("agent", ["chat", "langgraph"])
def test_an_agent_at_an_endpoint(tmp_path: Path, agent: str, task_id: str) -> None:
    if agent == "langgraph":
        pytest.importorskip("langgraph", reason="comes with the extra langgraph")
    world = open_world("tau2-telecom")
    plan = plan_of(run(world, [world.task(task_id)], scripted("gold", world)))
    with StubEndpoint(plan) as stub:
        where = ("--base-url", stub.base_url, "--model", "stub", "--task", task_id)
        out = tmp_path / "rollouts.jsonl"
        played = rollout(out, "--agent", agent, *where, "--rollouts", "2")
        assert [r.outcome.answer for r in played if r.outcome] == [1, 1]
        before = out.read_bytes()
        rollout(out, "--agent", agent, *where, "--rollouts", "2")
        assert out.read_bytes() == before


def test_a_conversation_of_two_models_and_what_it_costs(tmp_path: Path, task_id: str) -> None:
    customer = fake.in_turn(fake.say("My MMS do not work."), fake.say("Thanks. ###STOP###"))
    with (
        fake.FakeEndpoint(fake.in_turn(fake.say("One moment."))) as agent,
        fake.FakeEndpoint(customer) as user,
    ):
        options = f"--agent chat --base-url {agent.base_url} --model m --mode dual --user model"
        options += f" --user-base-url {user.base_url} --user-model u --rollouts 1 --stream"
        options += " --prices 1,2 --thinking turn --overflow drop --one-call --rpm 6000"
        (played,) = rollout(tmp_path / "dual.jsonl", *options.split(), "--task", task_id)
    assert played.trajectory.stop == "user_stop"
    assert (played.trajectory.versions["user"], played.trajectory.versions["model"]) == ("u", "m")
    assert played.trajectory.versions["thinking"] == "turn"
    used = played.trajectory.usage
    tokens = used.prompt_tokens + 2 * used.completion_tokens
    assert used.cost_usd == pytest.approx(tokens / 1e6)
    assert agent.requests[0]["stream"] is True
    assert agent.requests[0]["parallel_tool_calls"] is False
    assert user.requests[0]["messages"][0]["content"].startswith("# User Simulation")
    his = played.trajectory.user_usage
    assert his is not None
    assert (his.requests, his.prompt_tokens, his.cost_usd) == (2, 20, 0)
    assert used.requests == len(agent.requests)


def test_what_a_user_costs_is_told_beside_the_agent(tmp_path: Path, task_id: str) -> None:
    out, summary = tmp_path / "dual.jsonl", tmp_path / "figures.json"

    def either(request: dict[str, Any], n: int) -> fake.Reply:
        if not fake.texts(request, "system")[0].startswith("# User Simulation"):
            return fake.say("One moment.")
        done = any(m["role"] == "assistant" for m in request["messages"])
        return fake.say("Thanks. ###STOP###" if done else "My MMS do not work.")

    with fake.FakeEndpoint(either) as both:
        options = f"--agent chat --base-url {both.base_url} --model m --mode dual --user model"
        options += f" --prices 1000,0 --rollouts 2 --task {task_id} --out {out}"
        told = CliRunner().invoke(app, ["rollout", *options.split()])
        again = options.replace("dual.jsonl", "dearer.jsonl") + " --user-prices 3000,0"
        dearer = CliRunner().invoke(app, ["rollout", *again.split()])
    tokens = sum(u.prompt_tokens + u.completion_tokens for u in users_of(list(read(out, Rollout))))
    assert f"0.0200 USD, and {tokens} tokens (0.0400 USD) of users" in told.output
    assert f"0.0200 USD, and {tokens} tokens (0.1200 USD) of users" in dearer.output
    figures = runs.read(out).figures
    assert (figures["user_tokens"], figures["cost_usd"], figures["user_cost_usd"]) == (
        tokens, 0.02, 0.04,
    )  # fmt: skip
    shown = CliRunner(env={"COLUMNS": "220"}).invoke(
        app, ["eval", "agent", str(out), "--bootstrap", "100", "--summary", str(summary)]
    )
    assert "user cost usd" in shown.output
    (one,) = json.loads(summary.read_text())["agents"]
    assert one["measures"]["cost_usd"]["value"] == pytest.approx(0.01)
    assert one["measures"]["user_cost_usd"]["value"] == pytest.approx(0.02)
    assert one["measures"]["user_tokens"]["value"] == tokens / 2


def test_without_a_users_model_nothing_of_him_is_written(tmp_path: Path, task_id: str) -> None:
    out, summary = tmp_path / "dual.jsonl", tmp_path / "figures.json"
    (played,) = rollout(out, *f"--mode dual --rollouts 1 --task {task_id}".split())
    assert played.trajectory.user_usage is None
    assert b"user_usage" not in out.read_bytes()
    assert "user_tokens" not in runs.read(out).figures
    CliRunner().invoke(
        app, ["eval", "agent", str(out), "--bootstrap", "100", "--summary", str(summary)]
    )
    (one,) = json.loads(summary.read_text())["agents"]
    assert "calls" in one["measures"]
    assert not [name for name in one["measures"] if name.startswith("user")]


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ("--overflow drop", "--overflow"),
        ("--thinking keep --thinking-as tags", "--thinking, --thinking-as"),
        ("--stream --one-call", "--one-call, --stream"),
        ("--rpm 60 --prices 1,2", "--prices, --rpm"),
    ],
)
def test_what_langgraph_cannot_do_is_refused(tmp_path: Path, options: str, flags: str) -> None:
    given = f"--agent langgraph --base-url http://127.0.0.1:9/v1 --model m {options}"
    with pytest.raises(UsageError, match=f"^{flags}: only --agent chat"):
        CliRunner().invoke(
            app,
            ["rollout", "--out", str(tmp_path / "r.jsonl"), *given.split()],
            catch_exceptions=False,
        )


def test_prices_from_flags_and_files(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text(json.dumps({"m": {"prompt": 0.15, "completion": 0.6}}))
    assert prices(str(file), "m") == prices("0.15,0.6", "other")
    assert prices("1,2,0.5", "m") == prices("1.0,2.0,0.50", "m") != prices("1,2", "m")
    for wrong in ("a,b", str(tmp_path / "none.json")):
        with pytest.raises(UsageError, match="--prices"):
            prices(wrong, "m")
    with pytest.raises(UsageError, match="no prices for n"):
        prices(str(file), "n")


def test_a_seating_opens_the_same_in_another_process() -> None:
    where = Endpoint(base_url="http://127.0.0.1:1/v1", model="m", api_key="secret")
    seating = Seating(world="base-station", agent="chat", mode="dual", endpoint=where)
    tables = pickle.loads(pickle.dumps(seating.open))()
    assert tables.factory.name == "m"
    assert tables.world.name == "base-station"
    assert tables.users is not None


def test_what_does_not_go_together_is_told(tmp_path: Path) -> None:
    told = CliRunner().invoke(
        app,
        ["rollout", "--out", str(tmp_path / "r.jsonl"), "--engine", "ray", "--checkpoints", "c.db"],
    )
    assert told.exit_code != 0
    assert not (tmp_path / "r.jsonl").exists()
