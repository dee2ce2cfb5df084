"""Reasoning traces for known answers, found by search: REverse-Engineered Reasoning.

    search = Search(LocalModel.load(folder), SearchSettings())
    found = search.find("What is …?", "61 dBm", seed="q1")
    found.trace, found.curve           # the perplexity of the answer falls from round to round

In: a question, its known answer and a local causal model. A draft trace is written by the model;
then each of its segments in turn is generated anew some times, and a version is kept when the known
answer has a lower perplexity after question and trace than it had before. A segment that says the
answer itself is refused: it would lower the perplexity and explain nothing.

Source: Wang et al., Reverse-Engineered Reasoning for Open-Ended Generation (arXiv:2509.06160).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from telejudge_envs.errors import MissingExtraError, UsageError
from telejudge_envs.nouns.base import Noun
from telejudge_judges.opaque import digest

_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+|\n+")


class SearchSettings(Noun):
    """`rounds` over all segments at most, `candidates` tried for each; stops early when a round
    changes nothing or the perplexity falls below `enough`."""

    rounds: int = 3
    candidates: int = 4
    segments: int = 6
    segment_tokens: int = 40
    temperature: float = 0.9
    enough: float = 1.05
    seed: int = 0


class Found(NamedTuple):
    """What a search came to. `curve` begins with the draft's perplexity."""

    trace: str
    draft: str
    bare: float
    curve: tuple[float, ...]
    tried: int
    accepted: int


class Model(Protocol):
    """What the search needs of a model."""

    def perplexity(self, question: str, trace: str, answer: str) -> float: ...

    def write(
        self, question: str, begun: Sequence[str], count: int, tokens: int, heat: float, seed: int
    ) -> list[str]:
        """`count` continuations of a trace, each at most `tokens` long; the same for the seed."""
        ...


class Search:
    """The local search. Deterministic for a model whose `write` is."""

    def __init__(self, model: Model, settings: SearchSettings) -> None:
        self.model, self.settings = model, settings

    def find(self, question: str, answer: str, seed: str) -> Found:
        """The trace with the lowest perplexity that the search met."""
        own = self.settings
        segments = self._draft(question, answer, seed)
        draft = " ".join(segments)
        best = self.model.perplexity(question, draft, answer)
        bare = self.model.perplexity(question, "", answer)
        curve, tried, accepted = [best], 0, 0
        for round_ in range(own.rounds):
            changed = False
            for place in range(len(segments)):
                key = _number(str(own.seed), seed, str(round_), str(place))
                for text in self._versions(question, answer, segments[:place], key):
                    tried += 1
                    other = [*segments[:place], text, *segments[place + 1 :]]
                    score = self.model.perplexity(question, " ".join(other), answer)
                    if score < best:
                        best, segments, changed = score, other, True
                        accepted += 1
            curve.append(best)
            if not changed or best <= own.enough:
                break
        return Found(" ".join(segments), draft, bare, tuple(curve), tried, accepted)

    def _draft(self, question: str, answer: str, seed: str) -> list[str]:
        """Segment after segment, so that it has as many as wanted and none says the answer."""
        segments: list[str] = []
        for place in range(self.settings.segments):
            key = _number(str(self.settings.seed), seed, "draft", str(place))
            versions = self._versions(question, answer, segments, key)
            if not versions:
                break
            segments.append(versions[0])
        return segments

    def _versions(self, question: str, answer: str, begun: Sequence[str], seed: int) -> list[str]:
        own = self.settings
        written = self.model.write(
            question, begun, own.candidates, own.segment_tokens, own.temperature, seed
        )
        first = (_first_sentence(text) for text in written)
        return [text for text in dict.fromkeys(first) if text and not says(text, answer)]


class LocalModel:
    """A causal transformers model on this machine; implements Model."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        import torch

        self._torch, self._model, self._tokenizer = torch, model.eval(), tokenizer

    @classmethod
    def load(cls, folder: Path) -> LocalModel:
        """Raises UsageError for a folder that holds no causal model."""
        try:
            import transformers
        except ImportError as error:
            raise MissingExtraError("transformers", "train") from error
        try:
            model = transformers.AutoModelForCausalLM.from_pretrained(
                str(folder), local_files_only=True
            )
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                str(folder), local_files_only=True
            )
        except (OSError, ValueError, KeyError) as error:
            raise UsageError(f"the model in {folder} cannot be loaded: {error}") from error
        return cls(model, tokenizer)

    def perplexity(self, question: str, trace: str, answer: str) -> float:
        """exp of the mean negative log-likelihood of the answer's tokens."""
        before = self._ids(f"{self._opening(question)}{trace}\nAnswer: ")
        told = self._ids(answer)
        ids = self._torch.tensor([[*before, *told]])
        with self._torch.inference_mode():
            logits = self._model(ids).logits[0, len(before) - 1 : -1].float()
        chosen = self._torch.log_softmax(logits, dim=-1)[range(len(told)), told]
        return math.exp(-float(chosen.mean()))

    def write(
        self, question: str, begun: Sequence[str], count: int, tokens: int, heat: float, seed: int
    ) -> list[str]:
        start = self._ids(f"{self._opening(question)}{' '.join(begun)}")
        ids = self._torch.tensor([start])
        self._torch.manual_seed(seed)
        with self._torch.inference_mode():
            made = self._model.generate(
                ids,
                attention_mask=self._torch.ones_like(ids),
                do_sample=True,
                temperature=heat,
                top_k=0,
                max_new_tokens=tokens,
                num_return_sequences=count,
                pad_token_id=self._tokenizer.pad_token_id or self._tokenizer.eos_token_id or 0,
            )
        rest = made[:, len(start) :]
        return [t.strip() for t in self._tokenizer.batch_decode(rest, skip_special_tokens=True)]

    def _opening(self, question: str) -> str:
        wish = f"Question: {question}\nThink step by step, then give the answer."
        if not getattr(self._tokenizer, "chat_template", None):
            return f"{wish}\nReasoning: "
        return self._tokenizer.apply_chat_template(
            [{"role": "user", "content": wish}], tokenize=False, add_generation_prompt=True
        )

    def _ids(self, text: str) -> list[int]:
        return self._tokenizer(text, add_special_tokens=False)["input_ids"]


def says(text: str, answer: str) -> bool:
    """Whether a text contains the answer, letter by letter but for case and spaces."""
    plain = " ".join(text.lower().split())
    wanted = " ".join(answer.lower().split()).rstrip(".")
    return bool(wanted) and re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", plain) is not None


def _first_sentence(text: str) -> str:
    return next((part.strip() for part in _SENTENCE.split(text) if part.strip()), "")


def _number(*parts: str) -> int:
    return int(digest(*parts)[:8], 16) >> 1
