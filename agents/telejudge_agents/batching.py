"""Requests of many waiting episodes in, one batched `model.generate` at a time, replies out.

    engine = BatchedModel(model, end_ids=[tokenizer.eos_token_id], pad_id=0)
    reply = await engine.complete([1, 2, 3], seed=7)

Requests that arrive within a few milliseconds, or while another batch is being generated, share
the next batch: left-padded, each row with its own random numbers, so that a reply is decided by
its prompt and seed and not by its company (up to the rounding of differently padded sums).
Nothing is kept between requests: each one's whole prompt is read again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from telejudge_envs.errors import EndpointError, MissingExtraError, UsageError

try:
    import torch
    from transformers import (
        GenerationConfig,
        LogitsProcessor,
        LogitsProcessorList,
        StoppingCriteria,
        StoppingCriteriaList,
    )
    from transformers.generation.logits_process import TopKLogitsWarper, TopPLogitsWarper
except ImportError as missing:
    raise MissingExtraError(missing.name or "torch", "train") from missing

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class Sampling:
    """How tokens are chosen; `temperature` 0 takes the likeliest, `top_k` 0 does not cut."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    max_new_tokens: int = 512

    def __post_init__(self) -> None:
        if self.temperature < 0 or not 0 < self.top_p <= 1 or self.top_k < 0:
            raise UsageError(f"temperature >= 0, 0 < top_p <= 1, top_k >= 0; got {self}")
        if self.max_new_tokens < 1:
            raise UsageError(f"max_new_tokens must be at least 1, got {self.max_new_tokens}")


class Reply(NamedTuple):
    """Generated tokens, the end token included when there is one, and their log-probabilities.

    Log-probabilities are those of the whole distribution at the sampling temperature (at 1 when
    it is 0), before `top_p` and `top_k` cut it: what a trainer's own forward pass computes.
    """

    ids: list[int]
    logprobs: list[float]


@dataclass(frozen=True)
class _Request:
    prompt: list[int]
    seed: int
    room: int
    future: asyncio.Future[Reply]


class BatchedModel:
    """A causal language model that many episodes share; one event loop at a time."""

    def __init__(
        self,
        model: PreTrainedModel,
        *,
        end_ids: Sequence[int],
        pad_id: int,
        sampling: Sampling | None = None,
        max_batch: int = 16,
        window_s: float = 0.005,
    ) -> None:
        if max_batch < 1:
            raise UsageError(f"max_batch must be at least 1, got {max_batch}")
        self._model: Any = model
        self._end_ids, self._pad_id = list(end_ids), pad_id
        self.sampling = sampling or Sampling()
        self._max_batch, self._window_s = max_batch, window_s
        self._waiting: list[_Request] = []
        self._serving: asyncio.Task[None] | None = None
        self.batch_sizes: list[int] = []

    @property
    def context_size(self) -> int | None:
        """The most tokens that the model can look at, if its configuration says so."""
        return getattr(self._model.config, "max_position_embeddings", None)

    async def complete(self, prompt: Sequence[int], *, seed: int, most: int | None = None) -> Reply:
        """Continue `prompt`, by `most` tokens where that is less than `sampling` allows.

        Raises EndpointError `context_overflow` when the prompt leaves no room, and `local_model`
        when generating fails (out of memory).
        """
        loop = asyncio.get_running_loop()
        if self._serving is None or self._serving.done() or self._serving.get_loop() is not loop:
            self._waiting = [r for r in self._waiting if r.future.get_loop() is loop]
            self._serving = loop.create_task(self._serve())
        room = self._room(len(prompt))
        room = room if most is None else min(room, most)
        request = _Request(list(prompt), seed, room, loop.create_future())
        self._waiting.append(request)
        return await request.future

    def _room(self, used: int) -> int:
        size = self.context_size
        if size is None:
            return self.sampling.max_new_tokens
        if used >= size:
            raise EndpointError(
                f"the conversation has {used:,} tokens, the model's context ends at {size:,}",
                cause="context_overflow",
            )
        return min(self.sampling.max_new_tokens, size - used)

    async def _serve(self) -> None:
        await asyncio.sleep(self._window_s)
        while self._waiting:
            batch = [r for r in self._waiting[: self._max_batch] if not r.future.done()]
            del self._waiting[: self._max_batch]
            if not batch:
                continue
            try:
                replies = await asyncio.to_thread(self.generate, batch)
            except Exception as error:
                replies = EndpointError(
                    f"generating with the local model failed: {type(error).__name__}: {error}",
                    cause="local_model",
                )
            _deliver(batch, replies)
            await asyncio.sleep(self._window_s)

    @torch.inference_mode()
    def generate(self, batch: Sequence[_Request]) -> list[Reply]:
        """One batch, in this thread."""
        self.batch_sizes.append(len(batch))
        longest = max(len(r.prompt) for r in batch)
        pads = [longest - len(r.prompt) for r in batch]
        ids = [[self._pad_id] * n + r.prompt for n, r in zip(pads, batch, strict=True)]
        mask = [[0] * n + [1] * (longest - n) for n in pads]
        chooser, watcher = _Chooser(self.sampling, batch), _Watcher(batch, longest)
        watcher.chooser = chooser
        device = self._model.device
        theirs, self._model.generation_config = self._model.generation_config, self._plain_config()
        was_training = self._model.training
        self._model.eval()
        try:
            out = self._model.generate(
                input_ids=torch.tensor(ids, device=device),
                attention_mask=torch.tensor(mask, device=device),
                max_new_tokens=max(r.room for r in batch),
                logits_processor=LogitsProcessorList([chooser]),
                stopping_criteria=StoppingCriteriaList([watcher]),
            )
        finally:
            self._model.generation_config = theirs
            self._model.train(was_training)
        logprobs = torch.stack(watcher.logprobs, 1).tolist()
        rows = out[:, longest:].tolist()
        return [
            self._reply(row, lps, r.room) for row, lps, r in zip(rows, logprobs, batch, strict=True)
        ]

    def _plain_config(self) -> GenerationConfig:
        """No penalties, no forced tokens: a model folder's own habits would bend the logprobs."""
        return GenerationConfig(
            do_sample=False, eos_token_id=self._end_ids, pad_token_id=self._pad_id
        )

    def _reply(self, row: list[int], logprobs: list[float], room: int) -> Reply:
        length = next((i + 1 for i, t in enumerate(row) if t in self._end_ids), len(row))
        length = min(length, room)
        return Reply(row[:length], logprobs[:length])


