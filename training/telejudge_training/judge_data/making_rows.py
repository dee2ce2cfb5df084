"""`telejudge data rows`: groups in, rows for one kind of trainer out.

write_judge_rows(groups, out, JudgeRows(judge="listwise", codec="boxed"))
write_reward_rows(groups, out, RewardSettings(what="pairs"))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from telejudge_envs.nouns.base import Noun
from telejudge_judges.settings import JudgeSettings
from telejudge_training.judge_data.ablations import one_against_one
from telejudge_training.judge_data.annotations import read_words
from telejudge_training.judge_data.cards import Making
from telejudge_training.judge_data.files import count_rows, read_rows, write_rows
from telejudge_training.judge_data.forms import FORMS
from telejudge_training.judge_data.judge_rows import RowMaker
from telejudge_training.judge_data.reward_rows import RewardRows
from telejudge_training.judge_data.rows import Card, GroupRow, JudgeRow, PairRow, RankedRow

OnGroup = Callable[[int, int], None]


class RowSettings(Noun):
    """What rows to make. `splits`: of the groups. `most_tokens`: longer rows are left out and
    counted; 0 keeps all. `prompt`: a template in place of the shipped one. `form`: rows, chat or
    alpaca (see forms.py; for judge rows only)."""

    what: Literal["listwise", "pointwise", "pairs", "ranked"] = "listwise"
    codec: str = "json"
    language: str = "en"
    prompt: Path | None = None
    orders: int = 2
    budget: int = 24_000
    words: bool = True
    replies: bool = True
    only_annotated: bool = False
    one_against_one: bool = False
    include_reserved: bool = True
    splits: tuple[str, ...] = ("train", "dev", "test")
    worlds: tuple[str, ...] = ()
    pairs: int = 4
    most_tokens: int = 0
    form: str = "rows"
    seed: int = 0

    def judge(self) -> JudgeSettings:
        changes = {"codec": self.codec, "language": self.language, "budget": self.budget}
        changes |= {"prompt": self.prompt}
        own = {"orders": self.orders} if self.what == "listwise" else {}
        return JudgeSettings().with_({**changes, **own})


def write_judge_data(
    groups: Sequence[Path],
    out: Path,
    settings: RowSettings,
    *,
    annotations: Path | None = None,
    on_group: OnGroup = lambda done, total: None,
    force: bool = False,
) -> Card:
    """Write the rows and their card; a file that these very settings have made is left as it is."""
    told = {
        name: ",".join(value) if isinstance(value, tuple) else value
        for name, value in settings.model_dump(exclude={"seed", "prompt"}).items()
    }
    options = (("annotations", annotations), ("prompt", settings.prompt))
    making = Making("rows", settings.seed, told, groups, options)
    done = making.done(out)
    if done is not None and not force:
        return done
    chosen = _chosen(groups, settings, making, on_group)
    noun, rows = _rows(chosen, settings, making, annotations)
    if settings.form != "rows" and noun is JudgeRow:
        noun, change = FORMS[settings.form]
        rows = map(change, rows)  # pyright: ignore[reportArgumentType]
    return making.finish(out, noun, write_rows(out, rows, noun))


def _chosen(
    groups: Sequence[Path], settings: RowSettings, making: Making, on_group: OnGroup
) -> Iterator[GroupRow]:
    number, total = 0, count_rows(groups)
    for path in groups:
        for row in read_rows(path, GroupRow):
            number += 1
            on_group(number, total)
            if row.split not in settings.splits:
                continue
            if settings.worlds and row.group.task.world not in settings.worlds:
                continue
            if row.reserved and not settings.include_reserved:
                making.count("left out", "reserved")
                continue
            kept = one_against_one(row, settings.seed) if settings.one_against_one else row
            if kept is None:
                making.count("left out", "not one right and one wrong")
                continue
            yield kept


def _rows(
    chosen: Iterable[GroupRow], settings: RowSettings, making: Making, annotations: Path | None
) -> tuple[type[Noun], Iterator[Noun]]:
    if settings.what in ("pairs", "ranked"):
        maker = RewardRows(settings.judge(), making, settings.pairs, settings.seed)
        if settings.what == "pairs":
            return PairRow, (pair for row in chosen for pair in maker.pairs(row))
        found = (maker.ranked(row) for row in chosen)
        return RankedRow, (row for row in found if row is not None)
    words = read_words(annotations, settings.what) if annotations else {}
    judge = RowMaker(
        settings.what,
        settings.judge(),
        making,
        words=words,
        only_annotated=settings.only_annotated,
        with_words=settings.words,
        replies=settings.replies,
        seed=settings.seed,
    )
    return JudgeRow, _short(
        (row for group in chosen for row in judge.rows(group)), settings.most_tokens, making
    )


def _short(rows: Iterable[JudgeRow], most: int, making: Making) -> Iterator[JudgeRow]:
    sizes = Counter[str]()
    for row in rows:
        if most and row.tokens > most:
            making.count("left out", f"more than {most} tokens")
            continue
        sizes[f"up to {-(-row.tokens // 2000) * 2000:,} tokens"] += 1
        yield row
    making.counts["length"] = sizes
