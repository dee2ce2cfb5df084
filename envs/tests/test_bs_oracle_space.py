"""The space of fault sets: complete, without forbidden pairs, each hypothesis once."""

from __future__ import annotations

import itertools

import pytest

from telejudge_envs.base_station.atoms import atoms, exclusive
from telejudge_envs.base_station.oracle.space import space_of


def compositions(without: frozenset[str], k: int) -> set[frozenset[str]]:
    """By brute force: all sets of k atoms of which no two exclude each other."""
    return {
        frozenset(chosen)
        for chosen in itertools.combinations(atoms(3, without=without), k)
        if not any(exclusive(a, b) for a, b in itertools.combinations(chosen, 2))
    }


def test_the_numbers_of_fault_sets_are_those_of_the_design() -> None:
    space = space_of(3, 4)
    assert [space.of_size(k) for k in range(5)] == [1, 57, 1_561, 27_349, 344_359]


@pytest.mark.parametrize("without", [frozenset[str](), frozenset({"S2"}), frozenset({"P1", "R4"})])
def test_every_allowed_set_is_there_once_and_no_other(without: frozenset[str]) -> None:
    space = space_of(3, 2, without)
    for k in range(3):
        first = space.upto[k - 1] if k else 0
        listed = [frozenset(space.faults(h)) for h in range(first, space.upto[k])]
        assert len(set(listed)) == len(listed)
        assert set(listed) == compositions(without, k)


def test_a_set_is_found_by_its_faults() -> None:
    space = space_of(3, 3)
    for hypothesis in (0, 1, 57, 58, 1_618, 1_619, 20_000, space.count - 1):
        assert space.only(space.faults(hypothesis)) == 1 << hypothesis


@pytest.mark.parametrize(
    "faults", [{"P1", "P2"}, {"T1", "T3"}, {"P1", "E1", "B1", "S1"}, {"X9"}, {"F1.1", "F2.1"}]
)
def test_impossible_sets_have_no_hypothesis(faults: set[str]) -> None:
    assert space_of(3, 3).only(faults) == 0
