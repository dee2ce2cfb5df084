"""The truth as a teacher: verdicts of the verifier or of the key, in words of varied templates.

In: a group with its truths. Out: what a teacher would write about it, the same for the same seed.

    words = template_words(row, seed=0)
    words.appraisals["t1"]      # "The right end is reached, though not cleanly: Step 7: …"
    words.comparison            # "«t1» is right, «t2» and «t3» are not. …"

Every reason is true: those of the verifier's defects, or a data set's own explanation. Candidates
are named `«trajectory id»`, for which a prompt's opaque names are put in (targets.py). English.
"""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

from telejudge_envs.nouns.verdict import Defect
from telejudge_judges.detectors.catalogue import GRAVITY
from telejudge_training.judge_data.rows import CandidateTruth, GroupRow

MOST_REASONS = 2
"""Of one appraisal: the prompt asks for two sentences at most."""


class Words(NamedTuple):
    """What a teacher wrote, by trajectory id. `licence` is that of the words when they are not the
    group's own."""

    appraisals: dict[str, str]
    comparison: str
    licence: str = ""
    teacher: str = ""


def template_words(row: GroupRow, seed: int = 0, only: Collection[str] | None = None) -> Words:
    """Appraisals of all candidates and a comparison; `only` those that a prompt shows."""
    dice = random.Random(f"{seed}|words|{row.id}")
    made = {
        t.id: any(m.tool_calls for m in t.messages)
        for t in row.group.trajectories
        if only is None or t.id in only
    }
    appraisals = {name: _appraisal(row.truths[name], calls, dice) for name, calls in made.items()}
    names = list(made)
    dice.shuffle(names)  # the order in which they are spoken of means nothing
    return Words(appraisals, " ".join(_comparison(row, names, any(made.values()), dice)))


def quoted(name: str) -> str:
    """How a candidate is named in stored words."""
    return f"«{name}»"


def _appraisal(truth: CandidateTruth, with_calls: bool, dice: random.Random) -> str:
    defects = gravest(truth.defects or ())
    if not with_calls and not defects:
        form = "answer_right" if truth.answer else "answer_wrong"
        return _say(form, dice, reasons=truth.reason).strip()
    if truth.answer:
        form = "untidy_right" if defects else "clean_right"
    else:
        form = "wrong" if defects else "wrong_without_defect"
    return _say(form, dice, reasons=" ".join(map(told, defects[:MOST_REASONS])))


def _comparison(
    row: GroupRow, names: Sequence[str], with_calls: bool, dice: random.Random
) -> list[str]:
    right = [name for name in names if row.truths[name].answer]
    wrong = [name for name in names if not row.truths[name].answer]
    if not wrong or not right:
        said = [_say("none_right" if wrong else "all_right", dice, count=str(len(names)))]
    else:
        said = [_say("some_right", dice, right=_are(right), wrong=_list(wrong))]
    said += [
        _say("same_content", dice, names=_list(alike))
        for alike in _same_contents(row, names)
        if len(alike) > 1
    ]
    if not with_calls:
        return said
    apart = [(name, gravest(row.truths[name].defects or ())) for name in names]
    found = [(name, defects[0]) for name, defects in apart if defects]
    if not found:
        return [*said, _say("clean_all", dice)]
    name, defect = max(found, key=lambda pair: GRAVITY.index(pair[1].severity))
    return [*said, _say("tells_apart", dice, name=quoted(name), reason=told(defect))]


def _same_contents(row: GroupRow, names: Sequence[str]) -> list[list[str]]:
    """Names of answers known to have equal content (`origin` carries it, see qa_groups.py)."""
    by_content: dict[str, list[str]] = {}
    for name in names:
        origin, _, content = row.truths[name].origin.partition(":")
        if content:
            by_content.setdefault(f"{origin}:{content}", []).append(name)
    return list(by_content.values())


def gravest(defects: Sequence[Defect]) -> list[Defect]:
    """The gravest first; of equals the earliest."""
    return sorted(defects, key=lambda d: -GRAVITY.index(d.severity))


def told(defect: Defect) -> str:
    """A defect as a sentence."""
    where = "" if defect.step is None else f"step {defect.step}: "
    reason = defect.reason.strip()
    end = "" if reason.endswith((".", "!", "?")) else "."
    return f"{where}{reason}{end}"


def _are(names: Sequence[str]) -> str:
    return f"{_list(names)} {'are' if len(names) > 1 else 'is'}"


def _list(names: Sequence[str]) -> str:
    shown = [quoted(name) for name in names]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _say(form: str, dice: random.Random, **values: str) -> str:
    return dice.choice(_phrases()[form]).format(**values)


@cache
def _phrases() -> dict[str, list[str]]:
    text = (resources.files("telejudge_training.judge_data") / "phrases.json").read_text(
        encoding="utf-8"
    )
    return json.loads(text)
