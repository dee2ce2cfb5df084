"""The policy text agrees with the tables that it speaks of."""

from __future__ import annotations

import re

import pytest

from telejudge_envs.base_station.faults import FAULTS
from telejudge_envs.base_station.policy import policy_text
from telejudge_envs.base_station.rules.check import RULES
from telejudge_envs.nouns.base import Mode

MODES: tuple[Mode, ...] = ("solo", "dual")


@pytest.mark.parametrize("mode", MODES)
def test_every_fault_class_has_its_object_and_team(mode: Mode) -> None:
    rows = re.findall(r"^\| (\w+) \| (\S+) \| (\w+) \|$", policy_text(mode), re.M)
    told = {slug: (shape, team) for slug, shape, team in rows if slug != "class"}
    assert told == {f.slug: (_shape(f.suffix, f.sector), f.team) for f in FAULTS.values()}


def _shape(suffix: str, sector: bool) -> str:
    return "H-P0" if suffix == "H0" else f"S-{suffix}{'n' if sector else ''}"


@pytest.mark.parametrize("mode", MODES)
def test_all_rules_are_stated_in_order(mode: Mode) -> None:
    numbers = re.findall(r"^(\d+)\. \*\*", policy_text(mode), re.M)
    assert [int(n) for n in numbers] == list(RULES)


@pytest.mark.parametrize("mode", MODES)
def test_it_is_short_enough_for_a_prompt_and_free_of_marks(mode: Mode) -> None:
    text = policy_text(mode)
    assert len(text) <= 9000
    assert "<!--" not in text


def test_each_mode_is_told_who_holds_the_field_tools() -> None:
    assert "You work alone" in policy_text("solo")
    assert "You work alone" not in policy_text("dual")
    assert "A field technician talks to you" in policy_text("dual")
    assert "A field technician talks to you" not in policy_text("solo")
