"""A judge and a group in, its verdict out: the one door through which commands and trainers ask,
so that every judgement shows in a trace (see telejudge_envs.tracing)."""

from __future__ import annotations

from telejudge_envs import tracing
from telejudge_envs.nouns.trajectory import Group
from telejudge_envs.nouns.verdict import GroupVerdict
from telejudge_judges.protocol import Judge


@tracing.around(tracing.judgement)
async def ask(judge: Judge, group: Group) -> GroupVerdict:
    """What `judge.judge(group)` says."""
    return await judge.judge(group)
