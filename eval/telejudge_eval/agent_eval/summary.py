"""Everything that is said of one agent, from its episodes; and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from telejudge_eval.agent_eval.differences import Row, differences
from telejudge_eval.agent_eval.measures import OF_USERS, SAMPLES, Figure, by_task, measure, parts
from telejudge_eval.agent_eval.records import Episode
from telejudge_eval.agent_eval.versus import Versus


@dataclass(frozen=True)
class AgentSummary:
    """`name` is the agent and its mode; `parts` as measures.parts gives them."""

    name: str
    episodes: tuple[Episode, ...]
    figures: Mapping[str, Figure]
    parts: Mapping[str, Mapping[str, Mapping[str, Figure]]]
    differences: tuple[Row, ...]

    @property
    def tasks(self) -> int:
        return len(by_task(self.episodes))


def summarise_agent(
    name: str, episodes: Sequence[Episode], *, samples: int = SAMPLES, seed: int = 0
) -> AgentSummary:
    return AgentSummary(
        name=name,
        episodes=tuple(episodes),
        figures=measure(episodes, samples=samples, seed=seed),
        parts=parts(episodes, samples=samples, seed=seed),
        differences=tuple(differences(episodes)),
    )


def as_json(summaries: Sequence[AgentSummary], against: Versus | None = None) -> dict[str, Any]:
    """Plain JSON values; figures as {value, low, high, tasks}."""
    return {
        "agents": [
            {
                "agent": one.name,
                "tasks": one.tasks,
                "episodes": len(one.episodes),
                "excused": sum(e.excused is not None for e in one.episodes),
                "measures": {
                    name: f._asdict()
                    for name, f in one.figures.items()
                    if f.value is not None or name not in OF_USERS
                },
                "parts": {
                    kind: {
                        value: {name: f._asdict() for name, f in figures.items()}
                        for value, figures in values.items()
                    }
                    for kind, values in one.parts.items()
                },
                "differences": [row._asdict() for row in one.differences],
            }
            for one in summaries
        ],
        "against": None
        if against is None
        else {
            "tasks": against.tasks,
            "left_out": against.left_out,
            "measures": {
                line.name: {
                    "first": line.first,
                    "second": line.second,
                    "tasks": line.tasks,
                    **line.difference._asdict(),
                }
                for line in against.lines
            },
        },
    }
