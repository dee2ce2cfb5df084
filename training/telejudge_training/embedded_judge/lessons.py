"""Candidates of known truth in, rows of cells with the labels to learn out.

lesson = lesson_of(view, dealt, spec, encode, weights)
lesson.cells, lesson.labels          # labels: (place, label, weight)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from telejudge_envs.nouns.task import TaskView
from telejudge_judges.embedded.sheet import Cell, Encode, Role, Sheet, Spot, sheet_of
from telejudge_judges.embedded.spec import CLEAR, EmbeddedSpec
from telejudge_training.embedded_judge.pools import Labelled, case_from
from telejudge_training.embedded_judge.settings import LearningSettings


class Label(NamedTuple):
    place: int
    """The cell after which the label is to be written."""
    value: int
    weight: float


class Lesson(NamedTuple):
    cells: list[Cell]
    labels: list[Label]


def lesson_of(
    view: TaskView,
    dealt: Sequence[Labelled],
    spec: EmbeddedSpec,
    encode: Encode,
    settings: LearningSettings,
) -> Lesson:
    case = case_from(view, dealt, spec.kinds(view.world))
    sheet = sheet_of(case, spec, encode)
    truth = truths_of(sheet, dealt, spec)
    cells = list(sheet.read)
    labels = list(_hints(sheet, truth, settings)) if settings.hint else []
    for spot in sheet.spots:
        cells.append(Cell(Role.MARK, candidate=spot.candidate, step=spot.step))
        answers = spot.step == sheet.answer
        weight = settings.answer if answers else settings.defect
        for value in truth[spot]:
            labels.append(Label(len(cells) - 1, value, weight))
            cells.append(Cell(Role.LABEL, value=value))
        if not answers:
            labels.append(Label(len(cells) - 1, CLEAR, 1.0))
    return Lesson(cells, labels)


def truths_of(
    sheet: Sheet, dealt: Sequence[Labelled], spec: EmbeddedSpec
) -> dict[Spot, tuple[int, ...]]:
    """The labels to write at each spot: defects in ascending order, then right or wrong. A defect
    of no call, or of one that is not there, is one of the whole."""
    found: dict[Spot, set[int]] = {spot: set() for spot in sheet.spots}
    for number, one in enumerate(dealt):
        for defect in one.truth.defects or ():
            label = spec.label(defect.kind, defect.severity)
            spot = Spot(number, sheet.end if defect.step is None else defect.step)
            if label is not None:
                found[spot if spot in found else Spot(number, sheet.end)].add(label)
        answer = spec.right if one.truth.answer else spec.wrong
        found[Spot(number, sheet.answer)] = {answer}
    return {spot: tuple(sorted(labels)) for spot, labels in found.items()}


def _hints(sheet: Sheet, truth: dict[Spot, tuple[int, ...]], settings: LearningSettings):
    """At the cell of each call its first label, at the end of a candidate its answer."""
    for place, cell in enumerate(sheet.read):
        if cell.role == Role.STEP:
            first = truth[Spot(cell.candidate, cell.step)][:1]
            weight = settings.hint * (settings.defect if first else 1.0)
            yield Label(place, first[0] if first else CLEAR, weight)
        elif cell.role == Role.STOP:
            answer = truth[Spot(cell.candidate, sheet.answer)][0]
            yield Label(place, answer, settings.hint * settings.answer)
