"""Wrong answers that are believed, for questions that have none: generate, rank, check.

    writer = Writer(writer_client, solver_client, DistractorSettings())
    made = await writer.work_on(question)        # Distractor rows, kept ones and others

A model writes more than are wanted; a solver answers the question several times with all of them
beside the key, in shuffled orders, and those that it takes most often rank first (D-GEN's idea:
near misses teach more than nonsense); a checker throws out whatever is right after all. What was
thrown out, and why, stays in the file. Rewordings of the key are made and checked the same way.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Meter
from telejudge_envs.errors import MissingExtraError
from telejudge_envs.nouns.base import Noun
from telejudge_envs.nouns.message import Message
from telejudge_judges.codecs.numbers import as_number
from telejudge_judges.codecs.tolerant import objects, without_thinking
from telejudge_judges.opaque import digest
from telejudge_judges.prompting import Template
from telejudge_training.judge_data.cards import Making
from telejudge_training.judge_data.rows import Binary, QuestionRow
from telejudge_training.judge_data.texts import Distractor

PROMPT = Path(__file__).parent / "prompts" / "distractors_en.jinja"

SAME = 92
"""Percent of likeness from which two texts count as the same answer."""


class DistractorSettings(Noun):
    """`keep` of `generate` wrong answers, ranked by `votes` solver replies; `paraphrases` of the
    key. `compare`: the question's own wrong answers are put before the solver, too."""

    generate: int = 6
    keep: int = 3
    votes: int = 4
    paraphrases: int = 0
    compare: bool = False
    licence: str = "unknown"
    seed: int = 0


class Words(Template):
    """The prompts."""

    blocks = ("system", "generate", "paraphrase", "solve", "check")

    def say(self, block: str, **values: Any) -> str:
        return self._fill(block, values)


