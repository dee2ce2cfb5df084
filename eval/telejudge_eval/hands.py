"""A person solves a task in the terminal: lines in, tool calls out, the verdict at the end.

    play_by_hand(world, task, console, ask=input)

A line is a tool by name or number, with arguments if one likes: `get_kpi`, `6`, `6 K042-C1`,
`get_kpi object_id=K042-C1`. Arguments that are missing are asked for one by one. `?` lists the
tools, `? 6` explains one, Tab completes names, choices and every id seen so far, `quit` ends.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from telejudge_envs.nouns.message import Message, ToolCall, ToolSpec
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Trajectory
from telejudge_envs.protocol import Episode, World

Ask = Callable[[str], str]
QUIT = ("quit", "exit")
_ID = re.compile(r"\b[A-Z]{1,2}\d{1,4}(?:-[A-Z]+\d*(?:/[a-z]+)?)?\b|\b[rw]\d+\b")


def play_by_hand(world: World, task: Task, console: Console, ask: Ask = input) -> Trajectory:
    """Play until the episode ends or the person quits; returns what was played."""
    episode = world.open(task, seed=0)
    desk = Desk(episode, console, ask)
    console.print(task.view.ticket, markup=False, highlight=False, style="bold")
    console.print("[dim]? lists the tools, ? and a number explains one, Tab completes.[/]")
    while episode.stop is None and desk.turn():
        pass
    if episode.stop is None:
        episode.finish("agent_stop")
    return Trajectory(
        id=f"{task.id}#hand",
        task_id=task.id,
        world=world.name,
        agent="person",
        mode=task.view.mode,
        messages=episode.observation,
        changes=episode.ledger,
        stop=episode.stop or "agent_stop",
        failure=episode.failure,
    )


class Desk:
    """One person's turns. `words` are what Tab offers: tools, choices, ids seen."""

    def __init__(self, episode: Episode, console: Console, ask: Ask) -> None:
        self.episode, self.console, self._ask = episode, console, ask
        self.tools: Sequence[ToolSpec] = episode.tools
        self.words: list[str] = sorted(tool.name for tool in self.tools)
        self._calls = 0
        self._learn(" ".join(m.text for m in episode.observation[1:]))
        _complete_with(self)

    def turn(self) -> bool:
        """One line; False when the person has had enough."""
        try:
            line = self._ask("> ").strip()
        except EOFError:
            return False
        if line in QUIT:
            return False
        if line.startswith("?"):
            self._explain(line[1:].strip())
        elif line:
            self._call(line)
        return True

    def _call(self, line: str) -> None:
        try:
            head, *given = shlex.split(line)
        except ValueError as error:
            self.console.print(f"that line has a {error}", markup=False)
            return
        tool = self._tool(head)
        if tool is None:
            self.console.print(f"no tool '{head}'; ? lists them", markup=False)
            return
        try:
            arguments = self._arguments(tool, given)
        except (EOFError, ValueError) as error:
            self.console.print(f"{tool.name} was not called: {error}", markup=False)
            return
        self._calls += 1
        call = ToolCall(id=f"hand_{self._calls}", name=tool.name, arguments=arguments)
        for answer in self.episode.step(Message(role="assistant", tool_calls=(call,))):
            self._show(answer)

    def _tool(self, head: str) -> ToolSpec | None:
        if head.isdigit() and 1 <= int(head) <= len(self.tools):
            return self.tools[int(head) - 1]
        return next((tool for tool in self.tools if tool.name == head), None)

    def _arguments(self, tool: ToolSpec, given: list[str]) -> dict[str, Any]:
        """From the line, by name or in order; required ones that are missing are asked for."""
        fields: dict[str, Any] = tool.parameters.get("properties", {})
        required = list(tool.parameters.get("required", ()))
        free = list(fields)
        said: dict[str, str] = {}
        for word in given:
            name, equals, text = word.partition("=")
            if equals and name in fields:
                said[name] = text
            else:
                name = next((n for n in free if n not in said), "")
                if not name:
                    raise ValueError(f"too many arguments; it takes {', '.join(free) or 'none'}")
                said[name] = word
        for name in required:
            if name not in said:
                said[name] = self._ask_for(name, fields[name])
        return {name: _value(text, fields[name]) for name, text in said.items()}

    def _ask_for(self, name: str, field: dict[str, Any]) -> str:
        choices = field.get("enum")
        if _type(field) == "array" and "properties" in field.get("items", {}):
            return json.dumps(self._list_of_records(name, field["items"]))
        hint = f" ({'|'.join(map(str, choices))})" if choices else ""
        return self._ask(f"  {name}{hint}: ").strip()

    def _list_of_records(self, name: str, item: dict[str, Any]) -> list[dict[str, Any]]:
        """Records one after the other; an empty first field ends the list."""
        records: list[dict[str, Any]] = []
        while True:
            record: dict[str, Any] = {}
            for key, field in item["properties"].items():
                choices = f" ({'|'.join(field['enum'])})" if "enum" in field else ""
                text = self._ask(f"  {name}[{len(records)}].{key}{choices}: ").strip()
                if not text and not record:
                    return records
                if text:
                    record[key] = _value(text, field)
            records.append(record)

    # -- what the person sees

    def _show(self, answer: Message) -> None:
        self._learn(answer.text)
        style = "red" if answer.error else None
        try:
            self.console.print_json(answer.text)
        except ValueError:
            self.console.print(answer.text, markup=False, highlight=False, style=style)

    def _learn(self, text: str) -> None:
        self.words = sorted({*self.words, *_ID.findall(text)})

    def _explain(self, which: str) -> None:
        tool = self._tool(which) if which else None
        if tool is not None:
            self.console.print(f"{tool.name}: {tool.description}", markup=False)
            for name, field in tool.parameters.get("properties", {}).items():
                must = "" if name in tool.parameters.get("required", ()) else " (optional)"
                self.console.print(f"  {name}{must}: {field.get('description', '')}", markup=False)
            return
        table = Table("", "tool", "arguments", "", box=None)
        for number, each in enumerate(self.tools, start=1):
            names = ", ".join(each.parameters.get("properties", {}))
            table.add_row(str(number), each.name, names, "" if each.effect == "read" else "writes")
        self.console.print(table)


def _type(field: dict[str, Any]) -> str:
    kinds = [field, *field.get("anyOf", ())]
    return next((k["type"] for k in kinds if k.get("type", "null") != "null"), "string")


def _value(text: str, field: dict[str, Any]) -> Any:
    """A typed value: numbers and booleans as such, lists by commas or as JSON."""
    kind = _type(field)
    if kind == "array":
        if text.startswith("["):
            return json.loads(text)
        return [word for word in re.split(r"[,\s]+", text) if word]
    if kind == "integer":
        return int(text)
    if kind == "number":
        return float(text)
    if kind == "boolean":
        return text.lower() in ("true", "yes", "y", "1")
    return text


def _complete_with(desk: Desk) -> None:
    """Tab completion, where the terminal has readline."""
    try:
        import readline
    except ImportError:
        return

    def complete(text: str, state: int) -> str | None:
        fitting = [word for word in desk.words if word.startswith(text)]
        return fitting[state] if state < len(fitting) else None

    readline.set_completer_delims(" \t\n=,\"'[]")
    readline.set_completer(complete)
    readline.parse_and_bind("tab: complete")
