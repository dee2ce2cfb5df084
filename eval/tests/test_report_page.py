"""The page itself: what it shows of real episodes, that nothing escapes it, and how big it is."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest

from telejudge_agents.runner import run
from telejudge_agents.scripted.registry import scripted
from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.nouns.task import Task, TaskView
from telejudge_envs.nouns.trajectory import Change, Failure, Group, Outcome, Rollout, Trajectory
from telejudge_envs.nouns.verdict import Defect, GroupVerdict, Verdict
from telejudge_envs.store import write
from telejudge_envs.tau2_telecom.world import Tau2Telecom
from telejudge_eval.report import page as report
from telejudge_eval.report.page import write_report
from telejudge_judges.verifier import Verifier
from telejudge_training.group_reward import reward_verdict

WORLD = Tau2Telecom()
VERIFIER = Verifier(lambda _name: WORLD)
HOSTILE = "</script><script>alert(1)</script>\"'><img src=http://evil.example onerror=alert(1)>"
SUMMARY = {
    "seconds": 125.0,
    "before": {"greedy": {"success": {"mean": 0.25}, "tasks": 4, "rollouts": 4, "abstained": 0}},
    "after": {
        "greedy": {
            "success": {"mean": 1.0},
            "tools": {"mean": 0.5},
            "tasks": 4,
            "rollouts": 4,
            "abstained": 1,
        }
    },
}
VOID = {"meta", "input", "wbr", "link", "br", "img"}
IMPLIED = {"li", "option"}
INLINE = {"b", "i", "small", "span", "wbr", "code", "del", "ins"}


class Page(HTMLParser):
    """A page read back: its tags with attributes, its text by enclosing tag, and its balance."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._part(tag)
        if tag not in VOID | IMPLIED and not (self._open and "svg" in self._open and tag == "path"):
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self._part(tag)
        if tag not in IMPLIED:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    def _part(self, tag: str) -> None:
        if tag not in INLINE:
            self.texts.append(("", " "))

    @property
    def text(self) -> str:
        shown = "".join(text for tag, text in self.texts if tag not in ("script", "style"))
        return " ".join(shown.split())

    def inside(self, tag: str) -> str:
        return "".join(text for where, text in self.texts if where == tag)


def judge(rollouts: Sequence[Rollout], phase: str, step: int | None = None) -> JudgedGroup:
    group = Group(
        id=f"{phase}-{rollouts[0].task.id}",
        task=rollouts[0].task,
        trajectories=tuple(rollout.trajectory for rollout in rollouts),
    )
    verdict = VERIFIER.judge_now(group)
    return JudgedGroup(
        phase=phase,
        step=step,
        group=group,
        verdict=verdict,
        outcomes={r.trajectory.id: r.outcome for r in rollouts if r.outcome},
        advantages=reward_verdict(group, verdict).advantages if phase == "train" else {},
    )


def play(tasks: Sequence[Task], agent: str, phase: str, count: int) -> list[JudgedGroup]:
    rollouts = run(WORLD, tasks, scripted(agent, WORLD), rollouts=count, seed=5)
    step = 10 if phase == "train" else None
    return [judge(rollouts[i : i + count], phase, step) for i in range(0, len(rollouts), count)]


def make_run(folder: Path, tests: int, trains: int, count: int) -> Path:
    tasks = WORLD.tasks("test")[:tests]
    write(folder / "before.jsonl", play(tasks, "expert", "before", count))
    extra = WORLD.tasks("extra")[::30][:trains]
    write(folder / "train/groups.jsonl", play(extra, "expert:0.7", "train", count))
    write(folder / "after.jsonl", play(tasks, "engineer", "after", count))
    steps = [{"step": s, "phase": "sft", "loss": 2.0 / s} for s in range(1, 21)]
    steps += [
        {
            "step": s,
            "phase": "grpo",
            "success": s / 40,
            "reward": s / 50,
            "kl": 0.1,
            "loss": 0.0,
            "abstained": 0,
        }
        for s in range(1, 31)
    ]
    metrics = folder / "train/metrics.jsonl"
    metrics.write_text("".join(json.dumps(step) + "\n" for step in steps))
    config = {"seed": 5, "recipe": "small", "versions": {"telejudge": "0.1.0"}, "sft": {"lr": 1}}
    (folder / "run.json").write_text(json.dumps(config))
    (folder / "summary.json").write_text(json.dumps(SUMMARY))
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("run"), tests=4, trains=2, count=4)


@pytest.fixture(scope="module")
def page(finished: Path) -> Page:
    return Page(write_report(finished, finished / "report.html"))


