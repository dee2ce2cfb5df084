"""Chances that k episodes of a task succeed, from n recorded ones of which c did.

    drawn(8, 6, 2)       # 0.536  pass^k: k drawn from the n all succeed
    powered(8, 6, 2)     # 0.562  pass^k, the other convention
    at_least_one(8, 6, 2)  # 0.964  pass@k

| name | of one task | then | |
|---|---|---|---|
| pass^k | C(c, k) / C(n, k) | mean over tasks | unbiased (arXiv:2406.12045; tau2's own code) |
| (c/n)^k | (c / n)^k | mean over tasks | biased upwards for k > 1: p^k is convex, c/n varies |
| pass@k | 1 - C(n-c, k) / C(n, k) | mean over tasks | unbiased (arXiv:2107.03374) |

All three are c/n for k = 1. For k > n none is given: nothing is extrapolated.
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb

Estimate = Callable[[int, int, int], float | None]
"""n episodes, c successes, k to the estimate; None where it does not exist."""


def drawn(n: int, c: int, k: int) -> float | None:
    """pass^k without bias: the share of the C(n, k) choices of k episodes that all succeeded."""
    _check(n, c, k)
    return comb(c, k) / comb(n, k) if k <= n else None


def powered(n: int, c: int, k: int) -> float | None:
    """pass^k as the power of the success rate."""
    _check(n, c, k)
    return (c / n) ** k if k <= n else None


def at_least_one(n: int, c: int, k: int) -> float | None:
    """pass@k without bias: the share of the choices of k episodes with a success among them."""
    _check(n, c, k)
    return 1 - comb(n - c, k) / comb(n, k) if k <= n else None


def _check(n: int, c: int, k: int) -> None:
    if not (0 <= c <= n and k >= 1):
        raise ValueError(f"need 0 <= c <= n and k >= 1, got n={n}, c={c}, k={k}")