class Writer:
    """Works on one question at a time. Raises EndpointError when an endpoint fails for good."""

    def __init__(
        self, writer: ChatClient, solver: ChatClient, settings: DistractorSettings, making: Making
    ) -> None:
        self.writer, self.solver, self.settings, self.making = writer, solver, settings, making
        self.meter = Meter()
        self.unread = 0
        self._words = Words.read(PROMPT)

    async def work_on(self, question: QuestionRow) -> list[Distractor]:
        """All that was written, in order: wrong ones by rank, paraphrases, the question's own."""
        written = await self._write("generate", question, self.settings.generate)
        fresh, spoilt = _sift(written, [question.right, *question.options])
        shares = await self._votes(question, fresh, "generated")
        ranked = sorted(fresh, key=lambda text: -shares[text])
        checks = await asyncio.gather(*(self._check(question, text) for text in ranked))
        made, kept = [], 0
        for text, check in zip(ranked, checks, strict=True):
            why = {1: "right after all", None: "the checker gave no answer"}.get(check, "")
            why = why or ("ranked too low" if kept >= self.settings.keep else "")
            kept += not why
            made.append(self._row(question, "wrong", text, shares[text], check, why))
        made += [self._row(question, "wrong", t, None, None, why) for t, why in spoilt.items()]
        made += await self._paraphrases(question)
        if self.settings.compare and question.wrong:
            real = await self._votes(question, list(question.wrong), "real")
            made += [
                self._row(question, "real", text, real[text], None, "the question's own")
                for text in question.wrong
            ]
        return made

    async def _paraphrases(self, question: QuestionRow) -> list[Distractor]:
        if not self.settings.paraphrases:
            return []
        written = await self._write("paraphrase", question, self.settings.paraphrases)
        fresh, spoilt = _sift(written, question.wrong)
        fresh = [text for text in fresh if text.lower() != question.right.lower()]
        checks = await asyncio.gather(*(self._check(question, text) for text in fresh))
        made = []
        for text, check in zip(fresh, checks, strict=True):
            why = "" if check == 1 else "not found to be right"
            made.append(self._row(question, "paraphrase", text, None, check, why))
        return made + [
            self._row(question, "paraphrase", text, None, None, "like a wrong answer")
            for text in spoilt
        ]

    async def _write(self, block: str, question: QuestionRow, count: int) -> list[str]:
        asked = self._words.say(block, question=question.text, right=question.right, count=count)
        reply = await self._ask(self.writer, asked, self.settings.seed)
        for value in objects(without_thinking(reply)):
            answers = value.get("answers") if isinstance(value, dict) else None
            if isinstance(answers, list):
                return [a.strip() for a in answers if isinstance(a, str) and a.strip()][:count]
        self.unread += 1
        return []

    async def _votes(
        self, question: QuestionRow, texts: Sequence[str], what: str
    ) -> dict[str, float]:
        """The share of the solver's replies that chose each text; the key takes part."""
        counted = Counter[str]()
        options = [question.right, *texts]
        asked = []
        for vote in range(self.settings.votes if texts else 0):
            order = random.Random(f"{self.settings.seed}|{question.id}|{what}|{vote}")
            asked.append((order.sample(options, len(options)), self.settings.seed + vote))
        replies = await asyncio.gather(*(self._solve(question, o, s) for o, s in asked))
        counted.update(reply for reply in replies if reply is not None)
        return {text: counted[text] / max(1, len(asked)) for text in texts}

    async def _solve(self, question: QuestionRow, options: Sequence[str], seed: int) -> str | None:
        asked = self._words.say("solve", question=question.text, options=options)
        reply = without_thinking(await self._ask(self.solver, asked, seed)).strip()
        number = as_number(reply.split()[0].rstrip(".):,") if reply else "")
        if number is None or not number.is_integer() or not 1 <= number <= len(options):
            self.unread += 1
            return None
        return options[int(number) - 1]

    async def _check(self, question: QuestionRow, text: str) -> Binary | None:
        asked = self._words.say("check", question=question.text, right=question.right, answer=text)
        reply = without_thinking(await self._ask(self.writer, asked, self.settings.seed)).strip()
        number = as_number(reply.split()[0].rstrip(".,")) if reply else None
        return {0.0: 0, 1.0: 1}.get(number) if number is not None else None  # pyright: ignore

    async def _ask(self, client: ChatClient, text: str, seed: int) -> str:
        messages = [
            Message(role="system", text=self._words.say("system")),
            Message(role="user", text=text),
        ]
        completion = await client.complete(messages, seed=seed, meter=self.meter)
        return completion.message.text

    def _row(
        self,
        question: QuestionRow,
        kind: str,
        text: str,
        confidence: float | None,
        check: Binary | None,
        why: str,
    ) -> Distractor:
        model = "" if kind == "real" else self.writer.endpoint.model
        source, licence = question.provenance.source, question.provenance.licence
        if kind != "real":
            licence = f"{licence} AND {self.settings.licence}"
        return Distractor.model_validate(
            {
                "id": digest("distractor", question.id, kind, text)[:16],
                "question_id": question.id,
                "kind": kind,
                "text": text,
                "confidence": confidence,
                "check": check,
                "kept": not why,
                "detail": why,
                "model": model,
                "provenance": self.making.provenance(source, licence, question.id),
            }
        )


def _sift(written: Sequence[str], known: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Texts that say something new, and the others with why they do not."""
    fresh: list[str] = []
    spoilt: dict[str, str] = {}
    for text in dict.fromkeys(written):
        if alike(text, known) >= SAME:
            spoilt[text] = "like a known answer"
        elif alike(text, fresh) >= SAME:
            spoilt[text] = "like another one"
        else:
            fresh.append(text)
    return fresh, spoilt


def alike(text: str, others: Sequence[str]) -> float:
    """Percent of likeness with the most similar of the others, 0 when there is none."""
    try:
        from rapidfuzz import fuzz
    except ImportError as error:
        raise MissingExtraError("rapidfuzz", "data") from error
    return max((fuzz.ratio(text.lower(), other.lower()) for other in others), default=0.0)
