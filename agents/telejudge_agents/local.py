"""A transformers model on this machine as an agent; its tokens are kept for training.

    agents = LocalAgents.load(Path("my-model"), sampling=Sampling(temperature=0.7))
    rollouts = run(world, tasks, agents, rollouts=8, concurrency=16)
    rollouts[0].trajectory.trace

Any causal model will do whose folder has a chat template that can render tools. Episodes that
wait at the same time are generated in one batch, so give the runner a `concurrency` of at least
`max_batch`. Needs the extra `train`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telejudge_agents.batching import BatchedModel, Sampling
from telejudge_agents.tokens import ChatCodec, TokenLog
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.message import Message, ToolSpec
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import FaultOwner, TokenTrace, Usage
from telejudge_envs.slots import Slots, kinds_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_SAMPLED = 64
"""Numbers of each parameter that go into a model's fingerprint."""


class LocalAgents:
    """Makes a `LocalAgent` for each episode; all share one model.

    `versions` fingerprint the weights as they are now: make a new factory after an update.
    """

    waits_on: FaultOwner = "runner"
    """A slow reply is this machine's fault."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        name: str = "local",
        sampling: Sampling | None = None,
        max_batch: int = 16,
        window_s: float = 0.005,
        template_options: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self._kinds = kinds_of(tokenizer)
        self.codec = ChatCodec(tokenizer, end_ids=_end_ids(model), options=template_options)
        if not self.codec.end_ids:
            raise UsageError(f"{name} has no end-of-turn token: set tokenizer.eos_token")
        self.engine = BatchedModel(
            model,
            end_ids=sorted(self.codec.end_ids),
            pad_id=_pad_id(tokenizer, self.codec),
            sampling=sampling,
            max_batch=max_batch,
            window_s=window_s,
        )
        self.versions = {
            "torch": metadata.version("torch"),
            "transformers": metadata.version("transformers"),
            "model": name,
            "weights": fingerprint(model),
            "sampling": str(self.engine.sampling),
        }

    @classmethod
    def load(
        cls, folder: Path, *, device: str = "cpu", dtype: str = "float32", **options: Any
    ) -> LocalAgents:
        """Read a model folder; `options` are those of the constructor.

        Raises UsageError when the folder is missing or holds no model.
        """
        from transformers import AutoModelForCausalLM, AutoTokenizer

        if not (folder / "config.json").is_file():
            raise UsageError(f"{folder} is no model folder: it has no config.json")
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model: Any = AutoModelForCausalLM.from_pretrained(
                folder, dtype=dtype, local_files_only=True
            )
        except (OSError, ValueError) as error:
            raise UsageError(f"cannot load the model in {folder}: {error}") from error
        return cls(model.to(device), tokenizer, **{"name": folder.name, **options})

    def start(self, task: TaskView, seed: int) -> LocalAgent:
        slots = Slots(self._kinds) if self._kinds else None
        return LocalAgent(self.codec, self.engine, seed, slots)


class LocalAgent:
    """Acts in one episode and keeps its tokens."""

    def __init__(
        self, codec: ChatCodec, engine: BatchedModel, seed: int, slots: Slots | None = None
    ) -> None:
        self._codec, self._engine, self._seed, self._slots = codec, engine, seed, slots
        self._tokens = TokenLog()
        self._read = 0
        self._usage = Usage()

    @property
    def usage(self) -> Usage:
        return self._usage

    @property
    def trace(self) -> TokenTrace:
        return self._tokens.trace()

    async def act(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        """The model's next message; `messages` must go on from what it has seen and said.

        Raises EndpointError when the context is full or generating fails, UsageError when the
        chat template cannot render the conversation.
        """
        if self._slots is not None:
            messages = [self._slots.hide_message(message) for message in messages]
        if not self._tokens.ids:
            context = self._codec.opening(messages, tools)
        else:
            turn, *new = messages[self._read :]
            context = self._codec.continuation(self._tokens.ids, turn, new, tools)
        self._tokens.add_context(context)
        prompt, requests = len(self._tokens.ids), self._usage.requests
        reply = await self._engine.complete(self._tokens.ids, seed=self._turn_seed(requests))
        self._tokens.add_generated(reply.ids, reply.logprobs)
        said = self._codec.read(reply.ids, first_call=self._usage.calls + 1)
        self._read = len(messages)  # its own message is the next
        self._usage = Usage(
            calls=self._usage.calls + len(said.tool_calls),
            prompt_tokens=self._usage.prompt_tokens + prompt,
            completion_tokens=self._usage.completion_tokens + len(reply.ids),
            requests=requests + 1,
        )
        return said if self._slots is None else self._slots.show_message(said)

    def _turn_seed(self, turn: int) -> int:
        digest = hashlib.sha256(f"{self._seed}|{turn}".encode()).digest()
        return int.from_bytes(digest[:7], "big")


def fingerprint(model: PreTrainedModel) -> str:
    """Tells two sets of weights apart by some numbers of each parameter."""
    digest = hashlib.sha256()
    for name, parameter in model.named_parameters():
        flat = parameter.detach().reshape(-1)
        some = flat[:: max(1, flat.numel() // _SAMPLED)].float().cpu()
        digest.update(f"{name}{tuple(parameter.shape)}".encode() + some.numpy().tobytes())
    return digest.hexdigest()[:12]


def _end_ids(model: PreTrainedModel) -> list[int]:
    config = model.generation_config
    given = getattr(config, "eos_token_id", None)
    given = model.config.eos_token_id if given is None else given
    if given is None:
        return []
    return list(given) if isinstance(given, list | tuple) else [int(given)]


def _pad_id(tokenizer: PreTrainedTokenizerBase, codec: ChatCodec) -> int:
    pad: Any = getattr(tokenizer, "pad_token_id", None)
    return int(pad) if pad is not None else min(codec.end_ids)
