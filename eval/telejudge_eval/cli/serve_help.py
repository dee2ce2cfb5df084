"""`telejudge serve-help`: the exact command that starts vLLM for a policy or a judge."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Annotated, Literal

import typer

Role = Literal["policy", "judge"]

PORTS: dict[Role, int] = {"policy": 8000, "judge": 8100}
LENGTHS: dict[Role, int] = {"policy": 32_768, "judge": 65_536}
"""Tokens of prompt and reply together: a judge reads a whole group."""

CPU_CACHE_GIB = 4


@dataclass(frozen=True)
class Server:
    """One vLLM server. No GPUs: vLLM's CPU build, in fp32."""

    role: Role
    model: str
    gpus: int = 1
    devices: str | None = None
    host: str = "127.0.0.1"
    port: int | None = None
    max_model_len: int | None = None
    tool_parser: str = "hermes"
    reasoning_parser: str | None = None
    chat_template: str | None = None

    @property
    def base_url(self) -> str:
        host = "127.0.0.1" if self.host == "0.0.0.0" else self.host
        return f"http://{host}:{self.port or PORTS[self.role]}/v1"

    @property
    def environment(self) -> dict[str, str]:
        if not self.gpus:
            return {
                "VLLM_CPU_KVCACHE_SPACE": str(CPU_CACHE_GIB),
                "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            }
        return {"CUDA_VISIBLE_DEVICES": self.devices} if self.devices else {}

    @property
    def command(self) -> tuple[str, ...]:
        words = ["vllm", "serve", self.model, "--served-model-name", self.role]
        words += ["--host", self.host, "--port", str(self.port or PORTS[self.role])]
        words += ["--max-model-len", str(self.max_model_len or LENGTHS[self.role])]
        words += ["--enable-prefix-caching"]
        if self.gpus > 1:
            words += ["--tensor-parallel-size", str(self.gpus)]
        if not self.gpus:
            words += ["--dtype", "float32", "--enforce-eager"]
        if self.role == "policy":
            words += ["--enable-auto-tool-choice", "--tool-call-parser", self.tool_parser]
        if self.reasoning_parser:
            words += ["--reasoning-parser", self.reasoning_parser]
        if self.chat_template:
            words += ["--chat-template", self.chat_template]
        return tuple(words)

    def __str__(self) -> str:
        variables = [f"{name}={shlex.quote(value)}" for name, value in self.environment.items()]
        return " ".join([*variables, shlex.join(self.command)])


def uses_of(server: Server) -> tuple[str, ...]:
    """Commands of ours that ask such a server."""
    asked = f"--base-url {server.base_url} --model {server.role}"
    if server.role == "policy":
        return (
            f"telejudge rollout --world base-station --agent chat {asked} --rollouts 4 "
            "--out policy.jsonl",
        )
    return (
        f"telejudge judge policy.jsonl --judge listwise {asked} --out judged.jsonl",
        "telejudge train agent --backend verl --recipe qwen3_8b_8xh100_basestation "
        f"--set judge.base_url={server.base_url} --set judge.model=judge "
        "--judge-admission admission.json",
    )


def serve_help(
    role: Annotated[Role, typer.Option(help="Who is served: it sets name, port and length.")],
    model: Annotated[str, typer.Option(help="A model folder, or a name at a model hub.")],
    gpus: Annotated[int, typer.Option(min=0, help="How many GPUs; 0 for vLLM's CPU build.")] = 1,
    devices: Annotated[
        str | None, typer.Option(help="Which GPUs, such as 4,5; their number wins over --gpus.")
    ] = None,
    host: Annotated[str, typer.Option(help="0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(help="Default: 8000 for the policy, 8100 for the judge.")
    ] = None,
    max_model_len: Annotated[
        int | None, typer.Option(help="Tokens; default: 32768 for the policy, 65536.")
    ] = None,
    tool_parser: Annotated[
        str, typer.Option(help="policy: how vLLM reads the model's tool calls.")
    ] = "hermes",
    reasoning_parser: Annotated[
        str | None, typer.Option(help="Such as qwen3: thinking comes apart from the answer.")
    ] = None,
    chat_template: Annotated[
        str | None, typer.Option(help="A file, for a model whose own cannot write tools.")
    ] = None,
) -> None:
    """Print the command that starts vLLM for a policy or a judge, and who then asks it.

    Example: `telejudge serve-help --role judge --model Qwen/Qwen3-32B --gpus 2`
    """
    count = len(devices.split(",")) if devices else gpus
    server = Server(
        role,
        model,
        count,
        devices,
        host,
        port,
        max_model_len,
        tool_parser,
        reasoning_parser,
        chat_template,
    )
    typer.echo(f"# the {role}'s server; ready when {server.base_url}/models answers")
    typer.echo(str(server))
    typer.echo("# then")
    for use in uses_of(server):
        typer.echo(use)
