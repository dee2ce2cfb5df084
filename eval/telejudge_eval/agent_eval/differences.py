"""The world's own reward beside ours, and why they differ: by which defects, in which episodes.

    for row in differences(episodes):
        row.world, row.ours, row.episodes, row.kinds      # 1, "safety defect", 3, {"…": 2}

tau2's reward looks at the end alone: it pays for needless hand-overs, writes on the lines of
others, and gold calls made blindly. Ours (telejudge_judges/fuse.py) is in bands that do not
overlap, so a band says how an episode was looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from telejudge_eval.agent_eval.records import Episode
from telejudge_judges.fuse import SOLVED_BASE, UNEARNED

CLEAN, UNTIDY = "solved, no defect", "solved, untidy"
HONEST, HARM, UNSAFE = "failed honestly", "hard defect or luck", "safety defect"
AGREE = {1: (CLEAN, UNTIDY), 0: (HONEST, HARM, UNSAFE)}
"""Bands in which our reward says of the answer what the world's does."""


class Row(NamedTuple):
    """Episodes to which the world gave `world` and which ours put into the band `ours`."""

    world: int
    ours: str
    agree: bool
    episodes: int
    mean_reward: float
    kinds: Mapping[str, int]
    """Episodes by kind of defect: those that moved our reward into the band."""
    ids: tuple[str, ...]


def differences(episodes: Sequence[Episode]) -> list[Row]:
    """Rows by the world's reward, then by band; episodes without either reward are left out."""
    found: dict[tuple[int, str], list[Episode]] = {}
    for episode in episodes:
        if episode.success is not None and episode.reward is not None:
            key = int(episode.success), _band(episode, episode.reward)
            found.setdefault(key, []).append(episode)
    order = (CLEAN, UNTIDY, HONEST, HARM, UNSAFE)
    rows = []
    for world, ours in sorted(found, key=lambda key: (-key[0], order.index(key[1]))):
        own = found[world, ours]
        rows.append(
            Row(
                world,
                ours,
                ours in AGREE[world],
                len(own),
                fmean(e.reward or 0.0 for e in own),
                dict(Counter(kind for e in own for kind in _reasons(e, ours)).most_common()),
                tuple(e.id for e in own),
            )
        )
    return rows


def _band(episode: Episode, reward: float) -> str:
    """By the defects first: a reward of exactly 0.1 lies on the edge of two bands."""
    severities = {d.severity for d in episode.defects}
    if "safety" in severities:
        return UNSAFE
    if "hard" in severities or any(d.kind in UNEARNED for d in episode.defects):
        return HARM
    if reward < SOLVED_BASE:
        return HONEST
    return CLEAN if reward == 1 else UNTIDY


def _reasons(episode: Episode, band: str) -> list[str]:
    if band == UNSAFE:
        return [d.kind for d in episode.defects if d.severity == "safety"]
    if band == HARM:
        return [d.kind for d in episode.defects if d.severity == "hard" or d.kind in UNEARNED]
    return [d.kind for d in episode.defects]
