"""Work on several processes with the results of one.

    with Crew(world, judge, shares=2, processes=2) as crew:
        crew.equip(model, tokenizer)
        played = crew.each(play_share, [first, second])     # in both at once

Work is cut into a fixed number of *shares*, whoever does them: this process does share 0, each
helper one of the others, and this process all that has no helper. Random choices come from the
request, a share never sees another's, and gradients are added up in the order of the shares, so
that one, two or more processes give the same bytes. Helpers are started anew (spawn: torch's
threads do not survive a fork); a script that starts one needs `if __name__ == "__main__"`. They end
with this process, however it ends.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import time
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

import torch
import torch.multiprocessing  # teaches pickle to pass tensors through shared memory

from telejudge_envs.errors import TelejudgeError
from telejudge_envs.protocol import World
from telejudge_envs.workers import deaf_to_ctrl_c
from telejudge_judges.protocol import Judge
from telejudge_training.seat import Job, Seat, Tools

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

Request = TypeVar("Request")
Result = TypeVar("Result")
PATIENCE_S = 10.0
"""How long a helper may take to finish its job once it shall end."""


class HelperDiedError(TelejudgeError):
    """A helper process is gone."""


class _Helper(NamedTuple):
    process: BaseProcess
    line: Any
    """A multiprocessing connection, whose class is another on Windows."""


class _Failed(NamedTuple):
    error: BaseException


Brought = tuple[World, Judge, Judge | None]
"""What a process works with: the world, the judge, and who measures beside it."""


class Crew:
    """This process and its helpers. `processes` is 1 where world or judge cannot be pickled."""

    def __init__(
        self,
        world: World,
        judge: Judge,
        auditor: Judge | None = None,
        *,
        shares: int = 2,
        processes: int = 1,
        threads: int = 1,
    ) -> None:
        self.shares = shares
        self.seat = Seat(world, judge, auditor)
        wanted = min(shares, processes)
        brought = (world, judge, auditor)
        self.processes = wanted if wanted > 1 and _portable(brought) else 1
        self._helpers = [
            self._start(number, threads, brought) for number in range(1, self.processes)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def equip(self, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> Tools:
        """Give every process this model; its weights are shared, so updates reach all of them."""
        tools = Tools.shared(model, tokenizer, self.shares)
        self.everywhere(equip, tools)
        return tools

    def everywhere(self, job: Job, request: Any) -> list[Any]:
        """Run a job once in every process, as share 0; what it gave in this one comes first."""
        for helper in self._helpers:
            self._send(helper, (job, 0, request))
        here = _attempt(job, self.seat, 0, request)
        return _unless_failed([here, *(self._receive(helper) for helper in self._helpers)])

    def cpu_seconds(self) -> float:
        """CPU time that all processes have used so far."""
        return sum(self.everywhere(spent, None))

    def each(
        self, job: Callable[[Seat, int, Request], Result], requests: Sequence[Request]
    ) -> list[Result]:
        """One request for each share; their results in the same order.

        What a job raises is raised here. Raises HelperDiedError when a helper was killed.
        """
        if len(requests) != self.shares:
            raise ValueError(f"{len(requests)} requests for {self.shares} shares")
        abroad = dict(enumerate(self._helpers, start=1))
        for share, helper in abroad.items():
            self._send(helper, (job, share, requests[share]))
        results = {
            share: _attempt(job, self.seat, share, request)
            for share, request in enumerate(requests)
            if share not in abroad
        }
        # every answer is fetched before an error is raised, lest the next job be given it
        results.update((share, self._receive(helper)) for share, helper in abroad.items())
        return _unless_failed([results[share] for share in range(self.shares)])

    def close(self) -> None:
        """End the helpers: politely, then not."""
        for helper in self._helpers:
            helper.line.close()
        for helper in self._helpers:
            helper.process.join(PATIENCE_S)
            if helper.process.is_alive():
                helper.process.kill()
                helper.process.join()
        self._helpers = []
        self.seat.close()

    def _start(self, number: int, threads: int, brought: Brought) -> _Helper:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_serve,
            args=(theirs, threads, brought),
            name=f"telejudge-helper-{number}",
            daemon=True,
        )
        with deaf_to_ctrl_c():
            process.start()
        theirs.close()  # so that reading from a dead helper ends
        return _Helper(process, ours)

    def _send(self, helper: _Helper, message: Any) -> None:
        try:
            helper.line.send(message)
        except OSError as error:
            raise self._death_of(helper) from error

    def _receive(self, helper: _Helper) -> Any:
        try:
            return helper.line.recv()
        except (EOFError, OSError) as error:
            raise self._death_of(helper) from error

    def _death_of(self, helper: _Helper) -> HelperDiedError:
        helper.process.join(PATIENCE_S)
        return HelperDiedError(
            f"{helper.process.name} died (exit code {helper.process.exitcode}; -9 is often a lack "
            "of memory). Nothing is lost: the same command goes on from the last checkpoint; with "
            "the recipe's processes=1 it needs no helper"
        )


def equip(seat: Seat, _share: int, tools: Tools) -> None:
    """The job that hands out a model."""
    seat.equip(tools)


def spent(_seat: Seat, _share: int, _request: None) -> float:
    """The job that tells the process's CPU seconds."""
    return time.process_time()


def _portable(brought: Brought) -> bool:
    try:
        ForkingPickler.dumps(brought)
    except Exception:  # pickle raises whatever an object's own code does
        return False
    return True


def _serve(line: Any, threads: int, brought: Brought) -> None:
    """A helper's life: job after job, until the line is cut."""
    torch.set_num_threads(threads)
    seat = Seat(*brought)
    with contextlib.suppress(EOFError, OSError):
        while True:
            job, share, request = line.recv()
            answer = _attempt(job, seat, share, request)
            line.send(_for_the_journey(answer) if isinstance(answer, _Failed) else answer)


def _attempt(job: Job, seat: Seat, share: int, request: Any) -> Any:
    try:
        return job(seat, share, request)
    except Exception as error:
        return _Failed(error)


def _for_the_journey(failed: _Failed) -> _Failed:
    """An error whose traceback can be read elsewhere; of somebody's own class only the text."""
    told = "".join(traceback.format_exception(failed.error))
    failed.error.add_note("in a helper process:\n" + told)
    try:
        pickle.loads(ForkingPickler.dumps(failed.error))
    except Exception:  # pickle raises whatever the class's own code does
        return _Failed(RuntimeError(told))
    return failed


def _unless_failed(results: list[Any]) -> list[Any]:
    for result in results:
        if isinstance(result, _Failed):
            raise result.error
    return results
