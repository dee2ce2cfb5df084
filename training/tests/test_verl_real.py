"""verl's own trainer, unmodified, on two cores: GRPO on base stations with a listwise judge.

`python -m verl.trainer.main_ppo` runs twice: three steps with validation and a checkpoint, then a
fourth step from the checkpoint. The judge is ours (listwise, by HTTP); the server behind it is
scripted, reads the evidence, fails at its very first request (so that a group is lost) and refuses
to say anything about some candidates.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from verl_harness import needs_verl

from telejudge_envs import store
from telejudge_envs.fake_endpoint import FakeEndpoint, Reply, fail, say, texts
from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_judges import practice
from telejudge_training.group_reward import masked_advantages

pytestmark = [needs_verl, pytest.mark.slow, pytest.mark.timeout(900)]

GROUP, PROMPTS, STEPS, VAL_GROUP, VAL_TASKS = 4, 2, 3, 2, 4


@dataclass
class Unsure:
    """Fails once; says of the candidate with the most calls nothing, however often it is asked."""

    refused: list[Any] = field(default_factory=list)

    def __call__(self, request: dict[str, Any], n: int) -> Reply:
        if n == 0:
            return fail(500, "out of memory")
        seen = practice.read_evidence(texts(request)[0])
        said = {name: practice.opinion(one) for name, one in seen.items()}
        if len(seen) > 2:
            longest = max(seen, key=lambda name: (len(seen[name].calls), seen[name]))
            self.refused.append(seen[longest])
        if len(seen) > 2 or len(seen) == 1:
            said = {name: one for name, one in said.items() if seen[name] not in self.refused[-1:]}
        return say(json.dumps({"verdicts": said}))


@dataclass(frozen=True)
class Ran:
    """What two runs left behind."""

    folder: Path
    status: tuple[int, int]
    lines: list[dict[str, Any]]
    groups: list[JudgedGroup]
    weights: list[dict[str, Any]]
    seen_by_verl: list[list[dict[str, Any]]]
    resumed_from: int
    """Lines of the weights' file that the first run wrote."""
    model: Path


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    from telejudge_training.recipe import load_recipe as embedded_recipe
    from telejudge_training.verl_backend.launch import prepare
    from telejudge_training.verl_backend.record import read_rollouts
    from telejudge_training.verl_backend.tiny_policy import make_policy

    folder = tmp_path_factory.mktemp("verl")
    small = embedded_recipe(None, "base-station").with_(
        demonstrations={"count": 200}, sft={"epochs": 1}
    )
    make_policy(small, folder / "model", 0)
    run, spied = folder / "run", folder / "advantages.jsonl"
    with FakeEndpoint(Unsure()) as server:
        recipe = _recipe(folder / "model", server.base_url, spied)
        first = _started(prepare(recipe, run, 0), folder / "first.log")
        known = len((run / "record" / "weights.jsonl").read_text().splitlines())
        longer = recipe.with_(verl={"trainer.total_training_steps": STEPS + 1})
        second = _started(prepare(longer, run, 0), folder / "second.log")
    assert (first, second) == (0, 0), _tail(folder)
    record = run / "record"
    return Ran(
        folder=run,
        status=(first, second),
        lines=read_rollouts(record),
        groups=[g for f in record.glob("groups-*.jsonl") for g in store.read(f, JudgedGroup)],
        weights=[json.loads(line) for line in (record / "weights.jsonl").open()],
        seen_by_verl=[json.loads(line) for line in spied.open()],
        resumed_from=known,
        model=folder / "model",
    )


def test_it_trains_unmodified_and_goes_on_from_its_checkpoint(ran: Ran):
    """One test, so that no other process of pytest's runs the trainer again."""
    assert_it_trained_validated_wrote_a_checkpoint_and_went_on_from_it(ran)
    assert_every_group_was_judged_once_with_exactly_its_members(ran)
    assert_the_servers_weights_changed_at_every_step(ran)
    assert_masks_cover_the_agents_tokens_and_nothing_else(ran)
    assert_verl_got_those_masks_and_an_abstained_members_advantage_is_0(ran)
    assert_the_group_that_the_judges_server_failed_on_was_left_out_and_the_batch_filled_up(ran)
    assert_the_trainer_finds_the_probabilities_that_were_recorded_while_playing(ran)


