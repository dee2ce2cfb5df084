"""Any world as a Gymnasium environment: texts in, texts out, a judge's reward at the end.

    env = gymnasium.make("telejudge_eval.adapters.gymnasium_env:telejudge/base-station-v0")
    text, info = env.reset(seed=0)                     # policy and ticket; info["tools"]
    text, reward, terminated, truncated, info = env.step(
        '{"tool": "list_alarms", "arguments": {"site_id": "K042"}}')

Every world that is registered under `telejudge.worlds` is `telejudge/NAME-v0`. An action is a call
as above, a JSON list of calls (one message), or words. The reward is 0 until the episode ends, and
then the judge's; where it abstains the reward is not-a-number, and info["verdict"] says why.
"""

from __future__ import annotations

import json
import string
from typing import Any, SupportsFloat

from telejudge_envs.adapters.seat import Seat, find_task
from telejudge_envs.chat_format import clean, parse_arguments, to_openai, tools_to_openai
from telejudge_envs.errors import MissingExtraError
from telejudge_envs.nouns.base import Mode
from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.registry import open_world, world_names
from telejudge_eval.adapters.scoring import judge_for, reward_of, score_by

try:
    import gymnasium
    from gymnasium.spaces import Text
except ImportError as error:
    raise MissingExtraError("gymnasium", "gymnasium") from error

LONGEST_ACTION = 20_000
LONGEST_TEXT = 2_000_000
OUT_OF_TIME = ("max_steps", "deadline")
"""Endings that cut an episode off, which Gymnasium calls truncated."""


class AnyText(Text):
    """All texts up to a length. (Text itself has a list of letters; it is sampled from here.)"""

    def __init__(self, max_length: int) -> None:
        super().__init__(max_length, min_length=0, charset=string.printable)

    def contains(self, x: Any) -> bool:
        return isinstance(x, str) and len(x) <= self.max_length


class WorldEnv(gymnasium.Env[str, str]):
    """`task` plays one task (an id, or SPLIT:N), else each reset draws one of `split`.

    `judge` and `settings` as in `telejudge judge --judge … --set …`.
    """

    metadata = {"render_modes": ["ansi"]}  # noqa: RUF012 (Gymnasium's own form)

    def __init__(
        self,
        world: str,
        split: str = "train",
        task: str | None = None,
        judge: str = "verifier",
        mode: Mode = "solo",
        settings: dict[str, Any] | None = None,
        render_mode: str | None = None,
    ) -> None:
        self._world = open_world(world)
        self._mode: Mode = mode
        self._tasks = [find_task(self._world, task, mode)] if task else []
        self._tasks = self._tasks or list(self._world.tasks(split, mode))
        self._score = score_by(judge_for(self._world, judge, **(settings or {})))
        self._seat: Seat | None = None
        self.render_mode = render_mode
        self.action_space = AnyText(LONGEST_ACTION)
        self.observation_space = AnyText(LONGEST_TEXT)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """A fresh episode; `options={"task": …}` chooses its task."""
        super().reset(seed=seed)
        drawn, episode_seed = self.np_random.integers(2**31, size=2)
        chosen = (options or {}).get("task")
        task = (
            find_task(self._world, chosen, self._mode)
            if chosen is not None
            else self._tasks[int(drawn) % len(self._tasks)]
        )
        self._seat = Seat(
            self._world, task, seed=int(episode_seed), player="gymnasium", score=self._score
        )
        said = self._seat.opening
        return _text(said), {
            "messages": to_openai(said),
            "tools": tools_to_openai(self._seat.tools),
        }

    def step(self, action: str) -> tuple[str, SupportsFloat, bool, bool, dict[str, Any]]:
        """Raises UsageError when the episode is over, AssertionError before the first reset."""
        seat = self._seat
        assert seat is not None, "reset() comes first"
        said = seat.act(message_of(action, first_call=len(seat.opening)))
        info: dict[str, Any] = {"messages": to_openai(said)}
        if seat.stop is None:
            return _text(said), 0.0, False, False, info
        stop, outcome, verdict = seat.ending
        assert verdict is not None
        info |= {"stop": stop, "answer": outcome.answer, "verdict": verdict.model_dump()}
        truncated = stop in OUT_OF_TIME
        return _text(said), reward_of(verdict), not truncated, truncated, info

    def render(self) -> str | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The conversation so far, in the render mode `ansi`."""
        if self.render_mode != "ansi" or self._seat is None:
            return None
        return json.dumps(to_openai(self._seat.opening), ensure_ascii=False, indent=1)


def message_of(action: str, first_call: int) -> Message:
    """The message that an action stands for; what is no call, or list of calls, is words."""
    try:
        given = json.loads(action)
    except (ValueError, RecursionError):
        given = None
    calls: list[Any] = given if isinstance(given, list) else [given]
    if not calls or not all(isinstance(c, dict) and isinstance(c.get("tool"), str) for c in calls):
        return Message(role="assistant", text=clean(action))
    made: list[ToolCall] = []
    for n, call in enumerate(calls):
        arguments, raw = parse_arguments(call.get("arguments"))
        name = clean(call["tool"])
        made.append(ToolCall(id=f"c{first_call + n}", name=name, arguments=arguments, raw=raw))
    return Message(role="assistant", tool_calls=tuple(made))


def _text(messages: tuple[Message, ...]) -> str:
    return "\n\n".join(message.text for message in messages)[:LONGEST_TEXT]


def register_worlds() -> None:
    """Make every registered world known to Gymnasium; importing this module does so."""
    for name in world_names():
        which = f"telejudge/{name}-v0"
        if which not in gymnasium.registry:
            gymnasium.register(which, entry_point=f"{__name__}:WorldEnv", kwargs={"world": name})


register_worlds()
