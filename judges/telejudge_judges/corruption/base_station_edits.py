"""The base-station world with all its edits: what `stage_of("base-station")` gives."""

from __future__ import annotations

from telejudge_judges.corruption import aim, force, handle, haste, look, rulebook, words
from telejudge_judges.corruption.alternatives import ALTERNATIVES
from telejudge_judges.corruption.base_station import BaseStationStage
from telejudge_judges.corruption.records import DETECTED_AS
from telejudge_judges.corruption.script import Edit


class EditedBaseStation(BaseStationStage):
    """The stage with the edits of every family."""

    alternatives = ALTERNATIVES
    dual_kinds = frozenset({"bad_instruction"})
    detected_as = DETECTED_AS

    @property
    def edits(self) -> dict[str, tuple[Edit, ...]]:
        found: dict[str, tuple[Edit, ...]] = {}
        for family in (look, haste, aim, force, rulebook, handle, words):
            for kind, edits in family.EDITS.items():
                found[kind] = (*found.get(kind, ()), *edits)
        return found


STAGE = EditedBaseStation