def test_the_summary_shows_the_run_and_before_and_after_with_n(page: Page) -> None:
    text = page.text
    assert "seed 5" in text
    assert "recipe small" in text
    assert "wall time 2 min 05 s" in text
    assert "judge verifier" in text
    assert "All tasks (4)" in text
    assert "Tasks marked “ticket lacks refuel amount”" in text
    assert "Tasks without a mark" in text
    row = text[text.index("Success by the world's evaluator") :][:80]
    assert row.count("n = 16") == 2
    assert "100.0 % n = 16" in row
    assert "sft.lr 1" in text
    greedy = text[text.index("All tasks, greedy decoding (4;") :][:240]
    assert "Success by the world's evaluator 25.0 % n = 4 100.0 % n = 4 +75.0 pp" in greedy
    assert "Tool-call reasonableness – n = 0 0.500 n = 3" in greedy


def test_curves_have_a_panel_a_table_and_names(page: Page) -> None:
    labels = [a.get("aria-label") or "" for tag, a in page.tags if tag == "svg"]
    assert [label.split(":")[0] for label in labels] == [
        "Loss",
        "Success",
        "Reward",
        "Loss",
        "KL to the reference",
    ]
    assert "Supervised warm start (SFT) 20 steps" in page.text
    assert "Values as a table (30 steps)" in page.text
    assert "Always 0, hence without a curve: Abstentions." in page.text


def test_defects_are_counted_per_hundred_episodes(finished: Path, page: Page) -> None:
    groups = [
        JudgedGroup.model_validate_json(line)
        for line in (finished / "before.jsonl").read_text().splitlines()
    ]
    kinds = [d.kind for g in groups for v in g.verdict.verdicts for d in v.defects]
    assert kinds
    start = page.text.index("Per 100 judged episodes")
    table = page.text[start : page.text.index("Small: defects found")]
    for kind in set(kinds):
        assert kind in table
    assert "in 16" in table


def test_every_group_has_a_line_that_leads_to_its_section(page: Page) -> None:
    links = {(a.get("href") or "")[1:] for tag, a in page.tags if tag == "a"}
    headings = [a["id"] for tag, a in page.tags if tag == "h4"]
    assert len(headings) == 10
    assert set(headings) <= links
    rows = [a for tag, a in page.tags if tag == "tr" and "data-phase" in a]
    assert [row["data-phase"] for row in rows] == ["before"] * 4 + ["train"] * 2 + ["after"] * 4
    ids = [a["id"] for _tag, a in page.tags if a.get("id")]
    assert len(ids) == len(set(ids))
    targets = set(ids)
    assert all(link in targets for link in links)


def test_a_section_shows_calls_ledger_advantages_and_verdicts(finished: Path, page: Page) -> None:
    line = (finished / "train/groups.jsonl").read_text().splitlines()[0]
    judged = JudgedGroup.model_validate_json(line)
    text = page.text[page.text.index(f"train: {judged.group.task.id}") :]
    text = text[: text.index("back to the table", 400)]
    for trajectory in judged.group.trajectories:
        for message in trajectory.messages:
            for call in message.tool_calls:
                assert f"{call.name}(" in text
        for change in trajectory.changes[:5]:
            assert f"{change.path}: " in text
    for verdict in judged.verdict.verdicts:
        for defect in verdict.defects:
            assert defect.kind in text
    assert text.count("advantage") >= 4
    assert "rank" in text
    assert "×4" in text


def test_the_page_loads_nothing_and_runs_only_its_own_script(page: Page) -> None:
    for tag, attributes in page.tags:
        assert tag not in ("link", "iframe", "img", "object", "embed", "base")
        assert "src" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        href = attributes.get("href")
        assert href is None or href.startswith("#")
    assert "url(" not in page.inside("style")
    assert "@import" not in page.inside("style")
    digest = base64.b64encode(hashlib.sha256(page.inside("script").encode()).digest()).decode()
    policies = [a["content"] or "" for tag, a in page.tags if a.get("http-equiv")]
    assert f"script-src 'sha256-{digest}'" in policies[0]
    assert "default-src 'none'" in policies[0]


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    task = TaskView(
        id=HOSTILE, world=HOSTILE, split=HOSTILE, level=1, ticket=HOSTILE, marks=(HOSTILE,)
    )
    call = ToolCall(id="1", name=HOSTILE, arguments={HOSTILE: HOSTILE})
    trajectory = Trajectory(
        id=HOSTILE,
        task_id=HOSTILE,
        world=HOSTILE,
        agent=HOSTILE,
        mode="dual",
        messages=(
            Message(role="user", text=HOSTILE + " please"),
            Message(role="assistant", text=HOSTILE, reasoning=HOSTILE, tool_calls=(call,)),
            Message(role="tool", text=HOSTILE + "x" * 1_000_000, tool_call_id="1", error=True),
            Message(role="assistant", text="bye \u202e\ud83d " + HOSTILE),
        ),
        changes=(Change(path=HOSTILE, before=HOSTILE, after=HOSTILE, call_id="1"),),
        stop="agent_error",
        failure=Failure(owner="endpoint", cause=HOSTILE, detail=HOSTILE),
    )
    defect = Defect(step=0, kind=HOSTILE, severity="safety", reason=HOSTILE, evidence=HOSTILE)
    verdict = GroupVerdict(
        group_id=HOSTILE,
        task_id=HOSTILE,
        judge=HOSTILE,
        judge_version=HOSTILE,
        verdicts=(Verdict(trajectory_id=HOSTILE, abstained=HOSTILE, defects=(defect,)),),
        notes=(HOSTILE,),
    )
    judged = JudgedGroup(
        phase=HOSTILE,
        group=Group(id=HOSTILE, task=task, trajectories=(trajectory,)),
        verdict=verdict,
    )
    (tmp_path / "train").mkdir()
    (tmp_path / "before.jsonl").write_text(hostile_json(judged))
    (tmp_path / "run.json").write_text(json.dumps({"seed": HOSTILE, HOSTILE: {HOSTILE: HOSTILE}}))
    metric = {"step": 1, "phase": HOSTILE, "loss": 1.0, HOSTILE: HOSTILE}
    (tmp_path / "train/metrics.jsonl").write_text(json.dumps(metric) + "\n")
    page = Page(write_report(tmp_path, tmp_path / "report.html"))
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert "img" not in {tag for tag, _ in page.tags}
    assert HOSTILE in page.text
    assert f"… {1_000_000 + len(HOSTILE) - 2000:,} characters left out" in page.text
    assert "⟨202E⟩" in page.text
    assert (tmp_path / "report.html").stat().st_size < 200_000


