"""A group that is too long for one prompt, in windows that overlap.

In: an order of candidates, those that every window shows, and a test of what fits. Out: windows.

    windows((3, 0, 2, 1), shared={2}, fits=lambda window: len(window) <= 3)
    -> [(3, 0, 2), (2, 1)]

Every candidate is in a window, and the shared ones are in all: the same yardstick in each, so that
scores given in different windows mean the same, and a judge for whom they do not is seen, because
his verdicts on the shared ones differ. Scores are absolute (0 or 1, 0 to 1): merging is counting.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence

Window = tuple[int, ...]

FLOORS = (250, 60, 0)
"""Characters to which texts may be shortened in a window of several candidates, tried in turn: a
group is rather split than shown without its texts."""


def windows(
    order: Sequence[int], shared: Collection[int], fits: Callable[[Window], bool]
) -> list[Window] | None:
    """As few windows as possible, equally filled, each in the order given; None when not even two
    candidates fit beside the shared ones."""
    others = [i for i in order if i not in shared]
    for count in range(1, max(1, len(others)) + 1):
        parts = [set(part) | set(shared) for part in _parts(others, count)]
        found = [tuple(i for i in order if i in part) for part in parts]
        if all(map(fits, found)):
            return found
    return None


def yardstick(order: Sequence[int], tokens: Mapping[int, int]) -> frozenset[int]:
    """The candidate that all windows share when the caller gave no anchors: of those in the shorter
    half the one that stands nearest to the middle. `tokens`: sizes of those that fit alone."""
    if not tokens:
        return frozenset()
    half = sorted(tokens.values())[(len(tokens) - 1) // 2]
    short = [i for i in order if tokens.get(i, half + 1) <= half]
    return frozenset({min(short, key=lambda i: abs(2 * order.index(i) - len(order) + 1))})


def _parts(items: Sequence[int], count: int) -> list[Sequence[int]]:
    """`count` parts of neighbours whose sizes differ by one at most."""
    borders = [round(i * len(items) / count) for i in range(count + 1)]
    return [items[a:b] for a, b in itertools.pairwise(borders)]
