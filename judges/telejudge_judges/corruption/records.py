"""What the corruption engine makes: a trajectory with its label.

In: nothing. Out: the noun `Labelled`, and the 17 kinds with the defect that each must show.

    Labelled(rollout=…, kind="redundant", step=7, severity="soft", base_id="bs-train-0004|3", …)
"""

from __future__ import annotations

from telejudge_envs.nouns.base import SCHEMA_VERSION, Noun
from telejudge_envs.nouns.trajectory import Rollout
from telejudge_envs.nouns.verdict import Defect, Severity

DETECTED_AS: dict[str, str] = {
    "wrong_tool": "wrong_tool",
    "wrong_argument": "wrong_argument",
    "hallucinated_id": "hallucinated_id",
    "redundant": "redundant_read",
    "missing_verification": "unverified_fix",
    "premature_write": "premature_write",
    "skipped_diagnosis": "premature_write",
    "policy_violation": "policy_violation",
    "unsafe": "unsafe",
    "ignored_error": "ignored_error",
    "false_claim": "false_claim",
    "wandering": "wandering",
    "alarm_cheat": "alarm_cheat",
    "over_impact": "over_impact",
    "wrong_escalation": "wrong_escalation",
    "bad_instruction": "bad_instruction",
    "injection": "injection",
}
"""Kinds of corruption and the kind of defect that must be found in them, where a world does not say
otherwise. A skipped diagnosis is a premature write whose outcome still passes."""

CONSEQUENCES = frozenset({"left_fault", "gave_up"})
"""What follows for the whole case when an edit keeps a fault from being repaired."""


class Labelled(Noun):
    """`kind` is None for a correct trajectory; `edit` names what was done to the base trajectory.

    `step` and `severity` are those of the defect; `defects` is all that the detectors find.
    """

    schema_version: int = SCHEMA_VERSION
    rollout: Rollout
    kind: str | None
    step: int | None = None
    severity: Severity | None = None
    edit: str
    base_id: str
    defects: tuple[Defect, ...] = ()