def hostile_json(judged: JudgedGroup) -> str:
    """A line of JSON; a lone surrogate cannot be encoded, so it is stored as a replacement."""
    fields = judged.model_dump(mode="python")
    return json.dumps(fields).replace("\\ud83d", "\\ufffd") + "\n"


def test_a_run_in_progress_gives_a_partial_report(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    first = (finished / "before.jsonl").read_text().splitlines(keepends=True)[0]
    (tmp_path / "before.jsonl").write_text(first + '{"phase": "bef')
    page = Page(write_report(tmp_path, tmp_path / "report.html"))
    assert "Partial report." in page.text
    assert "train/metrics.jsonl, after.jsonl, summary.json" in page.text
    assert "is unfinished and was left out" in page.text
    assert "Groups (1)" in page.text
    (tmp_path / "summary.json").write_text("{}")
    (tmp_path / "after.jsonl").write_text(first)
    page = Page(write_report(tmp_path, tmp_path / "report.html"))
    assert "Partial report." not in page.text
    assert "The run wrote no train/metrics.jsonl." in page.text
    for name in ("before.jsonl", "after.jsonl", "summary.json"):
        (tmp_path / name).unlink()
    page = Page(write_report(tmp_path, tmp_path / "report.html"))
    assert "No group has been written yet." in page.text


def test_failures_of_others_enter_no_mean(tmp_path: Path) -> None:
    tasks = WORLD.tasks("test")[:1]
    honest = run(WORLD, tasks, scripted("engineer", WORLD), rollouts=2, seed=1)
    fault = Failure(owner="endpoint", cause="timeout")
    broken = honest[1].model_copy(
        update={
            "trajectory": honest[1].trajectory.model_copy(
                update={"stop": "failed", "failure": fault}
            ),
            "outcome": Outcome(answer=0, world_reward=0.0, faults=(fault,)),
        }
    )
    write(tmp_path / "judged.jsonl", [judge([honest[0], broken], "after")])
    page = Page(write_report(tmp_path / "judged.jsonl", tmp_path / "report.html"))
    text = page.text
    assert "100.0 % n = 1" in text[text.index("Success by the world") :][:60]
    assert "Abstentions (of episodes) 1 of 2" in text
    assert "Failures of others (of episodes) 1 of 2" in text
    assert [a for tag, a in page.tags if a.get("class") == "group" and "open" in a]  # the only one
    assert "failure endpoint: timeout" in text
    assert "A ✓" not in text  # the sign is style; the words carry the meaning
    assert "abstained" in text


def test_groups_beyond_the_budget_keep_their_line(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "DETAIL_BUDGET", 150_000)
    page = Page(write_report(finished, tmp_path / "report.html"))
    sections = [a for tag, a in page.tags if tag == "h4"]
    rows = [a for tag, a in page.tags if tag == "tr" and "data-phase" in a]
    assert 0 < len(sections) < len(rows) == 10
    assert f"{10 - len(sections)} of 10 groups have only their line" in page.text
    headings = [a["id"] for a in sections]
    assert "g7" in headings  # what came after training is shown first
    assert (tmp_path / "report.html").stat().st_size < 250_000


@pytest.mark.slow
def test_a_default_run_stays_below_fifteen_megabytes(tmp_path: Path) -> None:
    """Half of the rollouts (4 of 8 a group), half of the size."""
    folder = make_run(tmp_path, tests=40, trains=60, count=4)
    size = write_report(folder, tmp_path / "report.html").stat().st_size
    assert 1_000_000 < size < 7_500_000
    assert "have only their line" not in (tmp_path / "report.html").read_text()
