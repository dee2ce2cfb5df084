"""Text without content, to see whether a judge pays for length.

    padded(exam.group, seed=0)      # the group with some candidates' last words made longer

About half of the candidates are padded, so that in a group they stand beside others as they were.
"""

from __future__ import annotations

import random

from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.trajectory import Group, Trajectory
from telejudge_judges.opaque import digest

SENTENCES = (
    "To sum this up, what is described above is what was done, and it was done as described above.",
    "All of this was considered with care and in the order in which it came.",
    "In other words, the points that matter are the ones that have been named already.",
    "Nothing further has to be added to this, beyond what has been said.",
    "This statement is meant as a summary, and a summary it remains.",
    "As can be seen from what precedes, one thing led to another until the end was reached.",
    "It goes without saying that everything was taken into account that was to be accounted for.",
    "With this in mind, and with everything else in mind as well, this is the result as it stands.",
)

AMOUNT = 6
"""Sentences added."""


def padded(group: Group, seed: int) -> tuple[Group, dict[str, str]]:
    """The changed group, and the ids of the padded candidates (they keep them)."""
    dice = random.Random(f"{seed}|padding|{group.id}")
    size = len(group.trajectories)
    chosen = set(dice.sample(range(size), max(1, size // 2)))
    members = tuple(_pad(t, dice) if i in chosen else t for i, t in enumerate(group.trajectories))
    touched = {members[i].id: members[i].id for i in chosen}
    changed = group.model_copy(
        update={"id": f"{group.id}-padded-{digest(str(seed))[:4]}", "trajectories": members}
    )
    return changed, touched


def _pad(trajectory: Trajectory, dice: random.Random) -> Trajectory:
    """Add to the last thing the agent said; one that never spoke gets a last word of its own."""
    text = " ".join(dice.sample(SENTENCES, AMOUNT))
    messages = list(trajectory.messages)
    for i in range(len(messages) - 1, -1, -1):
        if messages[i].role == "assistant" and messages[i].text.strip():
            longer = f"{messages[i].text} {text}"
            messages[i] = messages[i].model_copy(update={"text": longer})
            break
    else:
        last = max((i for i, m in enumerate(messages) if m.role == "assistant"), default=None)
        if last is None:
            messages.append(Message(role="assistant", text=text))
        else:
            messages[last] = messages[last].model_copy(update={"text": text})
    return trajectory.model_copy(update={"messages": tuple(messages)})
