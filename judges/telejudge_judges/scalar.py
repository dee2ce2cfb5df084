"""The scalar judge: a reward head that reads one trajectory and says one number.

    judge = ScalarJudge(Path("runs/reward-head"))
    verdict = await judge.judge(group)

The baseline of RLHF: a transformers sequence-classification folder with one logit, trained on
pairs (Bradley-Terry), and beside it `threshold.json`, fitted on a dev split (scalar_threshold.py),
without which the number would mean nothing to anybody who wants 0 or 1.

`answer` is 1 above the threshold, `tools` the probability that the fitted curve gives; both come
from the one number, so this judge has no opinion of the calls apart from the answer, and it finds
no defects. It reads the evidence that a pointwise judge would be shown, one trajectory at a time.
A trajectory that does not fit the model even with every text shortened is abstained
(`over_budget`): nothing is ever cut off by the tokenizer.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from telejudge_envs.errors import MissingExtraError, UsageError
from telejudge_envs.nouns.message import ToolSpec
from telejudge_envs.nouns.trajectory import Group, Trajectory
from telejudge_envs.nouns.verdict import GroupVerdict, Verdict
from telejudge_judges.briefing import Briefing, Briefings
from telejudge_judges.evidence import Case, prepare
from telejudge_judges.fuse import fuse
from telejudge_judges.render import OverBudget, render
from telejudge_judges.scalar_threshold import FILE, Threshold
from telejudge_judges.sitting import Sitting, abstain

VERSION = "1"
SMALLEST_BUDGET = 64
"""Tokens below which no evidence can be rendered."""


class RewardHead:
    """A folder's model: a text in, its logit out. Raises UsageError when it is no such folder."""

    def __init__(self, folder: Path, *, device: str = "cpu") -> None:
        try:
            import torch
            import transformers
        except ImportError as error:
            raise MissingExtraError(error.name or "transformers", "train") from error
        if not (folder / "config.json").is_file():
            raise UsageError(f"{folder} is no transformers model folder: it has no config.json")
        self.folder, self._torch = folder, torch
        try:
            self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(
                str(folder), local_files_only=True
            )
            model: Any = transformers.AutoModelForSequenceClassification.from_pretrained(
                str(folder), local_files_only=True
            )
            self._model = model.eval().to(device)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise UsageError(f"the model in {folder} cannot be loaded: {error}") from error
        if self._model.config.num_labels != 1:
            raise UsageError(
                f"the model in {folder} has {self._model.config.num_labels} logits; a reward head "
                "has one (num_labels=1)"
            )
        self._device = device
        self._lock = threading.Lock()
        positions = getattr(self._model.config, "max_position_embeddings", None)
        limits = [self._tokenizer.model_max_length, positions or 10**9]
        self.max_tokens = int(min(limits))

    def tokens(self, text: str) -> int:
        """How many tokens the model would read."""
        return len(self._tokenizer(text, verbose=False)["input_ids"])

    def logit(self, text: str) -> float:
        """One at a time: padding a batch would make a score depend on its neighbours."""
        with self._lock, self._torch.inference_mode():
            read = self._tokenizer(text, return_tensors="pt").to(self._device)
            return float(self._model(**read).logits[0, 0])

    def digest(self) -> str:
        """A hash of the folder's files, the threshold's among them."""
        total = hashlib.sha256()
        for file in sorted(p for p in self.folder.iterdir() if p.is_file()):
            with file.open("rb") as opened:
                total.update(f"{file.name}:{file.stat().st_size}:".encode())
                total.update(hashlib.file_digest(opened, "sha256").digest())
        return total.hexdigest()[:12]


class ScalarJudge:
    """Implements the Judge protocol over a reward head and its threshold.

    Raises UsageError when the folder holds no such model or no threshold.json.
    """

    name = "scalar"

    def __init__(
        self,
        folder: Path,
        *,
        device: str = "cpu",
        briefings: Briefings | None = None,
        budget_tokens: int = 24_000,
        include_reasoning: bool = False,
    ) -> None:
        self.threshold = Threshold.load(folder / FILE)
        self.head = RewardHead(folder, device=device)
        self.reader = Reader(
            self.head, budget_tokens=budget_tokens, include_reasoning=include_reasoning
        )
        self._briefings = briefings
        options = f"{budget_tokens}{' with reasoning' if include_reasoning else ''}"
        self.version = f"{VERSION}+{self.head.digest()} {options}"

    async def judge(self, group: Group) -> GroupVerdict:
        """Judge a group, in a thread of its own."""
        sitting = Sitting(self, group)
        brief = sitting.brief(self._briefings) if sitting.judged else Briefing()
        scores = await asyncio.to_thread(self._scores, group, sitting.judged, brief)
        return sitting.close({name: self._verdict(name, score) for name, score in scores.items()})

    def _scores(
        self, group: Group, judged: Sequence[Trajectory], brief: Briefing
    ) -> dict[str, float | str]:
        return {one.id: self.reader.score(group, one, brief) for one in judged}

    def _verdict(self, trajectory_id: str, score: float | str) -> Verdict:
        if isinstance(score, str):
            return abstain(trajectory_id, score)
        chance = self.threshold.chance(score)
        answer = 1 if score > self.threshold.threshold else 0
        return Verdict(
            trajectory_id=trajectory_id,
            answer=answer,
            tools=chance,
            reward=fuse(answer, chance),
            confidence=max(chance, 1 - chance),
        )


class Reader:
    """A trajectory's number, or why there is none: `over_budget`, `not_finite`."""

    def __init__(
        self, head: RewardHead, *, budget_tokens: int = 24_000, include_reasoning: bool = False
    ) -> None:
        self.head, self.budget_tokens = head, budget_tokens
        self.include_reasoning = include_reasoning

    def score(self, group: Group, one: Trajectory, brief: Briefing) -> float | str:
        case = prepare(group, [one], policy=brief.policy, include_reasoning=self.include_reasoning)
        # Our estimate of tokens is on the safe side, so begin with more than the model reads.
        budget = min(self.budget_tokens, 2 * self.head.max_tokens)
        while budget >= SMALLEST_BUDGET:
            try:
                text = scalar_text(case, brief.tools, budget)
            except OverBudget:
                break
            if self.head.tokens(text) <= self.head.max_tokens:
                logit = self.head.logit(text)
                return logit if math.isfinite(logit) else "not_finite"
            budget = budget * 3 // 4
        return "over_budget"


def scalar_text(case: Case, tools: Sequence[ToolSpec], budget_tokens: int) -> str:
    """What a reward head reads of a case with one candidate: evidence without its random names.

    Training a head must use this text too. Raises OverBudget.
    """
    evidence = render(case, (0,), "scalar", tools=tools, budget_tokens=budget_tokens)
    (name,) = evidence.candidates
    return evidence.text.replace(f"data-{evidence.nonce}", "data").replace(f" {name}>", ">")
