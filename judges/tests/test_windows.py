"""Groups that are too long for one prompt: nothing dropped, everybody judged, differences kept."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from listwise_harness import assert_right, judge_at, judged, run

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.nouns.trajectory import Change, Trajectory
from telejudge_judges import practice
from telejudge_judges.evidence import prepare
from telejudge_judges.render import OverBudget, render
from telejudge_judges.testing import sample_group, sample_trajectory
from telejudge_judges.windows import windows, yardstick

# -- the plan


@given(
    st.permutations(range(9)).flatmap(lambda p: st.integers(1, 9).map(lambda n: tuple(p[:n]))),
    st.integers(1, 9),
    st.integers(0, 2),
)
def test_windows_cover_everybody_share_the_yardstick_and_keep_the_order(
    order: tuple[int, ...], room: int, shared_count: int
) -> None:
    shared = frozenset(order[:shared_count])
    found = windows(order, shared, lambda window: len(window) <= room)
    needed = min(len(order), len(shared) + 1)
    if room < needed:
        assert found is None
        return
    assert found is not None
    assert {i for window in found for i in window} == set(order)
    for window in found:
        assert len(window) <= room
        assert shared <= set(window)
        assert list(window) == [i for i in order if i in set(window)]
    others = [i for window in found for i in window if i not in shared]
    assert sorted(others) == sorted(set(others)), "only the shared ones are shown twice"


def test_a_group_that_fits_is_one_window() -> None:
    assert windows((3, 0, 2, 1), {2}, lambda w: len(w) <= 3) == [(3, 0, 2), (2, 1)]
    assert windows((0, 1), {1}, lambda w: True) == [(0, 1)]


def test_the_yardstick_is_short_and_in_the_middle() -> None:
    assert yardstick((4, 5, 6), dict.fromkeys((4, 5, 6), 9)) == {5}
    assert yardstick((4, 5, 6), {4: 1, 5: 9, 6: 3}) == {4}
    assert yardstick((4, 5, 6), {6: 9}) == {6}
    assert yardstick((4, 5, 6), {}) == frozenset()


# -- the judge


def rambling(n: int, steps: int = 4, size: int = 150) -> Trajectory:
    """Reads with long results that differ between trajectories in one place; `n` calls fail."""
    plain = sample_trajectory(f"t{n}", "fix_apn")
    turns = []
    for i in range(steps + n):
        call = ToolCall(id=f"r{i}", name="read", arguments={"n": i})
        text = "lorem ipsum " * size + f"value={n}.{i} " + "dolor sit " * size
        turns += [
            Message(role="assistant", tool_calls=(call,)),
            Message(role="tool", text=text, tool_call_id=call.id, error=i < n % 3),
        ]
    return plain.model_copy(update={"messages": (*plain.messages, *turns)})


GROUP = sample_group(*(rambling(n) for n in range(7)))


@pytest.mark.parametrize("budget", [4_000, 2_500, 1_500])
def test_a_long_group_is_judged_in_windows_and_every_step_is_shown(budget: int) -> None:
    with fake.FakeEndpoint(practice.answer) as server:
        verdict = run(judge_at(server, budget_tokens=budget), GROUP)
    for mine, one in zip(verdict.verdicts, GROUP.trajectories, strict=True):
        assert_right(mine, one)
    assert any("windows that share 1 of 7 candidates, 0 alone" in note for note in verdict.notes)
    shown: dict[int, int] = {}
    for request in server.requests:
        seen = practice.read_evidence(fake.texts(request)[0])
        assert 2 <= len(seen) < 7
        for candidate in seen.values():
            shown[len(candidate.calls)] = shown.get(len(candidate.calls), 0) + 1
    assert sorted(shown) == [5 + n for n in range(7)], "a step was dropped"
    assert min(shown.values()) >= 2, "each candidate is judged in both orders"
    assert max(shown.values()) > 2, "the shared one is seen in every window"


def test_texts_are_not_crushed_while_windows_can_help() -> None:
    with fake.FakeEndpoint(practice.answer) as server:
        run(judge_at(server, budget_tokens=4_000), GROUP)
    for request in server.requests:
        text = fake.texts(request)[0]
        assert len(re.findall(r"value=\d\.\d", text)) >= sum(
            min(len(s.calls) - 1, 9) for s in practice.read_evidence(text).values()
        ), "the places where results differ must stay visible"


def test_what_fits_nowhere_is_over_budget_and_the_others_are_judged() -> None:
    long = rambling(8, steps=60, size=20)
    verdict = judged(practice.answer, sample_group(*GROUP.trajectories, long), budget_tokens=1_100)
    for mine, one in zip(verdict.verdicts[:-1], GROUP.trajectories, strict=True):
        assert_right(mine, one)
    assert verdict.verdicts[-1].abstained == "over_budget"


def test_windows_are_the_same_for_the_same_group() -> None:
    prompts = []
    for group in (GROUP, sample_group(*reversed(GROUP.trajectories))):
        with fake.FakeEndpoint(practice.answer) as server:
            run(judge_at(server, budget_tokens=2_500), group)
        prompts.append({str(request["messages"]) for request in server.requests})
    assert prompts[0] == prompts[1]


# -- differences


words = st.text(st.sampled_from("ab \n\r\t\u2028\x00|<>/"), max_size=6) | st.sampled_from(
    ["x" * 500, "x" * 499 + "y", "lorem " * 90]
)


@st.composite
def trajectories(draw: st.DrawFn) -> Trajectory:
    plain = sample_trajectory("t")
    turns: list[Message] = []
    changes: list[Change] = []
    for i in range(draw(st.integers(0, 3))):
        call = ToolCall(id=f"c{i}", name="read", arguments={"n": draw(words)})
        turns.append(Message(role="assistant", text=draw(words), tool_calls=(call,)))
        turns.append(
            Message(role="tool", text=draw(words), tool_call_id=call.id, error=draw(st.booleans()))
        )
        if draw(st.booleans()):
            changes.append(Change(path="device.x", before=0, after=draw(words), call_id=call.id))
    stop: Any = draw(st.sampled_from(["agent_stop", "max_steps"]))
    return plain.model_copy(
        update={"messages": (*plain.messages, *turns), "changes": tuple(changes), "stop": stop}
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(trajectories(), min_size=2, max_size=3), st.integers(150, 3_000))
def test_candidates_that_differ_never_look_the_same(made: list[Trajectory], budget: int) -> None:
    named = [t.model_copy(update={"id": f"t{i}"}) for i, t in enumerate(made)]
    case = prepare(sample_group(*named), named)
    try:
        evidence = render(case, range(len(case.candidates)), "0", budget_tokens=budget)
    except OverBudget:
        return
    parts = evidence.text.split(f"<data-{evidence.nonce} candidate ")[1:]
    bodies = [part.split(">\n", 1)[1] for part in parts]
    assert len(set(bodies)) == len(case.candidates)
    for candidate, body in zip(evidence.candidates.values(), bodies, strict=True):
        own = candidate.calls - sum(b.is_call for b in candidate.blocks[: case.common])
        assert len(re.findall(r"^step \d+: ", body, re.MULTILINE)) == own
