"""The operator's policy as the agent reads it: `policy.md`, with what holds in its mode.

    policy_text("solo")     # says that the agent holds the field tools as well
    policy_text("dual")     # says that a technician holds them

Its 13 rules are predicates in `rules/`.
"""

from __future__ import annotations

import functools
import re
from importlib import resources

from telejudge_envs.nouns.base import Mode

_BLOCK = re.compile(r"<!-- (\w+) -->\n(.*?)<!-- end -->\n", re.S)


@functools.cache
def policy_text(mode: Mode) -> str:
    """The policy without the paragraphs that are meant for the other mode."""
    text = (resources.files("telejudge_envs.base_station") / "policy.md").read_text("utf-8")
    return _BLOCK.sub(lambda found: found[2] if found[1] == mode else "", text)