def _started(plan: Any, log: Path) -> int:
    """Ray gives its node half a minute to come up, fixed in its code; a machine that is busy with
    other tests may miss that. Then it is started once more: nothing of verl has run by then."""
    from telejudge_training.verl_backend.launch import start

    status = start(plan, log)
    if status and "The current node timed out during startup" in log.read_text():
        status = start(plan, log)
    return status


def _recipe(model: Path, base_url: str, spied: Path) -> Any:
    import verl_spy

    from telejudge_training.verl_backend.recipe import PLUGIN, load_recipe

    here = Path(__file__).parent
    return load_recipe("cpu_smoke").with_(
        loop={
            "judge": {
                "judge": "listwise",
                "base_url": base_url,
                "model": "scripted",
                "orders": 1,
                "retries": 0,
            }
        },
        environment={
            "VERL_USE_EXTERNAL_MODULES": f"{PLUGIN},verl_spy",
            "PYTHONPATH": str(here),
            verl_spy.FILE: str(spied),
            "OMP_NUM_THREADS": "1",
            "HF_HUB_OFFLINE": "1",
        },
        verl={
            "actor_rollout_ref.model.path": str(model),
            "algorithm.adv_estimator": verl_spy.NAME,
            "actor_rollout_ref.rollout.n": GROUP,
            "actor_rollout_ref.rollout.val_kwargs.n": VAL_GROUP,
            "data.train_batch_size": PROMPTS,
            "trainer.total_training_steps": STEPS,
            "trainer.val_before_train": False,
        },
    )


def _tail(folder: Path) -> str:
    logs = [folder / "first.log", folder / "second.log"]
    return "\n".join(f"{log}:\n{log.read_text()[-4000:]}" for log in logs if log.exists())


def assert_it_trained_validated_wrote_a_checkpoint_and_went_on_from_it(ran: Ran):
    steps = Counter(line["step"] for line in ran.lines if line["split"] == "train")
    assert steps == dict.fromkeys(range(1, STEPS + 2), PROMPTS * GROUP), "none twice"
    validated = {line["step"] for line in ran.lines if line["split"] == "val"}
    assert STEPS in validated
    assert (ran.folder / "checkpoints" / f"global_step_{STEPS}").is_dir()
    log = (ran.folder.parent / "second.log").read_text()
    assert f"global_step_{STEPS}" in log
    assert "step:4 - " in log


def assert_every_group_was_judged_once_with_exactly_its_members(ran: Ran):
    groups: dict[str, list[dict[str, Any]]] = {}
    for line in ran.lines:
        groups.setdefault(line["uid"], []).append(line)
    for members in groups.values():
        size = GROUP if members[0]["split"] == "train" else VAL_GROUP
        assert [line["session"] for line in members] == list(range(size))
        assert {line["members"] for line in members} == {size}
    judged = Counter(group.group.id for group in ran.groups)
    assert set(judged.values()) == {1}
    assert len(judged) == len(groups) >= (STEPS + 1) * PROMPTS + VAL_TASKS
    assert all(g.verdict.judge == "listwise" for g in ran.groups)


def assert_the_servers_weights_changed_at_every_step(ran: Ran):
    first, second = ran.weights[: ran.resumed_from], ran.weights[ran.resumed_from :]
    assert [line["step"] for line in first] == list(range(STEPS + 1))
    assert first[0]["moved"] == 0.0, "it began with the model's own"
    assert all(line["moved"] > 0 for line in first[1:])
    assert [line["step"] for line in second] == [STEPS, STEPS + 1]
    assert all(line["moved"] > 0 for line in second), "the checkpoint's, then the fourth step's"


