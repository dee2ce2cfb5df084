"""A base measurement from beginning to end; killed and called again, it goes on where it was.

    result = measure(speaker, Data(teleqna=Path("TeleQnA.zip")), settings, Path("base/small"))

The folder holds `settings.json`, `items.jsonl` (replies too), the episodes, and `result.json`
(numbers and ids alone). Raises UsageError when it holds a measurement with other settings.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from telejudge_envs.client import ChatClient
from telejudge_envs.errors import UsageError
from telejudge_envs.protocol import World
from telejudge_envs.store import Store
from telejudge_envs.teleqna import Question, read_all
from telejudge_envs.teleqna_choice import askable
from telejudge_eval.base import episodes, questions
from telejudge_eval.base.questions import SHORT_TOKENS, Tell, drawn
from telejudge_eval.base.records import BaseResult, Item, Section
from telejudge_eval.base.settings import BaseSettings
from telejudge_eval.base.speakers import Speaker
from telejudge_judges.briefing import WorldBriefings
from telejudge_judges.pointwise import PointwiseJudge
from telejudge_judges.protocol import Judge
from telejudge_judges.reference import by_task
from telejudge_training.judge_data.problems import Problem, our_problems, read_problems

PROMPT = Path(__file__).with_name("open_answer.jinja")
OPEN = ("teleqna_open", f"teleqna_open_{SHORT_TOKENS}")
TITLES = {
    "teleqna": "TeleQnA, multiple choice",
    "teleqna_shuffled": "TeleQnA, options shuffled",
    "teleqna_open": "TeleQnA, open answer",
    f"teleqna_open_{SHORT_TOKENS}": f"TeleQnA, open answer in {SHORT_TOKENS} tokens",
    "telemath": "numeric problems (TeleMath's form)",
    "tau2": "τ2 Telecom, solo",
    "base_station": "base stations, solo",
}


@dataclass(frozen=True)
class Data:
    """What is asked. Without `teleqna`, or a judge, their sections are left out and say so."""

    teleqna: Path | None = None
    problems: Path | None = None
    """None: the dozen that ships with telejudge."""
    judge: ChatClient | None = None
    judge_prompt: Path | None = None
    """None: open_answer.jinja."""


def measure(
    speaker: Speaker,
    data: Data,
    settings: BaseSettings,
    out: Path,
    *,
    concurrency: int = 4,
    on_progress: Tell = lambda section, done, total: None,
) -> BaseResult:
    """Every section of TITLES; `concurrency` is of questions, episodes are played one by one."""
    out.mkdir(parents=True, exist_ok=True)
    told = _settings(speaker, data, settings)
    _agree(out / "settings.json", told)
    asked = askable(read_all(data.teleqna)) if data.teleqna else ()
    sections: list[Section] = []
    with Store(out / "items.jsonl", Item) as store:
        for name in TITLES:
            items: Sequence[Item] = ()
            missing = _missing(name, data, settings)
            if not missing and name in episodes.WORLDS:
                played = episodes.play(name, speaker, settings, out / f"{name}.jsonl", on_progress)
                items = asyncio.run(played)
            elif not missing:
                work = _work(name, speaker, data, settings, asked)
                items = asyncio.run(_finish(name, work, store, concurrency, on_progress))
            sections.append(_section(name, settings, items, missing))
    result = BaseResult(
        model=speaker.name,
        how=speaker.how,
        settings=told,
        versions=speaker.versions,
        sections=tuple(sections),
    )
    (out / "result.json").write_text(result.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return result


def _missing(name: str, data: Data, settings: BaseSettings) -> str:
    """Why a section is not measured; empty when it is."""
    wanted = {
        "teleqna": settings.choices,
        "teleqna_shuffled": settings.choices,
        "telemath": settings.problems,
        "tau2": settings.tau2,
        "base_station": settings.base_station,
    }.get(name, settings.open)
    if not wanted:
        return "not asked for"
    if name.startswith("teleqna") and data.teleqna is None:
        return "no TeleQnA file was given"
    return "no judge was given" if name in OPEN and data.judge is None else ""


def _work(
    name: str, speaker: Speaker, data: Data, settings: BaseSettings, asked: Sequence[Question]
) -> dict[str, Callable[[], Awaitable[Item]]]:
    """What is to be asked, by the items' ids."""
    seed, pool = settings.seed, [q for q in asked if q.part == "test"]
    if name == "telemath":
        source = _source(data)
        return {
            f"{source}-{n}": partial(questions.solve, speaker, problem, f"{source}-{n}", settings)
            for n, problem in drawn(_problems(data), settings.problems, seed, "problems")
        }
    if name in OPEN:
        chosen = drawn([q for q in pool if not q.flaw], settings.open, seed, "open")
        judge = _judge(data, chosen, seed)
        return {
            q.id: partial(questions.answer_openly, speaker, judge, q, name, settings)
            for q in chosen
        }
    shuffled = seed if name == "teleqna_shuffled" else None
    return {
        q.id: partial(questions.choose, speaker, q, name, shuffled)
        for q in drawn(pool, settings.choices, seed, "choices")
    }


