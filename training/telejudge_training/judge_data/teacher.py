"""One prompt before a teacher at an endpoint: two rounds, or the truth in sight.

    said = await Teacher(client, TeacherSettings(), prompter).annotate(page, group_row)
    said.outcome        # first, second, oracle, wrong, failed

Round one is the judge's own prompt. A teacher whose answers are not all right is told so and asked
once more; who is still wrong is dropped (`wrong`), and that is counted. In the oracle view the
answers are given beforehand; a reply that speaks of having been given them is dropped too. A
failing endpoint makes `failed`, which is asked anew when the step is started again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Meter
from telejudge_envs.errors import EndpointError
from telejudge_envs.nouns.base import Noun
from telejudge_envs.nouns.message import Message
from telejudge_judges.codec import Entry
from telejudge_judges.codecs.tolerant import objects, without_thinking
from telejudge_judges.opaque import digest
from telejudge_judges.prompting import Template
from telejudge_training.judge_data.cards import Making
from telejudge_training.judge_data.pages import Page, Prompter
from telejudge_training.judge_data.rows import GroupRow
from telejudge_training.judge_data.template_teacher import quoted
from telejudge_training.judge_data.texts import Annotation

FOLDER = Path(__file__).parent / "prompts"

_SPEAKS_OF_THE_KEY = re.compile(
    r"answer key|ground truth|\boracle\b|\b(?:I was|we were|I am) (?:told|given|corrected)\b|"
    r"\b(?:given|known|provided) (?:answers?|verdicts?)\b|as (?:told|instructed)\b|"
    r"\bmy (?:first|previous|earlier) (?:reply|verdict)|被告知|事先|已知答案|被纠正",
    re.IGNORECASE,
)


class TeacherSettings(Noun):
    """`oracle`: the truth beforehand. `tell`: after a wrong verdict, which answers are wrong, or
    only that some are. Prices are US dollars a million tokens; `licence` that of the replies."""

    oracle: bool = False
    tell_which: bool = True
    language: str = "en"
    price_in: float = 0.0
    price_out: float = 0.0
    licence: str = "unknown"
    seed: int = 0


class TeacherWords(Template):
    """What a teacher is told besides the judge's prompt."""

    blocks = ("second", "oracle")

    @classmethod
    def load(cls, language: str) -> TeacherWords:
        path = FOLDER / f"teacher_{language}.jinja"
        return cls.read(path if path.exists() else FOLDER / "teacher_en.jinja")

    def second(self, wrong: Sequence[str]) -> str:
        return self._fill("second", {"wrong": wrong})

    def oracle(self, verdicts: Mapping[str, int]) -> str:
        return self._fill("oracle", {"verdicts": list(verdicts.items())})


