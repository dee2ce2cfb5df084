"""`telejudge data annotate`: what a teacher says of groups, kept with tokens and cost.

    annotate_by_truth(groups, out, asked)                   # the verifier or the key as teacher
    annotate(groups, out, asked, client, TeacherSettings())

Each prompt is annotated once, in the first order of its group; rows in other orders and formats are
made from the same words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from telejudge_envs.client import ChatClient
from telejudge_envs.errors import DataError
from telejudge_envs.nouns.base import Noun
from telejudge_judges.opaque import digest
from telejudge_judges.settings import JudgeSettings
from telejudge_training.judge_data.cards import Making
from telejudge_training.judge_data.files import count_rows, read_rows, write_rows
from telejudge_training.judge_data.pages import JudgeName, Page, Prompter
from telejudge_training.judge_data.rows import Card, GroupRow, Split
from telejudge_training.judge_data.teacher import Teacher, TeacherSettings
from telejudge_training.judge_data.template_teacher import template_words
from telejudge_training.judge_data.texts import Annotation
from telejudge_training.judge_data.work import Work

OnPage = Callable[[int, int], None]


class Asked(Noun):
    """Which prompts a teacher sees. `most`: groups at most, 0 for all."""

    judge: JudgeName = "listwise"
    language: str = "en"
    budget: int = 24_000
    splits: tuple[Split, ...] = ("train", "dev")
    most: int = 0

    def prompter(self) -> Prompter:
        settings = JudgeSettings().with_({"language": self.language, "budget": self.budget})
        orders = {"orders": 1} if self.judge == "listwise" else {}
        return Prompter(self.judge, settings.with_(orders))

    def told(self) -> dict[str, object]:
        return {**self.model_dump(), "splits": ",".join(self.splits)}


def annotate_by_truth(
    groups: Sequence[Path],
    out: Path,
    asked: Asked,
    *,
    seed: int = 0,
    on_group: OnPage = lambda done, total: None,
    force: bool = False,
) -> Card:
    """The truth in the words of templates: no key, no endpoint, no cost."""
    making = Making("annotate", seed, {"teacher": "verifier", **asked.told()}, groups)
    done = making.done(out)
    if done is not None and not force:
        return done
    prompter = asked.prompter()

    def made() -> Iterator[Annotation]:
        for row, page in _pages(groups, asked, prompter, making, on_group):
            words = template_words(row, seed, page.members)
            teacher = "verifier" if any(page.shown.values()) else "key"
            licence = row.provenance.licence
            one = Annotation(
                id=digest(page.cohort, teacher, str(seed))[:16],
                group_id=row.id,
                cohort=page.cohort,
                judge=asked.judge,
                members=page.members,
                teacher=teacher,
                outcome="template",
                appraisals=words.appraisals,
                comparison=words.comparison,
                provenance=making.provenance(row.provenance.source, licence, row.id),
            )
            _count(making, one)
            yield one

    return making.finish(out, Annotation, write_rows(out, made(), Annotation))


def annotate(
    groups: Sequence[Path],
    out: Path,
    asked: Asked,
    client: ChatClient,
    settings: TeacherSettings,
    *,
    on_page: OnPage = lambda done, total: None,
    force: bool = False,
) -> Card:
    """A teacher at an endpoint. What is asked is kept at once; a restart asks for the rest."""
    own = settings.model_dump(exclude={"seed"})
    told = {"teacher": client.endpoint.model, **asked.told(), **own}
    making = Making("annotate", settings.seed, told, groups)
    done = making.done(out)
    if done is not None and not force:
        return done
    prompter = asked.prompter()
    wanted = list(_pages(groups, asked, prompter, making))
    teacher = Teacher(client, settings, prompter, making)
    keys = [teacher.key(page) for _, page in wanted]
    with Work(out, Annotation, lambda one: one.id) as work:
        failed = {key for key, one in work.known.items() if one.outcome == "failed"}
        open_ones = [
            pair for key, pair in zip(keys, wanted, strict=True)
            if key not in work.known or key in failed
        ]  # fmt: skip
        asyncio.run(_ask_all(teacher, open_ones, work, len(wanted), on_page))
    made = [work.known[key] for key in keys]
    for one in made:
        _count(making, one)
    _note_costs(making, made)
    card = making.finish(out, Annotation, write_rows(out, made, Annotation))
    if all(one.outcome != "failed" for one in made):
        work.clear()
    return card


async def _ask_all(
    teacher: Teacher,
    wanted: Sequence[tuple[GroupRow, Page]],
    work: Work[Annotation],
    total: int,
    on_page: OnPage,
) -> None:
    free = asyncio.Semaphore(2 * teacher.client.endpoint.concurrency)
    done = total - len(wanted)
    on_page(done, total)

    async def one(row: GroupRow, page: Page) -> None:
        nonlocal done
        async with free:
            work.add(await teacher.annotate(page, row))
        done += 1
        on_page(done, total)

    try:
        async with asyncio.TaskGroup() as tasks:
            for row, page in wanted:
                tasks.create_task(one(row, page))
    finally:
        await teacher.client.close()


def _pages(
    groups: Sequence[Path],
    asked: Asked,
    prompter: Prompter,
    making: Making,
    on_group: OnPage = lambda done, total: None,
) -> Iterator[tuple[GroupRow, Page]]:
    number = read = 0
    total = count_rows(groups)
    for path in groups:
        for row in read_rows(path, GroupRow):
            read += 1
            on_group(read, total)
            if row.split not in asked.splits:
                continue
            number += 1
            if asked.most and number > asked.most:
                return
            try:
                pages = prompter.pages(row.group)
            except DataError:
                making.count("left out", "over the budget")
                continue
            yield from ((row, page) for page in pages)


def _count(making: Making, one: Annotation) -> None:
    making.count("outcome", one.outcome)
    making.count("candidates", str(len(one.members)))
    making.licences[one.provenance.licence] += 1
    if one.outcome == "wrong":
        making.count("dropped because", one.detail.partition(":")[0])


def _note_costs(making: Making, made: Sequence[Annotation]) -> None:
    prompt = sum(one.prompt_tokens for one in made)
    completion = sum(one.completion_tokens for one in made)
    cost = sum(one.cost_usd for one in made)
    calls = sum(one.calls for one in made)
    making.notes.append(
        f"{calls:,} calls, {prompt:,} prompt and {completion:,} completion tokens, {cost:.4f} USD "
        "at the prices given"
    )