def assert_masks_cover_the_agents_tokens_and_nothing_else(ran: Ran):
    from transformers import AutoTokenizer

    from telejudge_training.tiny.tokenizer import ASSISTANT

    tokenizer = AutoTokenizer.from_pretrained(ran.model)
    head = tokenizer.convert_tokens_to_ids(ASSISTANT)
    checked = 0
    for group in ran.groups:
        for trajectory in group.group.trajectories:
            trace = trajectory.trace
            assert trace is not None
            turns = sum(m.role == "assistant" for m in trajectory.messages)
            starts = [i for i, m in enumerate(trace.mask) if m and not trace.mask[i - 1]]
            assert all(trace.ids[i - 1] == head for i in starts), "each after its turn's head"
            assert len(starts) in (turns, turns - 1), "the last turn may be out of room"
            said = [lp for lp, m in zip(trace.logprobs, trace.mask, strict=True) if m]
            heard = [lp for lp, m in zip(trace.logprobs, trace.mask, strict=True) if not m]
            assert all(lp <= 0 for lp in said)
            assert set(heard) <= {0.0}
            checked += len(starts)
    assert checked > 50


def assert_verl_got_those_masks_and_an_abstained_members_advantage_is_0(ran: Ran):
    recorded: dict[str, list[dict[str, Any]]] = {}
    for line in ran.lines:
        if line["split"] == "train":
            recorded.setdefault(line["uid"], []).append(line)
    masked = 0
    for rows in ran.seen_by_verl:
        for uid in {row["uid"] for row in rows if not row["uid"].startswith("pad")}:
            mine = [row for row in rows if row["uid"] == uid]
            rewards = {str(k): line["reward"] for k, line in enumerate(recorded[uid])}
            expected = masked_advantages(rewards, "std")
            wanted = sorted(
                (line["tokens"] if rewards[str(k)] is not None else 0, expected[str(k)] or 0.0)
                for k, line in enumerate(recorded[uid])
            )
            got = sorted((row["tokens"], (row["on_mask"] or [0.0])[0]) for row in mine)
            assert [tokens for tokens, _ in got] == [tokens for tokens, _ in wanted]
            assert sorted(a for _, a in got) == pytest.approx(
                sorted(a for _, a in wanted), abs=1e-4
            )
            assert all(len(row["on_mask"]) <= 1 and set(row["off_mask"]) <= {0.0} for row in mine)
            masked += sum(reward is None for reward in rewards.values())
    assert len(ran.seen_by_verl) == STEPS + 1
    assert masked > 0, "the judge was to abstain on somebody"


def assert_the_group_that_the_judges_server_failed_on_was_left_out_and_the_batch_filled_up(
    ran: Ran,
):
    first = [line for line in ran.lines if line["split"] == "train" and line["step"] == 1]
    lost = {line["uid"] for line in first} - {row["uid"] for row in ran.seen_by_verl[0]}
    assert len(lost) == 1
    assert all(line["reward"] is None for line in first if line["uid"] in lost)
    pads = [row for row in ran.seen_by_verl[0] if row["uid"].startswith("pad")]
    assert len(pads) == GROUP
    assert all(row["tokens"] == 0 for row in pads)
    later = [line for line in ran.lines if line["split"] == "train" and line["step"] > 1]
    judged = {line["uid"] for line in later if line["reward"] is not None}
    assert len(judged) >= STEPS
    seen = [row for rows in ran.seen_by_verl[1:] for row in rows]
    assert judged == {row["uid"] for row in seen if not row["uid"].startswith("pad")}
    # Four agents that do the same are all like the one of whom the judge says nothing.
    unjudged = {line["uid"] for line in later} - judged
    assert sum(row["uid"].startswith("pad") for row in seen) == GROUP * len(unjudged)


def assert_the_trainer_finds_the_probabilities_that_were_recorded_while_playing(ran: Ran):
    told = [
        float(value)
        for log in ("first.log", "second.log")
        for value in re.findall(
            r"rollout_probs_diff_max:([0-9.e-]+)", (ran.folder.parent / log).read_text()
        )
    ]
    assert len(told) >= STEPS + 1
    assert max(told) < 1e-5
