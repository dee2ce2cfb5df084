"""From games between candidates to one strength each, between 0 and 1.

    games = [Game(0, 1, (1, 0)), Game(1, 2, (0, 0))]
    strengths(games, 3, "bradley_terry")     # [0.67, 0.07, 0.07] (rounded)
    pairings(8, limit=10, key="…")           # which pairs to play, when not all are paid for

A game's two points are 1 (right), 0 (wrong) or one half each (nothing between them).

`win_rate`: the mean of a candidate's points.
`bradley_terry`: candidates and a bar that stands for "just right" have strengths g with
P(a beats b) = g_a / (g_a + g_b). 1:0 is a win; 1:1 is a draw in which both also beat the bar, 0:0
one in which both lose to it. The result is the chance to beat the bar. A weak prior (a fifth of a
draw with the bar) keeps winners of all games finite. Fitted by minorisation-maximisation (Hunter
2004, "MM algorithms for generalized Bradley-Terry models", Annals of Statistics 32).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from telejudge_judges.opaque import orders

Aggregate = Literal["bradley_terry", "win_rate"]

PRIOR = 0.2
"""Draws with the bar that every candidate starts with."""

DIGITS = 6
"""Decimals of a strength: equal records give equal strengths, whatever the order of summation."""

_ROUNDS = 20_000
_STILL = 1e-12


class Game(NamedTuple):
    """Candidates by number, and their points."""

    first: int
    second: int
    points: tuple[float, float]


def strengths(games: Sequence[Game], size: int, aggregate: Aggregate) -> list[float | None]:
    """One strength a candidate; None for one that played no game."""
    played = {n for game in games for n in (game.first, game.second)}
    found = _win_rates(games, size) if aggregate == "win_rate" else _bradley_terry(games, size)
    return [round(found[n], DIGITS) if n in played else None for n in range(size)]


def pairings(size: int, limit: int | None, key: str) -> list[tuple[int, int]]:
    """All pairs of `size` candidates, or the first `limit` of them.

    Neighbours on a shuffled circle come first, then those two apart, and so on, and of each ring
    first every other edge: so any limit gives all candidates nearly equally many games.
    """
    circle = orders(1, size, key)[0]
    pairs: dict[tuple[int, int], None] = {}
    for distance in range(1, size // 2 + 1):
        edges = [(i, (i + distance) % size) for i in range(size)]
        half = [e for e in edges if (e[0] // distance) % 2 == 0]
        for a, b in (*half, *edges):
            one, two = sorted((circle[a], circle[b]))
            pairs[one, two] = None
    return list(pairs)[:limit]


def _win_rates(games: Sequence[Game], size: int) -> list[float]:
    points = [0.0] * size
    played = [0] * size
    for game in games:
        for number, got in zip((game.first, game.second), game.points, strict=True):
            points[number] += got
            played[number] += 1
    return [p / n if n else 0.0 for p, n in zip(points, played, strict=True)]


def _bradley_terry(games: Sequence[Game], size: int) -> list[float]:
    bar = size
    met = [[0.0] * (size + 1) for _ in range(size + 1)]
    wins = [0.0] * (size + 1)

    def play(a: int, b: int, share: float, weight: float = 1.0) -> None:
        met[a][b] += weight
        met[b][a] += weight
        wins[a] += weight * share
        wins[b] += weight * (1.0 - share)

    for number in range(size):
        play(number, bar, 0.5, PRIOR)
    for first, second, (one, two) in games:
        play(first, second, 0.5 + (one - two) / 2)
        if one == two and one in (0, 1):
            play(first, bar, one)
            play(second, bar, one)
    g = [1.0] * (size + 1)
    for _ in range(_ROUNDS):
        new = [
            wins[a] / sum(met[a][b] / (g[a] + g[b]) for b in range(size + 1) if met[a][b])
            for a in range(size)
        ]
        moved = max((abs(n - old) / (n + old) for n, old in zip(new, g, strict=False)), default=0)
        g[:size] = new
        if moved < _STILL:
            break
    return [g[n] / (g[n] + 1.0) for n in range(size)]
