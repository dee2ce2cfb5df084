"""How good a judge is on groups of known truth, as a line for the curves.

    checked(parts, groups)      # {"accuracy": 0.93, "defects_f1": 0.78, …}

The full examination, with intervals, attacks and orders, is `telejudge eval judge`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from telejudge_judges.embedded.folder import Parts, encoder
from telejudge_judges.embedded.pleas import BY_RULE
from telejudge_judges.embedded.sheet import sheet_of
from telejudge_judges.embedded.writing import write
from telejudge_training.embedded_judge.pools import LabelledPool, case_from


def checked(parts: Parts, groups: Sequence[LabelledPool]) -> dict[str, Any]:
    """Share of right answers, and F1 of (call, defect) over all defects that it was to learn."""
    encode, spec = encoder(parts.tokenizer), parts.spec
    right = count = hits = said_all = true_all = 0
    for group in groups:
        for start in range(0, len(group.members), spec.shape.candidates):
            part = group.members[start : start + spec.shape.candidates]
            kinds = spec.kinds(group.view.world)
            case = case_from(group.view, part, kinds)
            for one, said in zip(
                part, write(parts.network, sheet_of(case, spec, encode)), strict=True
            ):
                named = {(step, spec.defect(label)[0]) for step, label in said.defects}
                named = {(step, kind) for step, kind in named if kind not in BY_RULE}
                defects = [d for d in one.truth.defects or () if d.kind not in BY_RULE]
                true = {(d.step, d.kind) for d in defects}
                right += said.answer == one.truth.answer
                count += 1
                hits += len(named & true)
                said_all += len(named)
                true_all += len(true)
    return {
        "accuracy": round(right / max(1, count), 4),
        "defects_f1": round(2 * hits / max(1, said_all + true_all), 4),
    }
