"""The commands that `serve-help` prints, and a real vLLM that is started by one of them.

The server's model is a folder named by TELEJUDGE_VLLM_MODEL, or a tiny one that is trained here
until it knows one task by heart. That one's own chat template leaves tools out of the prompt (half
a million weights could not read them), but writes and is read like any other's, by vLLM's hermes
parser. Its verdicts are worth nothing; that a listwise judge gets them and says so is what counts.
"""

# pyright: reportMissingImports=false
# (vLLM is no part of telejudge: types are checked without it)

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import Any

import pytest
from judge_data_harness import answer_groups
from typer.testing import CliRunner

from telejudge_agents.chat import ChatAgents
from telejudge_agents.play import Planned, play
from telejudge_agents.scripted.registry import scripted
from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Endpoint
from telejudge_envs.nouns.task import Task
from telejudge_envs.registry import open_world
from telejudge_eval.cli.serve_help import Server
from telejudge_judges.registry import open_judge
from telejudge_judges.settings import JudgeSettings
from telejudge_training.files import read_json

MODEL = "TELEJUDGE_VLLM_MODEL"
LENGTH, START_S = 8192, 900
ENDPOINT_CAUSES = {"timeout", "connection", "server_error", "bad_response", "bad_request"}


def helped(*arguments: str) -> list[str]:
    from telejudge_eval.cli.app import app

    done = CliRunner().invoke(app, ["serve-help", *arguments])
    assert done.exit_code == 0, done.output
    return done.output.splitlines()


def test_a_policys_server_reads_tool_calls_and_a_judges_reads_whole_groups():
    policy = helped("--role", "policy", "--model", "runs/x/model", "--devices", "4,5")
    assert policy[1].startswith("CUDA_VISIBLE_DEVICES=4,5 vllm serve runs/x/model ")
    assert "--tensor-parallel-size 2" in policy[1]
    assert "--enable-auto-tool-choice --tool-call-parser hermes" in policy[1]
    assert "--base-url http://127.0.0.1:8000/v1 --model policy" in policy[3]
    judge = helped("--role", "judge", "--model", "Qwen/Qwen3-32B", "--host", "0.0.0.0")
    assert "--served-model-name judge --host 0.0.0.0 --port 8100" in judge[1]
    assert "--max-model-len 65536" in judge[1]
    assert "tool" not in judge[1]
    assert "judge.base_url=http://127.0.0.1:8100/v1" in judge[4]


def test_what_else_is_said_reaches_the_command():
    printed = helped(
        *("--role", "policy", "--model", "a model", "--gpus", "0", "--port", "9000"),
        *("--tool-parser", "qwen3_xml", "--reasoning-parser", "qwen3"),
        *("--chat-template", "tools.jinja", "--max-model-len", "4096"),
    )[1]
    assert printed.startswith("VLLM_CPU_KVCACHE_SPACE=")
    assert "vllm serve 'a model'" in printed
    for words in (
        "--port 9000",
        "--max-model-len 4096",
        "--dtype float32",
        "--tool-call-parser qwen3_xml",
        "--reasoning-parser qwen3",
        "--chat-template tools.jinja",
    ):
        assert words in printed


