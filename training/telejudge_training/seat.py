"""What a process of the crew has at hand: world, judge, model, and the gradients it shares.

A *job* is a function `job(seat, share, request)` at the top level of a module; crew.py has it run
once for every share of the work, in this process or beside it. Everything that a job's result
depends on is in its arguments and the seat, so it does not matter who runs it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from telejudge_envs.protocol import World
from telejudge_judges.protocol import Judge
from telejudge_training.settings import RolloutSettings
from telejudge_training.tiny.rollout import Roller

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast


@dataclass(frozen=True)
class Tools:
    """A model with its tokenizer. The weights are in memory that all processes see.

    `gradients` (shares, parameters) holds what each share contributes to an update.
    """

    model: LlamaForCausalLM
    tokenizer: PreTrainedTokenizerFast
    gradients: torch.Tensor

    @classmethod
    def shared(
        cls, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, shares: int
    ) -> Tools:
        """Move `model`'s weights into shared memory; an optimizer may hold them already."""
        model.share_memory()
        size = sum(p.numel() for p in model.parameters())
        return cls(model, tokenizer, torch.zeros(shares, size).share_memory_())

    def contribute(self, share: int, loss: torch.Tensor) -> None:
        """Add the gradient of `loss` to what `share` contributes."""
        self.model.zero_grad(set_to_none=True)
        loss.backward()
        at = 0
        for weight in self.model.parameters():
            if weight.grad is not None:
                self.gradients[share, at : at + weight.numel()] += weight.grad.flatten()
            at += weight.numel()

    def gather(self) -> None:
        """Give every weight the sum of all shares, always added up in the same order."""
        total, at = self.gradients.sum(0), 0
        for weight in self.model.parameters():
            weight.grad = total[at : at + weight.numel()].view_as(weight)
            at += weight.numel()
        self.gradients.zero_()


@dataclass
class Seat:
    """One process's place. `tools` come with the first model."""

    world: World
    judge: Judge
    auditor: Judge | None = None
    """A judge of whom nothing is learned: it only measures what the other one's rewards buy."""
    reference: LlamaForCausalLM | None = None
    """A model that GRPO must not stray from, where it has a KL penalty."""
    _tools: Tools | None = None
    _rollers: dict[str, Roller] = field(default_factory=dict)
    _runner: asyncio.Runner = field(default_factory=asyncio.Runner)

    @property
    def tools(self) -> Tools:
        if self._tools is None:
            raise RuntimeError("nobody has handed out a model: call Crew.equip first")
        return self._tools

    def equip(self, tools: Tools) -> None:
        self._tools = tools
        self.reference = None
        self._rollers = {}

    def roller(self, name: str, bounds: RolloutSettings) -> Roller:
        """Rolls the model out as agent `name`; kept, since it remembers what texts encode to."""
        key = f"{name} {bounds!r}"
        if key not in self._rollers:
            model, tokenizer = self.tools.model, self.tools.tokenizer
            self._rollers[key] = Roller(
                model, tokenizer, self.world, name=name, **bounds.model_dump()
            )
        return self._rollers[key]

    def wait_for(self, work: Any) -> Any:
        """Run a coroutine; always on the same event loop, to which a judge's client may be tied."""
        return self._runner.run(work)

    def close(self) -> None:
        self._runner.close()


Job = Callable[[Seat, int, Any], Any]


def split(work: Sequence[Any], shares: int) -> list[list[Any]]:
    """Deal `work` out like cards."""
    return [list(work[share::shares]) for share in range(shares)]


def rejoin(parts: Sequence[Sequence[Any]]) -> list[Any]:
    """Undo `split`."""
    return [
        part[i] for i in range(max(map(len, parts), default=0)) for part in parts if i < len(part)
    ]
