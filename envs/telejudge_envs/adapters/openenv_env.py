"""A world as an OpenEnv environment: the server, and a typed client for it.

    telejudge serve openenv --world base-station --split train --port 8000

    with WorldClient(base_url="http://127.0.0.1:8000").sync() as env:
        result = env.reset(seed=0)                                  # policy, ticket and tools
        result = env.step(WorldAction(tool="get_clock", arguments={"site_id": "K042"}))
        result.reward, result.done                                  # 0.0, False

OpenEnv's session is a WebSocket; each `reset` opens a fresh episode, which is single use. The
reward is 0 until the end, then the judge's, or None where it abstained. OpenEnv's own
GenericEnvClient works as well. Its page for people (ENABLE_WEB_INTERFACE) is not served.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from telejudge_envs.adapters.hosting import Door, Limits, checked_host
from telejudge_envs.adapters.seat import Score, Seat, find_task
from telejudge_envs.chat_format import to_openai, tools_to_openai
from telejudge_envs.errors import MissingExtraError, UsageError
from telejudge_envs.nouns.base import Mode
from telejudge_envs.nouns.task import Task
from telejudge_envs.protocol import World

try:
    from openenv.core.client_types import StepResult
    from openenv.core.env_client import EnvClient
    from openenv.core.env_server.http_server import create_fastapi_app
    from openenv.core.env_server.interfaces import Environment
    from openenv.core.env_server.types import Action, ConcurrencyConfig, Observation, State
except ImportError as error:
    raise MissingExtraError("openenv", "openenv", then="pip install --no-deps openenv") from error


class WorldAction(Action):
    """A call of a tool, or, without one, words to the user."""

    tool: str | None = None
    arguments: Any = Field(default_factory=dict)
    text: str = ""


class WorldObservation(Observation):
    """What was said since the last action, in OpenAI's chat format; tools come with a reset."""

    messages: list[dict[str, Any]] = Field(default_factory=list)
    tools: list[dict[str, Any]] = Field(default_factory=list)


class WorldEnvironment(Environment[WorldAction, WorldObservation, State]):
    """One session. `reset(task=…)` chooses the task, else the seed draws one."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self, world: World, tasks: Sequence[Task], mode: Mode, score: Score) -> None:
        super().__init__()
        self._world, self._tasks, self._judge = world, tasks, score
        self._mode: Mode = mode
        self._seat: Seat | None = None
        self._state = State()

    def reset(
        self, seed: int | None = None, episode_id: str | None = None, **kwargs: Any
    ) -> WorldObservation:
        seed = random.SystemRandom().randrange(2**31) if seed is None else seed
        chosen = kwargs.get("task")
        task = (
            find_task(self._world, str(chosen), self._mode)
            if chosen is not None
            else random.Random(seed).choice(self._tasks)
        )
        self._seat = Seat(self._world, task, seed=seed, player="openenv", score=self._judge)
        self._state = State(episode_id=episode_id, step_count=0)
        return WorldObservation(
            reward=0.0,
            messages=to_openai(self._seat.opening),
            tools=tools_to_openai(self._seat.tools),
        )

    def step(
        self, action: WorldAction, timeout_s: float | None = None, **kwargs: Any
    ) -> WorldObservation:
        """Raises UsageError before the first reset and after the end."""
        seat = self._seat
        if seat is None:
            raise UsageError("reset() comes first, in the same session")
        if action.tool is None:
            said = seat.say(action.text)
        else:
            said = seat.call(action.tool, action.arguments)
        self._state = State(
            episode_id=self._state.episode_id, step_count=self._state.step_count + 1
        )
        messages = to_openai(said)
        if seat.stop is None:
            return WorldObservation(reward=0.0, messages=messages)
        stop, outcome, verdict = seat.ending
        told: dict[str, Any] = {"stop": stop, "answer": outcome.answer}
        if verdict is not None and verdict.abstained is not None:
            told["abstained"] = verdict.abstained
        reward = outcome.world_reward if verdict is None else verdict.reward
        return WorldObservation(done=True, reward=reward, messages=messages, metadata=told)

    @property
    def state(self) -> State:
        return self._state


class WorldClient(EnvClient[WorldAction, WorldObservation, State]):
    """Typed; a token goes into `headers={"Authorization": "Bearer …"}`."""

    def _step_payload(self, action: WorldAction) -> dict[str, Any]:
        return action.model_dump()

    def _parse_result(self, payload: dict[str, Any]) -> StepResult[WorldObservation]:
        reward, done = payload.get("reward"), payload.get("done", False)
        seen = WorldObservation(**payload["observation"], reward=reward, done=done)
        return StepResult(observation=seen, reward=reward, done=done)

    def _parse_state(self, payload: dict[str, Any]) -> State:
        return State.model_validate(payload)


def openenv_app(
    world: World,
    tasks: Sequence[Task],
    score: Score,
    *,
    mode: Mode = "solo",
    host: str,
    token: str | None,
    limits: Limits,
) -> Door:
    """The ASGI application. Raises UsageError for an open address without a token."""
    app = create_fastapi_app(
        lambda: WorldEnvironment(world, tasks, mode, score),
        WorldAction,
        WorldObservation,
        concurrency_config=ConcurrencyConfig(
            max_concurrent_envs=limits.sessions, session_timeout=limits.idle_s
        ),
        env_name=f"telejudge {world.name}",
    )
    return Door(app, host=checked_host(host, token), token=token, limits=limits)


def serve_openenv(app: Door, *, host: str, port: int, limits: Limits) -> None:
    """Serve until interrupted."""
    import uvicorn

    uvicorn.run(app, host=host, port=port, log_level="warning", ws_max_size=limits.body_bytes)
