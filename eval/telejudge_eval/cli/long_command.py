"""What commands that take long share: a record beside the output, and a clean stop on Ctrl-C.

    @long_command("rollout")
    def rollout(out: Path, seed: int = 0) -> None:
        run = begin(out, seed=seed)       # from here on there is a record: it says `running`
        …
        run.found(episodes=160, success=0.98)

However the command ends, the record says so. A start that is refused (a UsageError) leaves the
record as it was. Ctrl-C and SIGTERM stop between two records of the output, tell the command line
that goes on, and end with status 130; a second Ctrl-C stops at once.
"""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any, ParamSpec

import typer
from pydantic_core import PydanticSerializationError

from telejudge_envs.errors import MissingExtraError, TelejudgeError, UsageError

P = ParamSpec("P")

INTERRUPTED = 130
"""The exit status, as shells count: 128 and the number of SIGINT."""

SECRETS = ("--api-key", "--token")


class Run:
    """A run in progress; `found` adds to the figures of its record."""

    def __init__(self, command: str, given: Mapping[str, Any], *, resumes: bool = True) -> None:
        self.command, self.given, self.resumes = command, given, resumes
        self.figures: dict[str, float | int | str] = {}
        self._path: Path | None = None
        self._before: bytes | None = None
        self._record: Any = None
        self._log: Any = None

    def found(self, **figures: float | int | str | None) -> None:
        """Main results by name; None for one that is not known."""
        self.figures |= {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in figures.items()
            if value is not None
        }

    def start(
        self, output: Path, seed: int | None, config: Mapping[str, Any] | None, folder: bool
    ) -> None:
        from telejudge_envs.nouns.run import RunRecord
        from telejudge_eval import runs
        from telejudge_eval.cli.run_log import RunLog

        self._path = runs.record_path(output, folder=folder)
        self._before = self._path.read_bytes() if self._path.is_file() else None
        earlier = runs.read(self._path).starts if self._before else ()
        settings = {n.rstrip("_"): _plain(v) for n, v in self.given.items() if v is not None}
        self._record = RunRecord(
            command=self.command,
            line=command_line(),
            starts=(*earlier, _now()),
            host=platform.node(),
            process=os.getpid(),
            seed=seed,
            settings=runs.without_secrets(settings),
            config=runs.without_secrets(_plain(config or {})),
            versions=runs.versions(),
            commit=runs.commit(),
        )
        runs.write(self._path, self._record)
        self._log = RunLog(self._path)

    def end(self, state: str, why: str = "") -> None:
        """Write down how it ended."""
        from telejudge_eval import runs

        if self._path is None:
            return
        self._log.close(state, why)
        changes = {"state": state, "why": why, "ended": _now(), "figures": self.figures}
        runs.write(self._path, self._record.model_copy(update=changes))

    def refused(self) -> None:
        """Nothing was begun: the record is what it was before."""
        if self._path is None:
            return
        self._log.close("refused")
        if self._before is not None:
            self._path.write_bytes(self._before)
            return
        self._path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._path.parent.rmdir()  # only if it is empty: then we made it


_now_running: ContextVar[Run | None] = ContextVar("run", default=None)


def begin(
    output: Path,
    *,
    seed: int | None = None,
    config: Mapping[str, Any] | None = None,
    folder: bool = False,
) -> Run:
    """The record of this command's run is beside the file `output` (in it, for a `folder`) from now
    on. Call it once, when the output is known, in a function under `long_command`."""
    run = _now_running.get()
    if run is None:
        return Run("", {})  # the function was called from Python: nobody would end the record
    run.start(output, seed, config, folder)
    return run


def long_command(
    name: str, *, resumes: bool = True
) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """`name`: the command without `telejudge`; `resumes`: whether the same command goes on."""

    def decorate(function: Callable[P, None]) -> Callable[P, None]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> None:
            run = Run(name, kwargs, resumes=resumes)
            token = _now_running.set(run)
            try:
                with _stoppable():
                    _watched(run, lambda: function(*args, **kwargs))
            finally:
                _now_running.reset(token)

        return call

    return decorate


def _watched(run: Run, work: Callable[[], None]) -> None:
    try:
        work()
    except KeyboardInterrupt as stop:
        raise _interrupted(run) from stop
    except (UsageError, MissingExtraError):
        run.refused()
        raise
    except typer.Exit as done:
        run.end("failed" if done.exit_code else "done", f"exit status {done.exit_code or 0}")
        raise
    except TelejudgeError as error:
        run.end("failed", str(error))
        raise
    except Exception as error:
        if _is_of_a_stop(error):
            raise _interrupted(run) from error
        run.end("failed", f"{type(error).__name__}: {error}")
        raise
    run.end("done")


def _interrupted(run: Run) -> typer.Exit:
    run.end("interrupted")
    kept = "What is finished is kept; this goes on from there"
    told = kept if run.resumes else "Nothing is kept; this starts again"
    typer.echo(f"\nInterrupted. {told}:\n  {command_line()}", err=True)
    return typer.Exit(INTERRUPTED)


def _is_of_a_stop(error: BaseException | None) -> bool:
    """Whether it was raised while a KeyboardInterrupt was dealt with, as torch.save does, or tells
    of one, as pydantic's serializer does."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        if isinstance(error, PydanticSerializationError) and "KeyboardInterrupt" in str(error):
            return True
        error = error.__context__
    return False


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM stops as Ctrl-C does. Children that inherit the handler die of it as usual."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    owner = os.getpid()

    def stop(number: int, _frame: object) -> None:
        if os.getpid() != owner:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        elif signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background
            raise KeyboardInterrupt
        else:
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def command_line() -> str:
    """This very command, without what must not be stored."""
    words, hidden = [], False
    for word in sys.argv[1:]:
        if hidden:
            hidden = False
        elif word in SECRETS:
            hidden = True
        elif not word.startswith(tuple(f"{secret}=" for secret in SECRETS)):
            words.append(word)
    from telejudge_eval.runs import without_secrets

    return shlex.join(["telejudge", *without_secrets(words)])


def _plain(value: Any) -> Any:
    """As JSON knows it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