def _problems(data: Data) -> list[tuple[int, Problem]]:
    problems = our_problems() if data.problems is None else read_problems(data.problems)
    return list(enumerate(problems))


def _source(data: Data) -> str:
    return "own" if data.problems is None else data.problems.stem


def _judge(data: Data, chosen: Sequence[Question], seed: int) -> Judge:
    """A pointwise judge that sees the key and may use it where the answer leaves doubt."""

    def no_world(name: str) -> World:
        raise UsageError(f"questions have no world: {name}")

    assert data.judge is not None
    return PointwiseJudge(
        data.judge,
        seed=seed,
        briefings=WorldBriefings(no_world),
        references=by_task({q.id: q.right for q in chosen}),
        reference_mode="if_unsure",
        prompt_path=data.judge_prompt or PROMPT,
    )


async def _finish(
    name: str,
    work: dict[str, Callable[[], Awaitable[Item]]],
    store: Store[Item],
    concurrency: int,
    on_progress: Tell,
) -> list[Item]:
    """Items in the order of `work`; those in the store that have a score are not done again."""
    known = {i.id: i for i in store.read() if i.section == name and i.score is not None}
    done = len(known.keys() & work.keys())
    free = asyncio.Semaphore(concurrency)

    async def one(item_id: str) -> Item:
        nonlocal done
        if item_id not in known:
            async with free:
                known[item_id] = await work[item_id]()
            store.append(known[item_id])
            done += 1
            on_progress(name, done, len(work))
        return known[item_id]

    return await asyncio.gather(*map(one, work))


def _section(
    name: str, settings: BaseSettings, items: Sequence[Item], left_out: str = ""
) -> Section:
    kept = tuple(item.model_copy(update={"reply": ""}) for item in items)
    return Section(
        name=name, title=TITLES[name], sample=_sample(name, settings), items=kept, left_out=left_out
    )


def _sample(name: str, settings: BaseSettings) -> str:
    """How the items were drawn and asked, in words."""
    seed = f"seed {settings.seed}"
    if name.startswith("teleqna"):
        return f"drawn from telejudge's test fifth of TeleQnA, {seed}"
    if name == "telemath":
        replies = "one greedy reply" if settings.samples == 1 else f"{settings.samples} replies"
        return f"{replies} of at most {settings.problem_tokens} tokens, {seed}"
    return f"drawn from the test split, {seed}; at most {settings.max_steps} messages of the agent"


def _settings(speaker: Speaker, data: Data, settings: BaseSettings) -> dict[str, Any]:
    return {
        **settings.model_dump(mode="json"),
        "model": speaker.name,
        "problems_from": _source(data),
        "judge": None if data.judge is None else f"pointwise, {data.judge.endpoint.model}",
        "judge_prompt": (data.judge_prompt or PROMPT).name,
        "reference_mode": "if_unsure",
    }


def _agree(path: Path, told: dict[str, Any]) -> None:
    if not path.is_file():
        path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        return
    known = json.loads(path.read_text(encoding="utf-8"))
    others = [k for k in {*known, *told} if known.get(k) != told.get(k)]
    if others:
        raise UsageError(
            f"{path.parent} holds a measurement with other {', '.join(sorted(others))}; "
            "take another --out, or the same settings to go on"
        )