def _deliver(batch: Sequence[_Request], replies: list[Reply] | EndpointError) -> None:
    for i, request in enumerate(batch):
        if request.future.done():  # its episode gave up waiting
            continue
        if isinstance(replies, EndpointError):
            request.future.set_exception(EndpointError(str(replies), cause=replies.cause))
        else:
            request.future.set_result(replies[i])


class _Chooser(LogitsProcessor):
    """Turns greedy decoding into sampling with a random source for each row.

    The likeliest token after Gumbel noise was added is a draw from the distribution.
    """

    def __init__(self, sampling: Sampling, batch: Sequence[_Request]) -> None:
        self._sampling = sampling
        self._sources = [torch.Generator().manual_seed(r.seed) for r in batch]
        self._cuts: list[Any] = []
        if sampling.top_k:
            self._cuts.append(TopKLogitsWarper(sampling.top_k))
        if sampling.top_p < 1:
            self._cuts.append(TopPLogitsWarper(sampling.top_p))
        self.logprobs = torch.empty(0)
        """Of every token at the step just taken: (rows, vocabulary)."""

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        scaled = scores.float() / (self._sampling.temperature or 1.0)
        self.logprobs = torch.log_softmax(scaled, -1)
        if self._sampling.temperature == 0:
            return scaled
        for cut in self._cuts:
            scaled = cut(input_ids, scaled)
        noise = [torch.empty(scores.shape[-1]).exponential_(generator=g) for g in self._sources]
        return scaled - torch.stack(noise).log().to(scaled.device)


class _Watcher(StoppingCriteria):
    """Notes each chosen token's log-probability; ends rows out of room or no longer waited for."""

    chooser: _Chooser

    def __init__(self, batch: Sequence[_Request], prompt: int) -> None:
        self._batch, self._prompt = batch, prompt
        self.logprobs: list[torch.Tensor] = []

    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        chosen = self.chooser.logprobs.gather(1, input_ids[:, -1:])
        self.logprobs.append(chosen.squeeze(1))
        made = input_ids.shape[1] - self._prompt
        over = [made >= r.room or r.future.cancelled() for r in self._batch]
        return torch.tensor(over, device=input_ids.device)
