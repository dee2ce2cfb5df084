"""Demonstrations in, a warm-started model out: next-token training on the expert's own tokens.

    crew.equip(model, tokenizer)
    train_sft(crew, encode_all(tokenizer, conversations), SftSettings(), seed=0)

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
from telejudge_training.crew import Crew
from telejudge_training.seat import Seat, split
from telejudge_training.settings import SftSettings
from telejudge_training.tiny.logprobs import chosen_logprobs
from telejudge_training.tiny.tokenizer import ASSISTANT, END, TOOL, USER, texts_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

BETAS = (0.9, 0.95)
MAX_NORM = 1.0


@dataclass(frozen=True)
class Example:
    """A conversation as tokens; `mask` is 1 on the agent's own."""

    ids: tuple[int, ...]
    mask: tuple[int, ...]


def encode(tokenizer: PreTrainedTokenizerFast, messages: Sequence[Message]) -> Example:
    """The same tokens that the chat template gives; the agent's end token counts as its own."""
    return encode_all(tokenizer, [messages])[0]


def encode_all(
    tokenizer: PreTrainedTokenizerFast, conversations: Sequence[Sequence[Message]]
) -> list[Example]:
    """The same for many; texts that come again are encoded once, and all in one call."""
    spoken = [
        [(role, text + (END if role == ASSISTANT else "")) for role, text in texts_of(messages)]
        for messages in conversations
    ]
    texts = list(dict.fromkeys(text for turns in spoken for _, text in turns))
    known = dict(zip(texts, tokenizer(texts, add_special_tokens=False)["input_ids"], strict=True))
    role_ids = {role: tokenizer.convert_tokens_to_ids(role) for role in (USER, ASSISTANT, TOOL)}
    examples: list[Example] = []
    for turns in spoken:
        ids: list[int] = []
        mask: list[int] = []
        for role, text in turns:
            ids += [role_ids[role], *known[text]]
            mask += [0] + [int(role == ASSISTANT)] * len(known[text])
        examples.append(Example(tuple(ids), tuple(mask)))
    return examples


def train_sft(
    crew: Crew,
    examples: Sequence[Example],
    settings: SftSettings,
    *,
    seed: int,
    on_step: Callable[[int, int, dict[str, float]], None] | None = None,
) -> None:
    """Train the crew's model in place; `on_step(step, steps, metrics)` follows every update.

    Batches hold examples of like length; learning rate: linear warm-up, then linear decay.
    """
    model = crew.seat.tools.model
    dice = random.Random(f"sft|{seed}")
    batches = [b for _ in range(settings.epochs) for b in _batches(examples, settings, dice)]
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, betas=BETAS, weight_decay=0.01
    )
    for step, batch in enumerate(batches):
        rate = settings.learning_rate * _schedule(step, len(batches), settings.warmup_steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        weights = [[m or settings.observation_weight for m in e.mask] for e in batch]
        total = sum(sum(row[1:]) for row in weights)
        parts = split([(e.ids, w) for e, w in zip(batch, weights, strict=True)], crew.shares)
        loss = sum(crew.each(next_token_share, [(part, total) for part in parts]))
        crew.seat.tools.gather()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_NORM)
        optimizer.step()
        if on_step is not None:
            tokens = sum(len(e.ids) for e in batch)
            line = {"loss": loss, "grad_norm": norm.item(), "tokens": tokens}
            on_step(step + 1, len(batches), line)


def next_token_share(
    seat: Seat, share: int, request: tuple[list[tuple[tuple[int, ...], list[float]]], float]
) -> float:
    """The job of an update: this share's part of the batch's mean loss, and its gradient.

    The request holds (ids, weights) of each example, and the weight of the whole batch.
    """
    rows, total = request
    if not rows:
        return 0.0
    chosen = chosen_logprobs(seat.tools.model, [ids for ids, _ in rows], [w for _, w in rows])
    loss = -(chosen.logprobs * chosen.weights).sum() / total
    seat.tools.contribute(share, loss)
    return loss.item()


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
