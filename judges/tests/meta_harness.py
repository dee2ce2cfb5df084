"""What the meta-judge's tests share: opinions on one trajectory, sifted at a scripted server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Literal

from kinds_harness import Fixed, judged_at

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.nouns.verdict import Defect, GroupVerdict
from telejudge_judges import practice
from telejudge_judges.ensemble import EnsembleJudge
from telejudge_judges.meta_judge import MetaJudge
from telejudge_judges.testing import SAMPLES, sample_group

ONE = sample_group(SAMPLES[0])
NAME = SAMPLES[0].id
INVENTED = Defect(step=1, kind="unsafe_power", severity="safety", reason="It cut the power.")

Said = tuple[Literal[0, 1], float, tuple[Defect, ...]] | str


def sifted(*said: Said, script: fake.Script = practice.answer, **options: Any) -> GroupVerdict:
    """What an ensemble of these opinions on one trajectory says after the meta-judge."""
    members = [Fixed({NAME: one}) for one in said]
    return judged_at(script, lambda c: EnsembleJudge(members, meta=MetaJudge(c, **options)), ONE)


GOOD: Said = (1, 0.9, ())
BAD: Said = (0, 0.2, ())


def shown_to(server: fake.FakeEndpoint) -> list[str]:
    return [fake.texts(request)[0] for request in server.requests]


def opinion_lines(text: str) -> dict[str, Any]:
    lines = re.findall(r'^(\w{4,}): (\{"answer".*)$', text, re.MULTILINE)
    return {name: json.loads(told) for name, told in lines}


def ruled(request: dict[str, Any], rule: Callable[[Any], object]) -> fake.Reply:
    lines = opinion_lines(fake.texts(request)[0])
    rulings = {name: {"reason": "so", "supported": rule(one)} for name, one in lines.items()}
    return fake.say(json.dumps({"opinions": rulings}))
