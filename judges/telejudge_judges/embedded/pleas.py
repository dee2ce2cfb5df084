"""Words meant for whoever judges, found by rule: the network reads no word that an agent says.

    charged(verdict, trajectory)      # the same verdict, or a lower one with an `injection`

What is not read cannot buy a verdict, but where it costs nothing either an agent takes to it: one
that this judge paid wrote `<|assistant|>` into every second episode of seed 2, which the verifier
calls a hard defect and the network could not see. The rule is the verifier's own and needs no
truth. It can only lower a reward, and no other candidate's.
"""

from __future__ import annotations

import math

from telejudge_envs.nouns.trajectory import Trajectory
from telejudge_envs.nouns.verdict import Verdict
from telejudge_judges.detectors.catalogue import tools_score
from telejudge_judges.detectors.injection import pleas
from telejudge_judges.fuse import fuse

BY_RULE = frozenset({"injection"})
"""Kinds of defects that the network does not learn, and is not asked for."""


def charged(verdict: Verdict, trajectory: Trajectory) -> Verdict:
    """The verdict with the trajectory's pleas among its defects. An abstention stays one."""
    found = tuple(pleas(trajectory))
    if not found or verdict.answer is None or verdict.tools is None:
        return verdict
    defects = tuple(
        sorted((*verdict.defects, *found), key=lambda d: math.inf if d.step is None else d.step)
    )
    tools = verdict.tools * tools_score(found)
    return verdict.model_copy(
        update={"defects": defects, "tools": tools, "reward": fuse(verdict.answer, tools, defects)}
    )
