"""Demonstrations in, a warm-started model out: next-token training on the expert's own tokens.

    examples = [encode(tokenizer, conversation) for conversation in conversations]
    train_sft(model, examples, SftSettings(), seed=0)

What the world said is context; with `observation_weight` above 0 it is learned as well, faintly,
which teaches a fresh model how the world behaves.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from telejudge_envs.nouns.message import Message
from telejudge_training.settings import SftSettings
from telejudge_training.tiny.logprobs import chosen_logprobs
from telejudge_training.tiny.tokenizer import ASSISTANT, END, texts_of

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

BETAS = (0.9, 0.95)
MAX_NORM = 1.0


@dataclass(frozen=True)
class Example:
    """A conversation as tokens; `mask` is 1 on the agent's own."""

    ids: tuple[int, ...]
    mask: tuple[int, ...]


def encode(tokenizer: PreTrainedTokenizerFast, messages: Sequence[Message]) -> Example:
    """The same tokens that the chat template gives; the agent's end token counts as its own."""
    ids: list[int] = []
    mask: list[int] = []
    for role, text in texts_of(messages):
        own = role == ASSISTANT
        ids.append(tokenizer.convert_tokens_to_ids(role))  # type: ignore[arg-type]
        mask.append(0)
        said = tokenizer.encode(text + (END if own else ""), add_special_tokens=False)
        ids.extend(said)
        mask.extend([int(own)] * len(said))
    return Example(tuple(ids), tuple(mask))


def train_sft(
    model: LlamaForCausalLM,
    examples: Sequence[Example],
    settings: SftSettings,
    *,
    seed: int,
    on_step: Callable[[int, int, dict[str, float]], None] | None = None,
) -> None:
    """Train `model` in place; `on_step(step, steps, metrics)` is called after every update.

    Batches hold examples of like length; learning rate: linear warm-up, then linear decay.
    """
    dice = random.Random(f"sft|{seed}")
    batches = [b for _ in range(settings.epochs) for b in _batches(examples, settings, dice)]
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, betas=BETAS, weight_decay=0.01
    )
    model.train()
    for step, batch in enumerate(batches):
        rate = settings.learning_rate * _schedule(step, len(batches), settings.warmup_steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        weights = [[m or settings.observation_weight for m in e.mask] for e in batch]
        chosen = chosen_logprobs(model, [e.ids for e in batch], weights)
        loss = -(chosen.logprobs * chosen.weights).sum() / chosen.weights.sum()
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_NORM)
        optimizer.step()
        if on_step is not None:
            tokens = sum(len(e.ids) for e in batch)
            on_step(
                step + 1,
                len(batches),
                {"loss": loss.item(), "grad_norm": norm.item(), "tokens": tokens},
            )
    model.eval()


def _batches(
    examples: Sequence[Example], settings: SftSettings, dice: random.Random
) -> list[list[Example]]:
    """Every example once, in batches of like length, in random order."""
    shuffled = list(examples)
    dice.shuffle(shuffled)
    size, pool = settings.batch_size, 8 * settings.batch_size
    batches: list[list[Example]] = []
    for i in range(0, len(shuffled), pool):
        alike = sorted(shuffled[i : i + pool], key=lambda e: len(e.ids))
        batches.extend(alike[j : j + size] for j in range(0, len(alike), size))
    dice.shuffle(batches)
    return batches


def _schedule(step: int, steps: int, warmup: int) -> float:
    return min(1.0, (step + 1) / max(warmup, 1)) * max(0.05, 1.0 - step / steps)
