"""Prompts from template files: a language's own, or one of the user's.

    prompt = Prompt.load("en")
    prompt.system(...), prompt.user(...), prompt.repair(...)

A template has the Jinja blocks `system`, `user` and `repair`; the shipped ones name the variables.
Recorded text comes in as a variable and is never read as a template.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from telejudge_envs.errors import MissingExtraError, UsageError
from telejudge_judges.codec import Shown
from telejudge_judges.opaque import digest

FOLDER = Path(__file__).parent / "prompts"


class Template:
    """A parsed template. Raises UsageError when it is missing, broken or lacks one of `blocks`."""

    blocks: tuple[str, ...] = ()

    def __init__(self, source: str, where: str) -> None:
        try:
            import jinja2
            import jinja2.sandbox
        except ImportError as error:
            raise MissingExtraError("jinja2", "endpoint") from error
        self.source, self.where = source, where
        self._errors = jinja2.TemplateError
        environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
            undefined=jinja2.StrictUndefined, autoescape=False
        )
        try:
            self._template = environment.from_string(source)
        except jinja2.TemplateSyntaxError as error:
            raise UsageError(f"prompt {where}, line {error.lineno}: {error.message}") from error
        missing = [name for name in self.blocks if name not in self._template.blocks]
        if missing:
            needed = ", ".join(self.blocks)
            raise UsageError(f"prompt {where} has no block {', '.join(missing)}; it needs {needed}")

    @classmethod
    def read(cls, path: Path) -> Self:
        try:
            return cls(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"prompt {path} cannot be read: {error}") from error

    @cached_property
    def hash(self) -> str:
        return digest(self.source)[:8]

    def _fill(self, block: str, values: dict[str, Any]) -> str:
        try:
            context = self._template.new_context(values)
            return "".join(self._template.blocks[block](context)).strip()
        except self._errors as error:
            raise UsageError(f"prompt {self.where}, block {block}: {error}") from error


class Prompt(Template):
    """A judge's prompt."""

    blocks = ("system", "user", "repair")

    @classmethod
    def load(cls, language: str, path: Path | None = None) -> Prompt:
        """The prompt at `path`, else the shipped one of the language."""
        if path is None:
            path = FOLDER / f"listwise_{language}.jinja"
            known = sorted(
                p.stem.removeprefix("listwise_") for p in FOLDER.glob("listwise_*.jinja")
            )
            if language not in known:
                raise UsageError(f"no prompt in language '{language}'; choose {', '.join(known)}")
        return cls.read(path)

    def system(self, **values: Any) -> str:
        return self._fill("system", values)

    def user(self, **values: Any) -> str:
        return self._fill("user", values)

    def repair(self, **values: Any) -> str:
        return self._fill("repair", values)


class FormatWords(Template):
    """How a verdict format is asked for: one of prompts/format_*.jinja."""

    blocks = ("instruction", "again")

    @classmethod
    def load(cls, codec: str, language: str) -> FormatWords:
        """The shipped words; a language that has none gets the English ones."""
        path = FOLDER / f"format_{codec}_{language}.jinja"
        return cls.read(path if path.exists() else FOLDER / f"format_{codec}_en.jinja")

    def values(self, shown: Shown, kinds: Sequence[str]) -> dict[str, str]:
        """What a prompt's template calls `instruction` and `again`, for these candidates."""
        given = {"ids": list(shown), "kinds": kinds, "with_tools": any(shown.values())}
        return {name: self._fill(name, given) for name in self.blocks}
