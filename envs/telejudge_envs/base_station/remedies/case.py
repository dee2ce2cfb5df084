"""A fault as a remedy looks at it: the state, the spec, the ids of what is about its place.

In: the world as it is and an atom. Out: a Case, from which plans take the arguments of their calls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from telejudge_envs.base_station.atoms import object_of
from telejudge_envs.base_station.parts import part
from telejudge_envs.base_station.spec import Spec
from telejudge_envs.base_station.state import RanDB, Site

Call = tuple[str, dict[str, Any]]
"""A tool and its arguments."""


@dataclass(frozen=True)
class Case:
    """`i` is the sector, 0 for faults of the whole site. Ids that fit nothing stand in for what is
    not to be had, so that the world refuses the call."""

    db: RanDB
    spec: Spec
    site: Site
    atom: str
    i: int
    variant: dict[str, Any]

    def id(self, suffix: str, number: int | None = None) -> str:
        return part(self.site.id, suffix, number)

    @property
    def s(self) -> str:
        return self.site.id

    @property
    def cell(self) -> str:
        return self.id("C", self.i)

    @property
    def rru(self) -> str:
        return self.id("R", self.i)

    @property
    def optic(self) -> str:
        return f"{self.id('O', self.i)}/{self.variant.get('end', 'bbu')}"

    def spare(self, kind: str) -> str:
        """The first spare of the type that is not used; an id that fits nothing when none is."""
        return next((s.id for s in self.db.spares if s.type == kind and not s.used), "none")

    def change(self) -> str:
        """The id of the unapproved change behind the fault."""
        wanted = object_of(self.db, self.s, self.atom)
        return next(
            (
                c.id
                for c in self.db.changes
                if c.object_id == wanted and not c.approved and not c.rolled_back
            ),
            "none",
        )

    def planned(self, object_id: str, attribute: str) -> Any:
        return self.db.plan[f"{object_id}.{attribute}"]

    @property
    def hub_port(self) -> str:
        return self.db.links[self.s].a


Plan = Callable[[Case], list[Call]]
"""The calls that a case asks for, in order."""
