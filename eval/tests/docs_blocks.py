"""Code blocks of the documentation: found, told apart, and taken to pieces."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from typer.main import get_command

from telejudge_eval.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))

_BLOCK = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_VARIABLE = re.compile(r"^[A-Z_][A-Z0-9_]*=")
_STARTS = ("telejudge", "python", "python3.11", "make", "pip", "vllm", "ray", ".", "export", "cd")


class Block(NamedTuple):
    page: str
    line: int
    language: str
    text: str


class Command(NamedTuple):
    """One command of a shell block. `variables` are set for it alone."""

    page: str
    line: int
    variables: dict[str, str]
    words: tuple[str, ...]

    @property
    def where(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start(3)) + 1
        indent = found[1]
        inner = "\n".join(one.removeprefix(indent) for one in found[3].split("\n"))
        yield Block(page.name, line, found[2], inner)


def commands(page: Path) -> Iterator[Command]:
    """Of blocks without a language, or in the shell's, whose first line is a command; other blocks
    without a language are output, or drawings."""
    for block in blocks(page):
        if block.language not in ("", "bash", "sh", "shell", "console"):
            continue
        if not list(_commands(block.page, block.line, block.text.partition("\n")[0].strip("\\"))):
            continue
        number = block.line
        for logical in re.split(r"(?<!\\)\n", block.text):
            yield from _commands(block.page, number, logical)
            number += logical.count("\n") + 1


def _commands(page: str, line: int, logical: str) -> Iterator[Command]:
    text = logical.replace("\\\n", " ").strip().removeprefix("$ ")
    first = re.sub(r"^(?:[A-Z_][A-Z0-9_]*=\S*\s+)*", "", text).split(" ", 1)[0]
    if first not in _STARTS:
        return
    lexer = shlex.shlex(text, posix=True, punctuation_chars="|;&<>")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word in ("|", ";", "&&", "||", "&", ">", ">>"):
            if words:
                yield _command(page, line, words)
            words = [] if word not in (">", ">>") else ["\0file"]
        else:
            words.append(word)


def _command(page: str, line: int, words: list[str]) -> Command:
    count = next((i for i, w in enumerate(words) if not _VARIABLE.match(w)), len(words))
    variables = dict(word.split("=", 1) for word in words[:count])
    return Command(page, line, variables, tuple(words[count:]))


def parse(words: tuple[str, ...]) -> dict[str, Any]:
    """The parameters of a `telejudge …` line as the command line itself understands them; raises
    its usage errors. Nothing is executed."""
    command: Any = get_command(app)
    context = command.make_context("telejudge", list(words[1:]))
    while hasattr(command, "resolve_command"):
        name, command, rest = command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        context = command.make_context(name, rest, parent=context)
    return context.params