@dataclass(frozen=True)
class Served:
    """A server under way, and what its model knows."""

    server: Server
    model: Path
    task: Task


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if util.find_spec("vllm") is None:
        pytest.skip("vLLM is not installed (docs/verl.md says how): nothing to start")
    folder = tmp_path_factory.mktemp("vllm")
    task = open_world("base-station").tasks("train")[0]
    given = os.environ.get(MODEL)
    model = Path(given) if given else by_heart(folder / "model", task)
    length = min(32_768, read_json(model / "config.json")["max_position_embeddings"])
    server = Server("policy", str(model), gpus=_gpus(), port=_free_port(), max_model_len=length)
    log = folder / "vllm.log"
    with log.open("wb") as file:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        process = subprocess.Popen(
            server.command,
            env={**os.environ, **server.environment, "PATH": path, "VLLM_NO_USAGE_STATS": "1"},
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for(server, process, log)
        yield Served(server, model, task)
    finally:
        with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


def _gpus() -> int:
    import torch

    return int(torch.cuda.is_available())


def _wait_for(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    import httpx

    limit = time.monotonic() + START_S
    while time.monotonic() < limit and process.poll() is None:
        try:
            if httpx.get(f"{server.base_url}/models", timeout=5).is_success:
                return
        except httpx.HTTPError:
            time.sleep(2)
    pytest.fail(f"{server} did not come up:\n{log.read_text(errors='replace')[-4000:]}")


def by_heart(folder: Path, task: Task) -> Path:
    """A tiny model that has seen the expert play `task`, and nothing else, sixteen times over."""
    from telejudge_judges.verifier import Verifier
    from telejudge_training.crew import Crew
    from telejudge_training.demonstrations import demonstrate
    from telejudge_training.settings import SftSettings, ShapeSettings
    from telejudge_training.sft import encode_all, train_sft
    from telejudge_training.tiny.model import new_model, save
    from telejudge_training.tiny.tokenizer import train_tokenizer

    world = open_world("base-station")
    demos = demonstrate(world, scripted("expert", world), [task] * 16, seed=0)
    talks = [demo.messages for demo in demos]
    tokenizer = train_tokenizer(talks, min_count=4)
    model = new_model(tokenizer, ShapeSettings(max_positions=LENGTH), seed=0)
    with Crew(world, Verifier(lambda name: world)) as crew:
        crew.equip(model, tokenizer)
        train_sft(crew, encode_all(tokenizer, talks), SftSettings(epochs=10), seed=0)
    save(model, tokenizer, folder)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(START_S + 600)
def test_a_real_vllm_plays_judges_and_gives_ids_with_logprobs(served: Served, tmp_path: Path):
    """One test, so that no other process of pytest's starts the server again."""
    assert_an_episode_is_played_with_tool_calls(served)
    assert_a_listwise_judge_is_answered(served, tmp_path)
    assert_ids_and_logprobs_come_back_and_are_the_models(served)


def assert_an_episode_is_played_with_tool_calls(served: Served):
    endpoint = Endpoint(
        base_url=served.server.base_url,
        model="policy",
        sampling={"temperature": 0.0, "max_tokens": 256, "logprobs": True},
        timeout_s=300,
    )
    agents = ChatAgents(ChatClient(endpoint))
    planned = Planned("vllm#0", served.task, 0, 0)
    rollout = asyncio.run(play(open_world("base-station"), planned, agents))
    trajectory = rollout.trajectory
    assert trajectory.failure is None or trajectory.failure.owner == "agent", trajectory.failure
    calls = [call for m in trajectory.messages for call in m.tool_calls]
    assert calls, f"the server read no tool call: {trajectory.messages[2:4]}"
    known = {tool.name for tool in open_world("base-station").open(served.task).tools}
    assert calls[0].name in known
    assert calls[0].raw is None
    answers = [m for m in trajectory.messages if m.role == "tool"]
    assert any(not answer.error for answer in answers), "some call was a right one"
    assert trajectory.usage.completion_tokens > 0


def assert_a_listwise_judge_is_answered(served: Served, folder: Path):
    # Answers to a question: what episodes hold does not fit into so small a model's window.
    group = answer_groups(folder)[0].group
    settings = JudgeSettings(
        judge="listwise",
        base_url=served.server.base_url,
        model="policy",
        orders=1,
        retries=0,
        merge_identical=False,
        sampling={"temperature": 0.0, "max_tokens": 256},
        timeout=600,
    )
    verdict = asyncio.run(open_judge(settings=settings).judge(group))
    assert verdict.completion_tokens > 0
    assert len(verdict.verdicts) == len(group.trajectories)
    for one in verdict.verdicts:
        assert (one.reward is None) == (one.abstained is not None)
        assert one.abstained not in ENDPOINT_CAUSES, "the server failed, not its model"


def assert_ids_and_logprobs_come_back_and_are_the_models(served: Served):
    import httpx
    import torch
    from transformers import AutoModelForCausalLM

    answer: dict[str, Any] = httpx.post(
        f"{served.server.base_url}/chat/completions",
        json={
            "model": "policy",
            "messages": [{"role": "user", "content": served.task.view.ticket}],
            "temperature": 1.0,
            "seed": 0,
            "max_tokens": 32,
            "logprobs": True,
            "return_token_ids": True,
        },
        timeout=300,
    ).json()
    (choice,) = answer["choices"]
    prompt, said = answer["prompt_token_ids"], choice["token_ids"]
    logprobs = [token["logprob"] for token in choice["logprobs"]["content"]]
    assert len(said) == len(logprobs) == answer["usage"]["completion_tokens"] > 0
    assert len(prompt) == answer["usage"]["prompt_tokens"]
    model = AutoModelForCausalLM.from_pretrained(served.model, dtype=torch.float32).eval()
    with torch.no_grad():
        logits = model(torch.tensor([prompt + said])).logits[0, len(prompt) - 1 : -1]
    own = torch.log_softmax(logits, -1).gather(1, torch.tensor(said)[:, None])[:, 0]
    assert logprobs == pytest.approx(own.tolist(), abs=2e-2)
