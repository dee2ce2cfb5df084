"""Tasks in, rollouts with token traces out: many episodes in lockstep, token-in and token-out.

    Roller(model, tokenizer, world).run([Play(task, rollout=0, seed=7)], temperature=1.0, seed=1)

All episodes share one KV cache that lives as long as they do, and each is somewhere else in its
turns: in every round, rows that heard something (the ticket, or a tool's result) are fed that as
one chunk, then every row is fed its last token and says the next one. A row that said `<|im_end|>`
acts in the world at once and waits for nobody. The ids that the model produced are kept as they
are; text is only made from them, never ids from text that the model wrote.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Failure, Rollout, TokenTrace, Trajectory, Usage
from telejudge_envs.protocol import Episode, World
from telejudge_envs.slots import Slots, kinds_of
from telejudge_training.tiny.fastllama import FastLlama
from telejudge_training.tiny.tokenizer import ASSISTANT, parse_reply, texts_of

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

COMPACT_BELOW = 0.8
"""Finished rows leave the batch once less than this share of it still plays."""

HEAR_ABOVE = 0.2
"""Rows that heard something wait for others until this share of those that play have."""

Pick = Callable[[torch.Tensor], tuple[list[int], list[float]]]
"""From logits (rows, vocab) to a token and its log-probability for each row."""


@dataclass(frozen=True)
class Play:
    """One episode to be rolled out: the task, its number within the group, the world's seed.

    `label` (a phase and step, say) keeps trajectory ids of different occasions apart.
    """

    task: Task
    rollout: int
    seed: int
    label: str = ""


@dataclass(eq=False)
class _Row:
    play: Play
    episode: Episode
    slots: Slots
    ids: list[int] = field(default_factory=list)
    mask: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    fed: int = 0
    turn_start: int = 0
    turns: int = 0
    seconds: float = 0.0

    @property
    def unfed(self) -> int:
        return len(self.ids) - self.fed

    def hear(self, tokens: Sequence[int]) -> None:
        self.ids.extend(tokens)
        self.mask.extend([0] * len(tokens))
        self.logprobs.extend([0.0] * len(tokens))
        self.turn_start = len(self.ids)

    def say(self, token: int, logprob: float) -> None:
        self.ids.append(token)
        self.mask.append(1)
        self.logprobs.append(logprob)


class Roller:
    """Rolls a model out. `max_tokens` bounds an episode, `max_turn_tokens` a turn."""

    def __init__(
        self,
        model: LlamaForCausalLM,
        tokenizer: PreTrainedTokenizerFast,
        world: World,
        *,
        name: str = "tiny",
        max_tokens: int = 1024,
        max_turn_tokens: int = 64,
    ) -> None:
        self.model, self.tokenizer, self.world, self.name = model, tokenizer, world, name
        self.max_tokens, self.max_turn_tokens = max_tokens, max_turn_tokens
        self._end: int = tokenizer.eos_token_id  # type: ignore[assignment]
        self._prompt = tokenizer.convert_tokens_to_ids(ASSISTANT)
        self._kinds = kinds_of(tokenizer)
        self._encoded: dict[str, list[int]] = {}
        self._decoded: dict[tuple[int, ...], str] = {}

    @torch.no_grad()
    def run(self, plays: Sequence[Play], *, temperature: float, seed: int) -> list[Rollout]:
        """Roll out every play, in order. `temperature` 0 is greedy.

        Recorded logprobs are those of the distribution sampled from (greedy: of temperature 1).
        """
        started = time.perf_counter()
        dice = torch.Generator().manual_seed(seed)
        rows = [self._open(play) for play in plays]
        cache = FastLlama(self.model, len(rows))
        batch = list(rows)
        while live := [row for row in batch if row.episode.stop is None]:
            if len(live) < COMPACT_BELOW * len(batch):
                cache.keep([i for i, row in enumerate(batch) if row.episode.stop is None])
                batch = live
            for row in self._round(cache, batch, lambda x: sample(x, temperature, dice)):
                self._act(row)
                if row.episode.stop is not None:
                    row.seconds = time.perf_counter() - started
        return [self._record(row) for row in rows]

    def _open(self, play: Play) -> _Row:
        row = _Row(play, self.world.open(play.task, seed=play.seed), Slots(self._kinds))
        row.hear(self._ids_of(row.episode.observation, row.slots))
        if len(row.ids) > self.max_tokens:
            raise UsageError(
                f"the ticket of {play.task.id} takes {len(row.ids)} tokens, more than the "
                f"{self.max_tokens} of an episode; raise max_tokens"
            )
        return row

    def _round(self, cache: FastLlama, batch: list[_Row], pick: Pick) -> list[_Row]:
        """Every row of `batch` that plays says a token; returns those whose turn is over."""
        playing = [(i, row) for i, row in enumerate(batch) if row.episode.stop is None]
        hearing = [(i, row) for i, row in playing if row.unfed > 1]
        if len(hearing) > HEAR_ABOVE * len(playing) or len(hearing) == len(playing):
            news = [row.ids[row.fed :] for _, row in hearing]
            longest = max(map(len, news))
            logits = cache.feed(
                torch.tensor([new + [0] * (longest - len(new)) for new in news]),
                torch.tensor([row.fed for _, row in hearing]),
                torch.tensor([len(new) - 1 for new in news]),
                torch.tensor([i for i, _ in hearing]),
            )
            self._say([row for _, row in hearing], *pick(logits))
        speaking = [(i, row) for i, row in playing if row.unfed == 1 and not self._is_over(row)]
        if speaking:
            # one that is not speaking is fed padding, where its next token will overwrite it
            tokens = torch.tensor([[row.ids[-1] if row.unfed == 1 else 0] for row in batch])
            start = torch.tensor([min(row.fed, len(row.ids) - 1) for row in batch])
            logits = cache.feed(tokens, start, torch.zeros(len(batch), dtype=torch.long))
            index = torch.tensor([i for i, _ in speaking])
            self._say([row for _, row in speaking], *pick(logits[index]))
        return [row for _, row in playing if self._is_over(row)]

    def _say(self, rows: list[_Row], picked: list[int], logprobs: list[float]) -> None:
        for row, token, logprob in zip(rows, picked, logprobs, strict=True):
            row.fed = len(row.ids)
            row.say(token, logprob)

    def _is_over(self, row: _Row) -> bool:
        """Whether its turn is: it said the end token, or has no words left."""
        spoken = len(row.ids) - row.turn_start
        return spoken > 0 and (row.ids[-1] == self._end or spoken >= self.max_turn_tokens)

    def _act(self, row: _Row) -> None:
        """Hand the turn to the world and hear what it answers."""
        row.turns += 1
        spoken = row.ids[row.turn_start :]
        ended = spoken[-1] == self._end
        text = self._text_of(spoken[:-1] if ended else spoken)
        said = parse_reply(text, f"call_{row.turns}")
        answered = row.episode.step(row.slots.show_message(said) if self._kinds else said)
        if row.episode.stop is not None:
            return
        heard = self._ids_of(answered, row.slots)
        if len(row.ids) + len(heard) > self.max_tokens:
            row.episode.step(Message(role="assistant"))  # out of room: it can say no more
        else:
            row.hear(heard)

    def _ids_of(self, messages: Sequence[Message], slots: Slots) -> list[int]:
        """Ids of what the world said, with the token that asks the model to speak."""
        ids: list[int] = []
        if self._kinds:
            messages = [slots.hide_message(m) for m in messages if m.role != "system"]
        for role, text in texts_of(messages):
            shown = role + text
            if shown not in self._encoded:
                self._encoded[shown] = self.tokenizer.encode(shown, add_special_tokens=False)
            ids.extend(self._encoded[shown])
        return [*ids, self._prompt]  # type: ignore[list-item]

    def _text_of(self, ids: list[int]) -> str:
        key = tuple(ids)
        if key not in self._decoded:
            self._decoded[key] = self.tokenizer.decode(ids)  # type: ignore[assignment]
        return self._decoded[key]

    def _record(self, row: _Row) -> Rollout:
        task, episode = row.play.task, row.episode
        failure: Failure | None = getattr(episode, "failure", None)
        said = sum(row.mask)
        trajectory = Trajectory(
            id=f"{row.play.label}{task.id}#{row.play.rollout}",
            task_id=task.id,
            world=task.view.world,
            agent=self.name,
            mode=task.view.mode,
            rollout=row.play.rollout,
            seed=row.play.seed,
            messages=episode.observation,
            changes=episode.ledger,
            stop=episode.stop or "failed",
            failure=failure,
            usage=Usage(
                calls=sum(len(m.tool_calls) for m in episode.observation),
                prompt_tokens=len(row.ids) - said,
                completion_tokens=said,
                requests=row.turns,
                seconds=row.seconds,
            ),
            trace=TokenTrace(
                ids=tuple(row.ids), mask=tuple(row.mask), logprobs=tuple(row.logprobs)
            ),
        )
        return Rollout(task=task.view, trajectory=trajectory, outcome=episode.outcome())


def sample(
    logits: torch.Tensor, temperature: float, dice: torch.Generator
) -> tuple[list[int], list[float]]:
    """A token for each row of `logits`, with its log-probability; one number is rolled a row.

    Where the sum of probabilities passes that number the token lies: a tenth of the time that
    torch.multinomial takes, and a token without probability is never met.
    """
    logits = logits / (temperature or 1.0)
    shifted = logits - logits.max(-1, keepdim=True).values
    sums = shifted.exp().cumsum(-1, dtype=torch.float64)
    total = sums[:, -1:].clone()
    if temperature == 0:
        picked = shifted.argmax(-1, keepdim=True)
    else:
        rolled = torch.rand(len(logits), 1, generator=dice, dtype=torch.float64)
        picked = torch.searchsorted(sums, rolled * total, right=True)
    logprobs = shifted.gather(1, picked) - total.log()
    return picked.squeeze(1).tolist(), logprobs.squeeze(1).tolist()
