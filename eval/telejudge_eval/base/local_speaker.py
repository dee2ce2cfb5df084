"""A transformers folder or a GGUF file as a Speaker, greedy or sampled, in this process."""

from __future__ import annotations

import time
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from telejudge_agents.batching import BatchedModel, Sampling
from telejudge_agents.local import LocalAgents
from telejudge_agents.protocol import AgentFactory
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.message import Message, ToolSpec
from telejudge_envs.teleqna_choice import LETTERS, Choice, prompt
from telejudge_eval.base.speakers import Said

END_OF_TURN = "<|im_end|>"


class LocalSpeaker:
    """The weights are read once, as fp32 on the CPU."""

    def __init__(self, path: Path, *, name: str | None = None) -> None:
        self._model, self._tokenizer = _load(path)
        self.name = name or (path.stem if path.is_file() else path.name)
        self.versions = {
            "torch": metadata.version("torch"),
            "transformers": metadata.version("transformers"),
        }
        self._by_use: dict[tuple[float, int], LocalAgents] = {}
        self.how = "with transformers, fp32; options by log-likelihood"
        if not self._shows_tools():
            self.how += "; its chat template cannot show tools, so it never sees any"

    async def say(
        self, system: str, user: str, *, max_tokens: int, temperature: float = 0.0, seed: int = 0
    ) -> Said:
        agents = self._agents(temperature, max_tokens)
        engine: BatchedModel = agents.engine
        asked = [Message(role="system", text=system), Message(role="user", text=user)]
        ids = agents.codec.opening(asked, ())
        started = time.perf_counter()
        reply = await engine.complete(ids, seed=seed)
        text = agents.codec.read(reply.ids, first_call=1).text
        return Said(text, len(ids), len(reply.ids), time.perf_counter() - started)

    async def choose(self, choice: Choice) -> tuple[int | None, Said]:
        started = time.perf_counter()
        scores, tokens = self._likelihoods(prompt(choice), LETTERS[: len(choice.options)])
        place = max(range(len(scores)), key=scores.__getitem__)
        return place, Said(LETTERS[place], tokens, 0, time.perf_counter() - started)

    def agents(self, max_tokens: int) -> AgentFactory:
        return self._agents(0.0, max_tokens)

    def _agents(self, temperature: float, max_tokens: int) -> LocalAgents:
        use = temperature, max_tokens
        if use not in self._by_use:
            self._by_use[use] = LocalAgents(
                self._model,
                self._tokenizer,
                name=self.name,
                sampling=Sampling(temperature=temperature, max_new_tokens=max_tokens),
            )
        return self._by_use[use]

    def _shows_tools(self) -> bool:
        tool = ToolSpec(name="xqztoolxqz", description="", parameters={"type": "object"})
        asked = [Message(role="user", text="x")]
        ids = self._agents(0.0, 1).codec.opening(asked, [tool])
        return tool.name in self._tokenizer.decode(ids)

    @torch.inference_mode()
    def _likelihoods(self, text: str, letters: str) -> tuple[list[float], int]:
        """Log-likelihood of each " LETTER" after the text; the text's tokens are read once when
        every letter is one token, which it is for the tokenizers that we know."""
        before = self._ids(text)
        after = [self._ids(f"{text} {letter}")[len(before) :] for letter in letters]
        if all(len(ids) == 1 for ids in after):
            logits = self._model(torch.tensor([before])).logits[0, -1].log_softmax(-1)
            return [float(logits[ids[0]]) for ids in after], len(before)
        return [self._likelihood(before, ids) for ids in after], len(before)

    def _likelihood(self, before: list[int], after: list[int]) -> float:
        logits = self._model(torch.tensor([before + after])).logits[0].log_softmax(-1)
        return sum(float(logits[len(before) - 1 + i, token]) for i, token in enumerate(after))

    def _ids(self, text: str) -> list[int]:
        return list(self._tokenizer(text)["input_ids"])


def _load(path: Path) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    gguf = {"gguf_file": path.name} if path.is_file() else {}
    folder = path.parent if path.is_file() else path
    if not gguf and not (folder / "config.json").is_file():
        raise UsageError(f"{path} is neither a model folder (config.json), a GGUF file, nor a URL")
    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True, **gguf)
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype="float32", local_files_only=True, **gguf
        )
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot load the model in {path}: {error}") from error
    if gguf and END_OF_TURN in (tokenizer.chat_template or ""):
        tokenizer.eos_token = END_OF_TURN  # GGUF headers name the end of texts, not of turns
        model.generation_config.eos_token_id = tokenizer.eos_token_id
    return model.eval(), tokenizer
