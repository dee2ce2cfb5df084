"""A world and a judge as a user would write them, registered by `lamp_package(tmp_path)`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.message import Message, ToolCall, ToolResult, ToolSpec
from telejudge_envs.nouns.task import Task, TaskView
from telejudge_envs.nouns.trajectory import Change, Group, Outcome
from telejudge_envs.nouns.verdict import GroupVerdict, Verdict
from telejudge_envs.protocol import User
from telejudge_envs.turn_world import TurnWorld
from telejudge_envs.turns import Answered, TurnEpisode

_NO_ARGUMENTS = {"type": "object", "properties": {}}
_TOOLS = tuple(
    ToolSpec(name=n, description=f"To {n}.", parameters=_NO_ARGUMENTS) for n in ("press", "leave")
)


class LampEpisode(TurnEpisode):
    """Press the switch once, then leave."""

    def __init__(self, task: Task, seed: int, user: User | None) -> None:
        super().__init__(task, seed, user)
        self.lit = False
        self._messages = [
            Message(role="system", text="Light the lamp."),
            Message(role="user", text=task.view.ticket),
        ]

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        return _TOOLS

    @property
    def user_tools(self) -> tuple[ToolSpec, ...]:
        return ()

    def call(self, call: ToolCall) -> ToolResult:
        if call.name == "press":
            path = "lamp.lit"
            self._ledger.append(
                Change(path=path, before=self.lit, after=not self.lit, call_id=call.id)
            )
            self.lit = not self.lit
        return ToolResult(
            call_id=call.id, content="click", error=call.name not in ("press", "leave")
        )

    def _truth(self) -> Outcome:
        return Outcome(answer=int(self.lit), world_reward=float(self.lit))  # pyright: ignore[reportArgumentType]

    def _closed_by(self, answered: Answered) -> bool:
        return any(call.name == "leave" for call, _ in answered)


class Lamp(TurnWorld[LampEpisode]):
    name = "lamp"
    splits = ("train",)

    def tasks(self, split: str, mode: str = "solo") -> list[Task]:
        if split not in self.splits:
            raise UsageError(f"no split {split}")
        view = TaskView(id="lamp-0", world="lamp", split="train", level=1, ticket="It is dark.")
        return [Task(view=view, hidden={"secret": "press once"})]

    def task(self, task_id: str, mode: str = "solo") -> Task:
        (only,) = self.tasks("train")
        if task_id != only.id:
            raise UsageError(f"no task {task_id}")
        return only

    def _episode(self, task: Task, seed: int, user: User | None) -> LampEpisode:
        return LampEpisode(task, seed, user)


class LampJudge:
    """Counts presses."""

    name, version = "lamp-judge", "1"

    async def judge(self, group: Group) -> GroupVerdict:
        presses = {
            t.id: sum(c.name == "press" for m in t.messages for c in m.tool_calls)
            for t in group.trajectories
        }
        verdicts = tuple(
            Verdict(trajectory_id=i, answer=int(n == 1), tools=1.0, reward=float(n == 1))  # pyright: ignore[reportArgumentType]
            for i, n in presses.items()
        )
        return GroupVerdict(
            group_id=group.id,
            task_id=group.task.id,
            judge=self.name,
            judge_version=self.version,
            verdicts=verdicts,
        )


def make_judge(settings: Any, tools: Any) -> LampJudge:
    return LampJudge()


def lamp_package(folder: Path) -> Path:
    """What `pip install` would leave of a package with this world and judge; put it on sys.path."""
    info = folder / "lamp-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lamp\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[telejudge.worlds]\nlamp = lamp_world:Lamp\n\n"
        "[telejudge.judges]\nlamp-judge = lamp_world:make_judge\n"
    )
    return folder
