"""From which candidates an update learns: deals of one task each, drawn anew for every update.

    dealer = Dealer(pools, settings, seed, growing(settings, most=8))
    dice, deals = dealer.deal(step)

Each update's dice are seeded by the seed and the update's number. What is left of them is for what
else is random in that update.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from telejudge_envs.errors import UsageError
from telejudge_judges.embedded.sheet import Encode, Sheet, sheet_of
from telejudge_judges.embedded.spec import EmbeddedSpec
from telejudge_training.embedded_judge.pools import Labelled, LabelledPool, case_from
from telejudge_training.embedded_judge.settings import LearningSettings
from telejudge_training.embedded_judge.strewing import Strewer

Deal = tuple[LabelledPool, list[Labelled]]

Size = Callable[[int, random.Random], int]
"""Candidates of the deals of an update, from its number."""

Pick = Callable[[LabelledPool, int, random.Random], list[Labelled]]
"""So many candidates of a pool."""


class Dealer:
    """`share`: by what the number of candidates is divided, because each is learned from as often.

    Raises UsageError for no pools.
    """

    def __init__(
        self,
        pools: Sequence[LabelledPool],
        settings: LearningSettings,
        seed: int,
        size: Size,
        pick: Pick = LabelledPool.deal,
        share: int = 1,
    ) -> None:
        if not pools:
            raise UsageError(f"no task has the candidates that `{settings.objective}` compares")
        self.pools, self.seed = list(pools), seed
        self._candidates = settings.candidates // share
        self._size, self._pick = size, pick

    def deal(self, step: int) -> tuple[random.Random, list[Deal]]:
        """Of three times as many deals those that are neighbours in length, so that little of the
        batch is padding; every length is as likely to be drawn as it is frequent."""
        dice = random.Random(f"{self.seed}|lessons|{step}")
        size = self._size(step, dice)
        wanted = max(1, self._candidates // size)
        pools = dice.choices(self.pools, k=3 * wanted)
        deals = [(pool, self._pick(pool, size, dice)) for pool in pools]
        deals.sort(key=lambda deal: sum(one.calls for one in deal[1]))
        start = dice.randrange(len(deals))
        return dice, [deals[(start + n) % len(deals)] for n in range(wanted)]


def growing(settings: LearningSettings, most: int) -> Size:
    """At first one or two, then up to `most`."""

    def size(step: int, dice: random.Random) -> int:
        if most == 1:
            return 1
        small = step < settings.alone * settings.steps
        return dice.choice((1, 2)) if small else dice.randint(2, most)

    return size


def several(most: int) -> Size:
    return lambda step, dice: dice.randint(min(2, most), most)


def right_and_wrong(pool: LabelledPool, size: int, dice: random.Random) -> list[Labelled]:
    """One of either in random order, whatever the size."""
    chosen = [
        dice.choice([one for one in pool.members if one.truth.answer == answer])
        for answer in (1, 0)
    ]
    dice.shuffle(chosen)
    return chosen


def unequal(pool: LabelledPool, size: int, dice: random.Random) -> list[Labelled]:
    """`size` different candidates, or all there are, not all of one reward."""
    first = dice.choice(pool.members)
    second = dice.choice([x for x in pool.members if x.truth.reward != first.truth.reward])
    others = [one for one in pool.members if one is not first and one is not second]
    return [first, second, *dice.sample(others, min(size - 2, len(others)))]


def with_answers(pools: Sequence[LabelledPool]) -> list[LabelledPool]:
    """Those with a right and a wrong candidate."""
    return [p for p in pools if {one.truth.answer for one in p.members} == {0, 1}]


def with_rewards(pools: Sequence[LabelledPool]) -> list[LabelledPool]:
    """Those in which something is better than something."""
    return [p for p in pools if len({one.truth.reward for one in p.members}) > 1]


def strewn_sheet(
    pool: LabelledPool,
    dealt: Sequence[Labelled],
    spec: EmbeddedSpec,
    encode: Encode,
    strew: Strewer,
    dice: random.Random,
) -> Sheet:
    """What is read of the candidates, with stray tokens."""
    case = case_from(pool.view, dealt, spec.kinds(pool.view.world))
    sheet = sheet_of(case, spec, encode)
    read = list(sheet.read)
    strew(read, dice)
    return sheet._replace(read=tuple(read))
