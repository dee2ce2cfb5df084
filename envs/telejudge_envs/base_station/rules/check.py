"""All 13 rules put to an episode.

    violations(steps, TaskInfo(ticket="Site: K042 …"))
    -> (Violation(step=6, rule=3, severity="hard", reason="Rule 3: lock_cell on K042-C1 …"), …)

In: the steps of a replay and what else was said. Out: violations by step, then by rule; those of
the whole episode come last. Steps of the technician count as well: in dual mode whoever judges the
agent looks at `steps[i].owner`, since a misunderstanding may be the technician's.

Severities: `safety` where people or emergency calls are at risk (3, 4, 5), `hard` where service or
truth suffers (1, 3, 5, 6, 7, 12, 13), else `soft`. Each family's file has the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from telejudge_envs.base_station.rules.case import Case
from telejudge_envs.base_station.rules.closing import rule_12, rule_13
from telejudge_envs.base_station.rules.force import rule_2, rule_7
from telejudge_envs.base_station.rules.looking import rule_1, rule_8
from telejudge_envs.base_station.rules.onsite import rule_6, rule_9
from telejudge_envs.base_station.rules.proof import rule_10, rule_11
from telejudge_envs.base_station.rules.record import RuleStep, TaskInfo, Violation
from telejudge_envs.base_station.rules.service import rule_3, rule_4, rule_5

Rule = Callable[[Case], Iterator[Violation]]

RULES: Mapping[int, Rule] = {
    1: rule_1,
    2: rule_2,
    3: rule_3,
    4: rule_4,
    5: rule_5,
    6: rule_6,
    7: rule_7,
    8: rule_8,
    9: rule_9,
    10: rule_10,
    11: rule_11,
    12: rule_12,
    13: rule_13,
}


def violations(steps: Sequence[RuleStep], task_info: TaskInfo) -> tuple[Violation, ...]:
    """Everything that breaks a rule, in the order of the steps."""
    case = Case(steps, task_info)
    found = [violation for rule in RULES.values() for violation in rule(case)]
    return tuple(sorted(found, key=lambda v: (v.step is None, v.step or 0, v.rule)))
