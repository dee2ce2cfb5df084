"""What single orders said, and which of the defects that a judge named are there.

In: a judged group and one of its entries. Out: what a column of its section prints beside the
verdict.

    ballots(judged.verdict, trajectory_id)      # Ballots(lines=("vote 1, place 3: …",), …)
    held_against(named, true)                   # defects with `confirmed`, `unfounded`, `missed`
"""

from __future__ import annotations

from collections.abc import Sequence

from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_envs.nouns.verdict import Ballot, Defect, GroupVerdict
from telejudge_eval.report.entry import Entry
from telejudge_eval.report.text import digest, number
from telejudge_eval.report.view import Ballots, SeenDefect, Status


def ballots(verdict: GroupVerdict, trajectory_id: str) -> Ballots:
    """One line a vote: of a presentation order, a sample or a member of an ensemble."""
    own = [b for b in verdict.ballots if b.trajectory_id == trajectory_id]
    answers = {b.answer for b in own if b.answer is not None}
    lines = tuple(_line(b) for b in sorted(own, key=lambda b: (b.order, b.place or 0)))
    return Ballots(lines=lines, flipped=len(answers) > 1)


def _line(ballot: Ballot) -> str:
    place = "" if ballot.place is None else f", place {ballot.place + 1}"
    where = f"vote {ballot.order + 1}{place}: "
    if ballot.answer is None:
        return where + digest(ballot.failed or "nothing", 80)
    defects = ", ".join(dict.fromkeys(d.kind for d in ballot.defects))
    tools = "" if ballot.tools is None else f", tools {number(ballot.tools, 2)}"
    return where + f"{ballot.answer}{tools}" + (f"; {digest(defects, 120)}" if defects else "")


def held_against(entry: Entry, judged: JudgedGroup) -> list[SeenDefect]:
    """The judge's defects, and the true ones that it missed, each with how they agree.

    Without known truth they carry no status; of an abstained trajectory the true ones are shown.
    """
    named = list(entry.verdict.defects) if entry.verdict else []
    true = judged.true_defects.get(entry.trajectory.id)
    if true is None:
        return [seen(defect) for defect in named]
    if entry.scored is None:
        return [seen(defect, "true") for defect in true]
    spots, steps = {(d.step, d.kind) for d in true}, {d.step for d in true}
    told = {(d.step, d.kind) for d in named}

    def status(defect: Defect) -> Status:
        if (defect.step, defect.kind) in spots:
            return "confirmed"
        return "other kind" if defect.step in steps else "unfounded"

    missed = [seen(d, "missed") for d in true if (d.step, d.kind) not in told]
    return [seen(d, status(d)) for d in named] + missed


def seen(defect: Defect, status: Status = "") -> SeenDefect:
    """A defect as it may be printed."""
    return SeenDefect(
        step=defect.step,
        kind=digest(defect.kind, 60),
        severity=defect.severity,
        reason=digest(defect.reason, 300),
        evidence=digest(defect.evidence, 300),
        status=status,
    )


def found_of(columns: Sequence[Sequence[SeenDefect]]) -> str:
    """How many of the true defects of a group its judge named; empty where the truth is unknown."""
    statuses = [defect.status for column in columns for defect in column if defect.status]
    if not statuses:
        return ""
    counts = {status: statuses.count(status) for status in sorted(set(statuses))}
    confirmed = counts.pop("confirmed", 0)
    there = confirmed + counts.pop("missed", 0)
    rest = "".join(f", {n} {TOLD[status]}" for status, n in counts.items())
    return f"{confirmed} of {there} true defects found{rest}"


TOLD: dict[str, str] = {
    "other kind": "named at the right step as another kind",
    "unfounded": "named where there are none",
    "true": "in abstained rollouts",
}


def truth(entry: Entry) -> str:
    """What is true, where the judge says otherwise."""
    if entry.outcome is None or entry.scored is None or entry.foreign_failure:
        return ""
    answer = entry.outcome.answer
    return "" if entry.scored.answer == answer else f"the answer is {answer}"
