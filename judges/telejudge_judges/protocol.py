"""What a judge is: a group in, one verdict for each trajectory out, matched by id."""

from __future__ import annotations

from typing import Protocol

from telejudge_envs.nouns.trajectory import Group
from telejudge_envs.nouns.verdict import GroupVerdict


class Judge(Protocol):
    """Scores a whole group at once. `version` changes whenever its verdicts may change."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    async def judge(self, group: Group) -> GroupVerdict:
        """Return one verdict for every trajectory; abstain instead of inventing a score."""
        ...
