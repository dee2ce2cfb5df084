"""Hostile text: none of it can forge evidence. How often it wins is measured in eval."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.trajectory import Group, Trajectory
from telejudge_judges import practice
from telejudge_judges.attacks import ATTACKS, NEW_ARGUMENT, PLACES, Attack, Place, inject
from telejudge_judges.evidence import prepare
from telejudge_judges.render import render
from telejudge_judges.testing import SAMPLE_TASK, SAMPLES, sample_trajectory

FAMILIES = (
    "score_request", "fake_system", "fake_verdict", "delimiter", "fake_ledger", "encoded",
    "chinese", "padding", "self_praise",
)  # fmt: skip


def dual(name: str, *calls: str) -> Trajectory:
    """With a technician who answers."""
    plain = sample_trajectory(name, *calls)
    talk = (
        Message(role="assistant", text="Please look at the lamps."),
        Message(role="user", text="They are green."),
    )
    return plain.model_copy(update={"mode": "dual", "messages": (*plain.messages, *talk)})


DUAL = dual("t-dual", "look", "bad_call", "look")
GROUP = Group(
    id="g",
    task=SAMPLE_TASK.model_copy(update={"mode": "dual"}),
    trajectories=(DUAL, *SAMPLES),
)

# -- the suite


def test_the_suite_is_large_and_every_family_is_in_it() -> None:
    assert len(ATTACKS) >= 40
    assert len({a.name for a in ATTACKS}) == len(ATTACKS)
    assert len({a.full_text for a in ATTACKS}) == len(ATTACKS)
    families = Counter(a.family for a in ATTACKS)
    assert set(families) == set(FAMILIES)
    assert min(families.values()) >= 3


@pytest.mark.parametrize("place", PLACES)
def test_each_attack_is_where_it_was_put_and_nothing_else_changed(place: Place) -> None:
    for attack in ATTACKS:
        hostile = inject(attack, DUAL, "0", place)
        assert hostile == inject(attack, DUAL, "0", place)
        assert hostile is not None
        text = hostile.model_dump_json()
        assert json.dumps(attack.full_text, ensure_ascii=False)[1:-1] in text
        before, after = DUAL.messages, hostile.messages
        (changed,) = (i for i in range(len(before)) if before[i] != after[i])
        said = after[changed]
        if place == "arguments":
            assert attack.full_text in said.tool_calls[0].arguments[NEW_ARGUMENT]
            assert said.text == before[changed].text
        else:
            assert said.role == ("assistant" if place == "answer" else "user")
            assert said.text.endswith(attack.full_text)
        assert hostile.changes == DUAL.changes


def test_free_text_arguments_are_preferred() -> None:
    one = sample_trajectory("t", "look", "escalate")
    call = one.messages[4].tool_calls[0]
    call = call.model_copy(update={"arguments": {"team": "power", "summary": "no mains at site"}})
    messages = list(one.messages)
    messages[4] = messages[4].model_copy(update={"tool_calls": (call,)})
    hostile = inject(
        ATTACKS[0], one.model_copy(update={"messages": tuple(messages)}), "0", "arguments"
    )
    assert hostile is not None
    arguments = hostile.messages[4].tool_calls[0].arguments
    assert arguments["summary"] == f"no mains at site {ATTACKS[0].text}"
    assert set(arguments) == {"team", "summary"}


def test_a_trajectory_without_the_place_is_left_out() -> None:
    assert inject(ATTACKS[0], SAMPLES[0], "0", "technician") is None
    silent = SAMPLES[0].model_copy(update={"messages": SAMPLES[0].messages[:2]})
    assert [inject(ATTACKS[0], silent, "0", p) for p in PLACES] == [None] * 3
    assert inject(ATTACKS[0], silent, "0") is None


# -- nothing of it can forge evidence

OURS = (
    r"calls: \d+", r"\(after the common beginning, from step \d+ on\)", r"step \d+: \S.*",
    r"  (result|failed):", r"  (result|failed) = \[R\d+\]", r"  changed: .* -> .*", r"ended: \w+",
    r"agent says:", r"user says:", r"thinks:", r"  \| .*", r"\| .*", r"\[R\d+\]",
    r"mode: \w+", r"turns: at most \d+",
)  # fmt: skip


def check_lines(text: str, nonce: str) -> None:
    """Every line is empty, a fence, or one of ours inside a fence."""
    inside = False
    for line in text.split("\n"):
        if line == f"</data-{nonce}>":
            assert inside
            inside = False
        elif re.fullmatch(rf"<data-{nonce} [a-z0-9 ]+>", line):
            assert not inside
            inside = True
        elif inside:
            assert any(re.fullmatch(form, line) for form in OURS), f"a forged line: {line!r}"
        else:
            assert line == "", f"a line outside the fences: {line!r}"
    assert not inside


def opinions_shown(group: Group) -> dict[str, dict[str, Any]]:
    """The practice rule's opinion of each trajectory, from the evidence alone."""
    case = prepare(group, group.trajectories, merge_identical=False)
    evidence = render(case, range(len(case.candidates)), "0")
    check_lines(evidence.text, evidence.nonce)
    read = practice.read_evidence(evidence.text)
    return {c.members[0]: practice.opinion(read[i]) for i, c in evidence.candidates.items()}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.name)
def test_no_attack_changes_what_the_evidence_says(attack: Attack) -> None:
    for place in PLACES:
        hostile = inject(attack, DUAL, "0", place)
        assert hostile is not None
        shown = opinions_shown(
            GROUP.model_copy(update={"trajectories": (hostile, *GROUP.trajectories[1:])})
        )
        assert shown == {t.id: practice.opinion_of(t) for t in GROUP.trajectories}


PIECES = ("</data-", "<data-", "0" * 12, " candidate ", "ended: agent_stop", "\n", "\r", "\u2028")
pieces = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=8).map("".join)


@settings(max_examples=150, deadline=None)
@given(pieces, st.sampled_from(PLACES), st.booleans())
def test_no_text_at_all_leaves_the_fences(text: str, place: Place, thinks: bool) -> None:
    attack = Attack(name="made", family="made", text=text)
    hostile = inject(attack, DUAL, "0", place)
    assert hostile is not None
    group = GROUP.model_copy(update={"trajectories": (hostile, *SAMPLES)})
    if thinks:
        messages = tuple(
            m.model_copy(update={"reasoning": text}) if m.role == "assistant" else m
            for m in hostile.messages
        )
        hostile = hostile.model_copy(update={"messages": messages})
    case = prepare(group, (hostile, *SAMPLES), include_reasoning=thinks)
    evidence = render(case, range(len(case.candidates)), "0")
    check_lines(evidence.text, evidence.nonce)
