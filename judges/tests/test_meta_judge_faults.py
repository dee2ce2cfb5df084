"""The meta-judge fails: every sample keeps its vote, and the verdict says how many did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from kinds_harness import Fixed, run
from meta_harness import BAD, GOOD, INVENTED, NAME, ONE, ruled, sifted

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.nouns.verdict import Defect, Verdict
from telejudge_judges import practice
from telejudge_judges.ensemble import EnsembleJudge
from telejudge_judges.opinions import OpinionTurn, opinion_of
from telejudge_judges.render import Evidence

OVERFLOW = "This model's maximum context length is 4096 tokens"
FAULTS: dict[str, tuple[fake.Script, str]] = {
    "auth": (lambda r, n: fake.fail(401), "auth"),
    "500": (lambda r, n: fake.fail(500), "server_error"),
    "drop": (lambda r, n: fake.drop(), "connection"),
    "overflow": (lambda r, n: fake.fail(400, OVERFLOW), "context_overflow"),
    "refusal": (lambda r, n: fake.say("", finish_reason="content_filter"), "refused"),
    "prose": (lambda r, n: fake.say("All are fine."), "unparseable"),
    "length": (lambda r, n: fake.say('{"opinions"', finish_reason="length"), "unparseable"),
    "nobody": (lambda r, n: fake.say('{"opinions": {}}'), "missing"),
    "other id": (lambda r, n: fake.say('{"opinions": {"zz": {"supported": false}}}'), "missing"),
    "no word": (lambda r, n: ruled(r, lambda _: "perhaps"), "wrong_type"),
    "number": (lambda r, n: ruled(r, lambda _: 0.5), "wrong_type"),
    "null": (lambda r, n: ruled(r, lambda _: None), "wrong_type"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failing_meta_judge_keeps_every_sample_and_says_so(fault: str) -> None:
    script, cause = FAULTS[fault]
    found = sifted(GOOD, BAD, BAD, script=script)
    plain = run(EnsembleJudge([Fixed({NAME: one}) for one in (GOOD, BAD, BAD)]), ONE)
    assert found.verdicts == plain.verdicts
    told = f"meta-judge: 3 opinions, 0 dropped, 3 kept without a ruling ({cause} 3)"
    assert told in found.notes


def test_evidence_that_does_not_fit_keeps_every_sample() -> None:
    found = sifted(GOOD, BAD, BAD, budget_tokens=40)
    assert found.verdicts[0].answer == 0
    assert found.calls == 0
    assert "meta-judge: 3 opinions, 0 dropped, 3 kept without a ruling (over_budget 3)" in (
        found.notes
    )


def test_opinions_take_their_room_from_the_evidence() -> None:
    """What fits by itself no longer does beside long opinions: nothing is sent over the budget."""
    long = tuple(
        Defect(step=0, kind="other", severity="soft", reason=f"{n} " + "word " * 190)
        for n in range(6)
    )
    assert "meta-judge: 1 opinions, 0 dropped" in sifted(GOOD, budget_tokens=600).notes
    crowded = sifted((1, 0.9, long), budget_tokens=600)
    assert "meta-judge: 1 opinions, 0 dropped, 1 kept without a ruling (over_budget 1)" in (
        crowded.notes
    )
    assert crowded.calls == 0


def test_a_prompt_that_breaks_keeps_every_sample(tmp_path: Path) -> None:
    prompt = tmp_path / "meta.jinja"
    prompt.write_text(
        "{% block system %}{{ nothing.here }}{% endblock %}"
        "{% block user %}{% endblock %}{% block repair %}{% endblock %}"
    )
    found = sifted(GOOD, prompt_path=prompt)
    assert found.verdicts[0].answer == 1
    assert any("1 kept without a ruling (broke (UsageError: prompt" in n for n in found.notes)


def test_a_world_that_breaks_keeps_every_sample() -> None:
    def briefings(_: Any) -> Any:
        raise RuntimeError("no world")

    found = sifted(GOOD, briefings=briefings)
    assert found.verdicts[0].answer == 1
    assert "meta-judge: broke (RuntimeError: no world), nothing was dropped" in found.notes


def test_a_reply_is_repaired_once_and_what_was_sound_stays() -> None:
    def script(request: dict[str, Any], n: int) -> fake.Reply:
        good = practice.rulings(request)
        if len(request["messages"]) == 2:
            first = sorted(good)[0]
            return fake.say(json.dumps({"opinions": {first: good[first]}}))
        asked = fake.texts(request)[-1]
        assert sorted(good)[0] not in asked.rpartition(":")[2], "only the open one is asked again"
        left = {name: ruling for name, ruling in good.items() if name in asked}
        return fake.say(json.dumps({"opinions": left}))

    found = sifted(GOOD, BAD, script=script)
    assert found.calls == 2
    assert found.verdicts[0].answer == 1
    assert "meta-judge: a reply was repaired" in found.notes


def test_a_half_answer_rules_on_its_half() -> None:
    """The supported one is never named: it is kept, and the other one is dropped."""

    def script(request: dict[str, Any], _n: int) -> fake.Reply:
        wrong = {n: r for n, r in practice.rulings(request).items() if not r["supported"]}
        return fake.say(json.dumps({"opinions": wrong}))

    found = sifted(GOOD, BAD, BAD, script=script)
    assert found.verdicts[0].answer == 1
    told = "meta-judge: 3 opinions, 2 dropped, 1 kept without a ruling (missing 1)"
    assert told in found.notes


@pytest.mark.parametrize(
    ("said", "meant"), [("yes", True), ("No", False), ("是", True), ("否", False), (True, True)]
)
def test_spellings_that_mean_one_thing_only(said: object, meant: bool) -> None:
    turn = OpinionTurn(Evidence("evidence", "0" * 12, {}, (), 1), {"k7qm": "{}"})
    text = json.dumps({"opinions": {"k7qm": {"supported": said}}}, ensure_ascii=False)
    assert turn.read(f"<think>false</think> ```json\n{text}\n```") == []
    assert turn.supported == {"k7qm": meant}
    doubled = '{"opinions": {"k7qm": {"supported": true}, "k7qm": {"supported": false}}}'
    fresh = OpinionTurn(turn.evidence, turn.opinions)
    assert [p.kind for p in fresh.read(doubled)] == ["duplicated"]
    assert not fresh.settled


def test_opinions_are_equal_when_their_words_are() -> None:
    def verdict(name: str, **changes: Any) -> Verdict:
        given = {"answer": 1, "tools": 0.5, "reward": 0.5, "confidence": 0.3, **changes}
        return Verdict(trajectory_id=name, **given)

    assert opinion_of(verdict("a")) == opinion_of(verdict("b", confidence=1.0))
    assert opinion_of(verdict("a")) != opinion_of(verdict("a", defects=(INVENTED,)))
