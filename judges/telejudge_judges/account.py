"""What judging a group costs, and what is worth a note.

account = Account()
account.note("policy digested from 900 to 300 characters")
account.add("listwise", Account.of(verdict))        # a member's costs, its notes under its name
"""

from __future__ import annotations

from dataclasses import dataclass, field

from telejudge_envs.endpoint import Meter
from telejudge_envs.nouns.verdict import GroupVerdict


@dataclass
class Account:
    """What judging one group cost, and what is worth a note."""

    meter: Meter = field(default_factory=Meter)
    cached: int = 0
    notes: dict[str, None] = field(default_factory=dict)

    @classmethod
    def of(cls, verdict: GroupVerdict) -> Account:
        """What a verdict says that it cost."""
        account = cls(cached=verdict.cached_calls)
        account.meter.add(
            requests=verdict.calls,
            prompt_tokens=verdict.prompt_tokens,
            completion_tokens=verdict.completion_tokens,
        )
        account.note(*verdict.notes)
        return account

    def note(self, *texts: str) -> None:
        """Add notes, each text once."""
        self.notes.update(dict.fromkeys(texts))

    def add(self, name: str, other: Account) -> None:
        """Another's costs, and its notes under its name."""
        spent = other.meter.usage
        self.cached += other.cached
        self.meter.add(
            requests=spent.requests,
            prompt_tokens=spent.prompt_tokens,
            completion_tokens=spent.completion_tokens,
        )
        self.note(*(f"{name}: {note}" for note in other.notes))