class Teacher:
    """Asks one endpoint about pages of one prompter, whose format should be json: it alone holds
    appraisals that can be told apart."""

    def __init__(
        self, client: ChatClient, settings: TeacherSettings, prompter: Prompter, making: Making
    ) -> None:
        self.client, self.settings, self.prompter = client, settings, prompter
        self._words = TeacherWords.load(settings.language)
        self._making = making

    def key(self, page: Page) -> str:
        """The id of the annotation of a page: what its replies depend on."""
        own = self.settings.model_dump_json(include={"oracle", "tell_which", "language", "seed"})
        endpoint = self.client.endpoint
        asked = [message.text for message in page.messages]
        return digest(page.cohort, own, endpoint.model, str(endpoint.sampling), *asked)[:16]

    async def annotate(self, page: Page, row: GroupRow) -> Annotation:
        """Never raises because of what an endpoint does."""
        meter, asked = Meter(), list(page.messages)
        truth = {
            name: row.truths[one.members[0]].answer
            for name, one in page.evidence.candidates.items()
        }
        if self.settings.oracle:
            told = f"{asked[-1].text}\n\n{self._words.oracle(truth)}"
            asked[-1] = Message(role="user", text=told)
        try:
            reply = await self._ask(asked, meter)
            wrong, detail = self._wrong(reply, page, truth)
            outcome = "oracle" if self.settings.oracle else "first"
            if wrong and not self.settings.oracle:
                which = wrong if self.settings.tell_which else ()
                asked += [
                    Message(role="assistant", text=reply),
                    Message(role="user", text=self._words.second(which)),
                ]
                reply = await self._ask(asked, meter)
                wrong, detail = self._wrong(reply, page, truth)
                outcome = "second"
        except EndpointError as error:
            return self._made(page, row, meter, outcome="failed", detail=str(error))
        if not wrong and outcome != "first" and _SPEAKS_OF_THE_KEY.search(reply):
            wrong, detail = tuple(truth), "it speaks of what it was told"
        if wrong:
            return self._made(page, row, meter, outcome="wrong", reply=reply, detail=detail)
        return self._made(page, row, meter, outcome=outcome, reply=reply)

    async def _ask(self, messages: Sequence[Message], meter: Meter) -> str:
        completion = await self.client.complete(messages, seed=self.settings.seed, meter=meter)
        return completion.message.text

    def _wrong(
        self, reply: str, page: Page, truth: Mapping[str, int]
    ) -> tuple[tuple[str, ...], str]:
        """Names whose answer is not the true one or cannot be read, and what is the matter."""
        reading = self.prompter.codec.read(reply, page.shown)
        wrong = tuple(
            name
            for name, answer in truth.items()
            if name not in reading.entries or reading.entries[name].answer != answer
        )
        unread = [name for name in wrong if name not in reading.entries]
        if unread and reading.problems:
            return wrong, f"unreadable: {reading.problems[0].detail}"
        return wrong, f"{len(wrong)} of {len(truth)} answers are wrong" if wrong else ""

    def _made(
        self, page: Page, row: GroupRow, meter: Meter, *, outcome: str, reply: str = "", detail=""
    ) -> Annotation:
        spent, names = meter.usage, dict(zip(page.shown, page.members, strict=True))
        appraisals, comparison = ({}, "") if outcome in ("wrong", "failed") else spoken(reply)
        entries: dict[str, Entry] = {}
        if outcome not in ("wrong", "failed"):
            entries = self.prompter.codec.read(reply, page.shown).entries
        cost = spent.prompt_tokens * self.settings.price_in
        cost += spent.completion_tokens * self.settings.price_out
        return Annotation.model_validate(
            {
                "id": self.key(page),
                "group_id": row.id,
                "cohort": page.cohort,
                "judge": self.prompter.judge,
                "members": page.members,
                "teacher": self.client.endpoint.model,
                "outcome": outcome,
                "appraisals": {
                    names[name]: stored(text, names)
                    for name, text in appraisals.items()
                    if name in names
                },
                "comparison": stored(comparison, names),
                "defects": {names[n]: entry.defects for n, entry in entries.items()},
                "reply": reply,
                "detail": detail,
                "prompt_tokens": spent.prompt_tokens,
                "completion_tokens": spent.completion_tokens,
                "calls": spent.requests,
                "cost_usd": cost / 1e6,
                "provenance": self._making.provenance(
                    self.client.endpoint.model, self.settings.licence, row.id
                ),
            }
        )


def spoken(reply: str) -> tuple[dict[str, str], str]:
    """The appraisals and the comparison in a JSON reply; of prose, all of it as comparison."""
    for value in objects(without_thinking(reply)):
        if isinstance(value, dict) and isinstance(value.get("appraisals"), dict):
            appraisals = {k: v for k, v in value["appraisals"].items() if isinstance(v, str)}
            comparison = value.get("comparison")
            return appraisals, comparison if isinstance(comparison, str) else ""
    return {}, ""


def stored(text: str, names: Mapping[str, str]) -> str:
    """Words with trajectory ids in place of a prompt's names, which the next prompt has not."""
    for name, member in names.items():
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", quoted(member), text)
    return text
