"""Full garbage collections while many episodes are under way."""

from __future__ import annotations

import gc
import weakref

import pytest

from telejudge_agents.garbage import MANY, SHIFTS, seldom


class Cycle:
    def __init__(self) -> None:
        self.me = self


def test_cycles_go_when_enough_episodes_are_over() -> None:
    with seldom(MANY) as ended:
        gone = weakref.ref(Cycle())
        for _ in range(SHIFTS * MANY - 1):
            ended()
        assert gone() is not None
        ended()
        assert gone() is None


def test_two_runs_at_once_leave_python_as_it_was() -> None:
    before = gc.get_threshold(), gc.get_freeze_count()
    first, second = seldom(MANY), seldom(MANY)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    assert (gc.get_threshold(), gc.get_freeze_count()) == before


@pytest.mark.parametrize("places", [1, MANY - 1, MANY])
def test_python_collects_as_before_when_the_run_is_over(places: int) -> None:
    before = gc.get_threshold(), gc.get_freeze_count()
    try:
        with seldom(places) as ended:
            ended()
            assert (gc.get_threshold() == before[0]) == (places < MANY)
            raise InterruptedError
    except InterruptedError:
        pass
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
