"""Our tasks for verifiers (its v1): a taskset with tools, and an environment that a judge scores.

    env = load_environment(world="tau2-telecom", split="test", judge="verifier")

    vf-eval telejudge-verifiers --env.taskset.world base-station -m MODEL   # verifiers' own command

A row has the policy, the ticket and the task's number in its split, not its id. Each rollout gets
a tool server of its own, in a process of its own, with one single-use episode. All that leaves it
is which calls were made and what was answered. After the end the calls are played again here, and
the judge is asked about all attempts of the episode (`n`) as one group. Where it abstains the trace
has no reward and an error, so that verifiers counts it as unscored and `--resume` asks again.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from pydantic import BaseModel, Field

from telejudge_envs.adapters.seat import Seat, find_task
from telejudge_envs.errors import MissingExtraError, UsageError
from telejudge_envs.groups import groups_of
from telejudge_envs.nouns.trajectory import Rollout
from telejudge_envs.registry import open_world
from telejudge_eval.adapters.scoring import judge_for
from telejudge_judges.protocol import Judge

try:
    import mcp_types as types
    import verifiers.v1 as vf

    from telejudge_envs.adapters.mcp_server import offered, said
except ImportError as error:
    raise MissingExtraError("verifiers", "verifiers") from error

PLUGIN = "telejudge-verifiers"
"""Its id in verifiers, which imports the module of that name."""


class Row(vf.TaskData):
    """What verifiers knows of a task, and writes to its logs."""

    world: str
    split: str
    number: int
    seed: int = 0

    def seat(self, player: str = PLUGIN) -> Seat:
        world = open_world(self.world)
        task = find_task(world, f"{self.split}:{self.number}")
        return Seat(world, task, seed=self.seed, player=player)


class Call(BaseModel):
    """A call that was made, and the texts that the agent got for it."""

    tool: str
    arguments: dict[str, Any]
    answers: list[str]


class Made(vf.State):
    """What a rollout's tool server tells the host; verifiers keeps it out of its logs."""

    calls: list[Call] = Field(default_factory=list)
    over: bool = False


class Tools(vf.Toolset[vf.ToolsetConfig, Made]):
    """The world's tools under their own names, at one seat."""

    TOOL_PREFIX = None

    async def setup_task(self, task: Row) -> None:
        self._seat, self._calls, self._turn = task.seat(), list[Call](), asyncio.Lock()

    def register(self, mcp: Any) -> None:
        """Schemas and arguments as they are: `add_tool` would make its own from a signature."""
        stateful = self._with_state(self._play)

        async def offer() -> list[types.Tool]:
            return [offered(spec) for spec in self._seat.tools]

        async def play(name: str, arguments: dict[str, Any], _: Any = None) -> Any:
            async with self._turn:  # of calls at once each would replace the other's state
                return await stateful(name, arguments)

        mcp.list_tools, mcp.call_tool = offer, play

    async def _play(self, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
        try:
            answers = self._seat.call(name, arguments)
        except UsageError as error:  # the episode is over
            return said(str(error), error=True)
        texts = [answer.text for answer in answers]
        self._calls.append(Call(tool=name, arguments=arguments, answers=texts))
        self.state.calls, self.state.over = list(self._calls), self._seat.stop is not None
        return said(*texts, error=any(answer.error for answer in answers))


class WorldTask(vf.Task[Row, Made, vf.TaskConfig]):
    @classmethod
    def toolsets(cls, config: vf.TaskConfig) -> list[vf.Toolset]:
        return [Tools(vf.ToolsetConfig())]

    @vf.stop
    async def episode_over(self, trace: vf.Trace) -> bool:
        return trace.state.over


class WorldTasksetConfig(vf.TasksetConfig):
    world: str = "tau2-telecom"
    split: str = "test"
    seed: int = 0
    """The world's seed, the same for all attempts."""


class WorldTaskset(vf.Taskset[WorldTask, WorldTasksetConfig]):
    def load(self) -> Iterator[WorldTask]:
        for number in range(len(open_world(self.config.world).tasks(self.config.split))):
            row = Row(**self.config.model_dump(include={"world", "split", "seed"}), number=number)
            policy, *ticket = (message.text for message in row.seat().opening)
            told = {"system_prompt": policy, "prompt": "\n\n".join(ticket)}
            yield WorldTask(row.model_copy(update=told), self.config.task)


class WorldEnvConfig(vf.EnvConfig):
    agent: vf.AgentConfig = vf.AgentConfig(harness={"id": "null"}, runtime=vf.SubprocessConfig())
    """`null` has only the world's tools; with a shell here an agent could read what is hidden."""
    n: int = Field(1, ge=1)
    """Attempts of one episode, which the judge sees as one group."""
    judge: str = "verifier"
    settings: dict[str, Any] = Field(default_factory=dict)
    """The judge's, such as base_url and model."""


class WorldEnv(vf.Env[WorldEnvConfig]):
    async def run(self, task: WorldTask, agents: vf.Agents) -> None:
        async with asyncio.TaskGroup() as attempts:
            for _ in range(self.config.n):
                attempts.create_task(agents.agent.run(task))

    async def finalize(self, task: WorldTask, episode: vf.Episode) -> None:
        """Ask the judge once about all attempts that verifiers itself has no error for."""
        for trace in episode.traces:
            trace.rewards["judged"] = None
        whole = [trace for trace in episode.traces if trace.ok]
        rollouts = [await asyncio.to_thread(rollout_of, t, n) for n, t in enumerate(whole)]
        judged = [await self._judge.judge(group) for group in groups_of(rollouts)]
        verdicts = {v.trajectory_id: v for group in judged for v in group.verdicts}
        for trace, rollout in zip(whole, rollouts, strict=True):
            verdict = verdicts[rollout.trajectory.id]
            trace.info["verdict"] = verdict.model_dump(mode="json", exclude={"trajectory_id"})
            if verdict.abstained is not None:
                trace.record_error(vf.TaskError(f"the judge abstained: {verdict.abstained}"))
                continue
            trace.record_reward("judged", verdict.reward)
            trace.record_metrics({"solved": verdict.answer, "tools": verdict.tools})

    @cached_property
    def _judge(self) -> Judge:
        world = open_world(self.config.taskset.world)
        return judge_for(world, self.config.judge, **self.config.settings)


def rollout_of(trace: vf.Trace, attempt: int) -> Rollout:
    """The finished attempt. Raises UsageError where the world answers otherwise than before."""
    seat = trace.task.data.seat(f"attempt-{attempt}")
    for call in trace.state.calls:
        if [m.text for m in seat.call(call.tool, call.arguments)] != call.answers:
            raise UsageError(f"{call.tool} answers otherwise when the calls are played again")
    if trace.is_timeout:
        seat.close("deadline")
    elif seat.stop is None and trace.stop_condition == "agent_completed" and trace.last_reply:
        seat.say(trace.last_reply)
    seat.close("max_steps")  # a limit of verifiers', or the end of the context
    return seat.rollout


def load_environment(
    world: str = "tau2-telecom",
    split: str = "test",
    judge: str = "verifier",
    *,
    n: int = 1,
    **settings: Any,
) -> vf.Env:
    """A world's tasks; `n` attempts are judged as a group, `settings` are the judge's."""
    tasks = WorldTasksetConfig(id=PLUGIN, world=world, split=split)
    return vf.load_environment(WorldEnvConfig(taskset=tasks, judge=judge, settings=settings, n=n))


if __name__ == "__main__":  # verifiers starts a rollout's tool server so
    Tools.run()
