"""One group as its section shows it: columns of rollouts, rows of aligned calls.

In: a judged group and the table of long texts. Out: `GroupView`, plain strings and numbers ready
to print (the template escapes them).

    view = group_view(judged, texts)
    view.rows[3].cells[0].call, view.rows[3].cells[0].changes
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_envs.nouns.message import ToolCall
from telejudge_envs.nouns.trajectory import Change, Step, Trajectory
from telejudge_envs.steps import steps_of
from telejudge_eval.report.align import align
from telejudge_eval.report.entry import Entry, entries
from telejudge_eval.report.opinions import ballots, found_of, held_against, truth
from telejudge_eval.report.stats import signed
from telejudge_eval.report.text import Texts, arguments, compact, digest, number, printable
from telejudge_eval.report.view import Cell, Column, GroupView, Row, Said, SeenDefect, Shown

CHANGES_SHOWN = 6
ARGUMENTS_SHOWN = 160
DIGEST_SHOWN = 100
SAID_SHOWN = 160


def group_view(judged: JudgedGroup, texts: Texts) -> GroupView:
    """Lay out one group; long texts go into `texts`."""
    members = entries(judged)
    steps = [steps_of(entry.trajectory) for entry in members]
    said = [_said(entry.trajectory, judged.group.task.ticket, texts) for entry in members]
    keys = [[_key(step.call) for step in column] for column in steps]
    defects = [held_against(entry, judged) for entry in members]
    rows = []
    for placed in align(keys):
        counts = Counter(keys[column][index] for column, index in placed.items())
        cells: list[Cell | None] = [None] * len(members)
        for column, index in placed.items():
            cells[column] = _cell(
                steps[column][index],
                defects[column],
                said[column].get(index, ()),
                counts[keys[column][index]] > 1,
                texts,
            )
        rows.append(Row(max(counts.values()), tuple(cells)))
    columns = tuple(
        _column(i, entry, judged, len(column), defects[i], said[i].get(len(column), ()))
        for i, (entry, column) in enumerate(zip(members, steps, strict=True))
    )
    notes = tuple(map(printable, judged.verdict.notes))
    return GroupView(columns, tuple(rows), notes, found_of(defects))


def letter(index: int) -> str:
    """A, B … Z, AA, AB …: the name of a column."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def _key(call: ToolCall) -> tuple[str, str, str]:
    values = json.dumps(call.arguments, sort_keys=True) if call.raw is None else call.raw
    return call.owner, call.name, values


def _cell(
    step: Step, defects: list[SeenDefect], said: tuple[Said, ...], shared: bool, texts: Texts
) -> Cell:
    call = step.call
    given = arguments(call.arguments) if call.raw is None else call.raw
    return Cell(
        index=step.index,
        name=digest(call.name, 60),
        arguments=shown(given, ARGUMENTS_SHOWN, texts),
        by_user=step.owner == "user",
        error=step.result.error,
        result=shown(step.result.content, DIGEST_SHOWN, texts),
        changes=tuple(map(_change, step.changes[:CHANGES_SHOWN])),
        changes_left_out=max(0, len(step.changes) - CHANGES_SHOWN),
        defects=tuple(d for d in defects if d.step == step.index),
        said=said,
        shared=shared,
    )


def _column(
    index: int,
    entry: Entry,
    judged: JudgedGroup,
    steps: int,
    defects: list[SeenDefect],
    tail: tuple[Said, ...],
) -> Column:
    trajectory, verdict = entry.trajectory, entry.verdict
    scored = entry.scored
    advantage = "–"
    if trajectory.id in judged.advantages:
        value = judged.advantages[trajectory.id]
        advantage = "masked" if value is None else signed(value, 2)
    abstained = "no verdict" if verdict is None else verdict.abstained or ""
    confidence = scored.confidence if scored else None
    whole = [d for d in defects if d.step is None or d.step >= steps]
    return Column(
        letter=letter(index),
        agent=digest(trajectory.agent, 60),
        trajectory_id=digest(trajectory.id, 80),
        rollout=trajectory.rollout,
        stop=trajectory.stop,
        failure=_failure(entry),
        solved=_solved(entry),
        checks=_checks(entry),
        answer=scored.answer if scored else None,
        tools=number(scored.tools if scored else None, 2),
        reward=number(scored.reward if scored else None),
        advantage=advantage,
        confidence=number(confidence, 2) if confidence is not None else "",
        tier=_tier(judged, trajectory.id),
        abstained=printable(abstained),
        truth=truth(entry),
        ballots=ballots(judged.verdict, trajectory.id),
        defects=_together(whole),
        calls=steps,
        tail=tail,
    )


def _solved(entry: Entry) -> str:
    if entry.foreign_failure:
        return "not scored"
    return {None: "unknown", True: "solved", False: "not solved"}[entry.solved]


def _failure(entry: Entry) -> str:
    faults = list(entry.outcome.faults) if entry.outcome else []
    if entry.trajectory.failure is not None:
        faults.insert(0, entry.trajectory.failure)
    return digest("; ".join(f"{f.owner}: {f.cause} {f.detail}".strip() for f in faults), 300)


def _checks(entry: Entry) -> str:
    checks = entry.outcome.checks if entry.outcome else ()
    failed = [check.name for check in checks if not check.passed]
    if not checks:
        return ""
    names = f" (not {', '.join(failed)})" if failed else ""
    return digest(f"{len(checks) - len(failed)} of {len(checks)} hold{names}", 300)


def _tier(judged: JudgedGroup, trajectory_id: str) -> str:
    for rank, tier in enumerate(judged.verdict.ranking, 1):
        if trajectory_id in tier:
            shared = f", shared by {len(tier)}" if len(tier) > 1 else ""
            return f"{rank} of {len(judged.verdict.ranking)}{shared}"
    return "–"


def _change(change: Change) -> tuple[str, str, str]:
    return digest(change.path, 80), compact(change.before), compact(change.after)


def _together(defects: list[SeenDefect]) -> tuple[SeenDefect, ...]:
    """Defects that differ in their evidence only, as one with all evidence."""
    same: dict[SeenDefect, list[str]] = {}
    for defect in defects:
        same.setdefault(replace(defect, step=None, evidence=""), []).append(defect.evidence)
    return tuple(
        replace(defect, evidence=digest(", ".join(filter(None, all_)), 300))
        for defect, all_ in same.items()
    )


def shown(text: str, limit: int, texts: Texts) -> Shown:
    """`text` on one line of `limit` characters, kept whole in `texts` when that is not all."""
    line = digest(text, limit)
    return Shown(line) if line == text else Shown(line, texts.add(text), len(text))


def _said(trajectory: Trajectory, ticket: str, texts: Texts) -> dict[int, tuple[Said, ...]]:
    """Texts by the index of the call they precede; those after the last call come under its end."""
    said: dict[int, tuple[Said, ...]] = {}
    waiting: list[Said] = []
    index, started = 0, False
    for message in trajectory.messages:
        started = started or message.role == "assistant"
        opening = message.role == "user" and not started and trajectory.mode == "solo"
        if message.role in ("assistant", "user") and not (opening or message.text == ticket):
            if message.reasoning:
                waiting.append(Said("thinks", shown(message.reasoning, SAID_SHOWN, texts)))
            if message.text:
                who = "agent" if message.role == "assistant" else "user"
                waiting.append(Said(who, shown(message.text, SAID_SHOWN, texts)))
        if message.tool_calls and waiting:
            said[index] = tuple(waiting)
            waiting = []
        index += len(message.tool_calls)
    if waiting:
        said[index] = tuple(waiting)
    return said
