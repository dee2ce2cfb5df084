"""What the agent is told before an episode; the policy inside is tau2's own text."""

from __future__ import annotations

from telejudge_envs.nouns.base import Mode

GREETING = "Hi! How can I help you today?"

_SOLO = (
    "You handle a customer's ticket alone. Tools are your only means: every message must be a tool "
    "call, and nobody reads text. Work by the policy below. When the ticket is settled, or the "
    "policy wants it handed over and you have done so, call done() by itself."
)
_DUAL = (
    "You help a customer who has the phone at hand and his own tools on it. In each turn either "
    "write to him or call one of your tools. Work by the policy below."
)


def system_prompt(policy: str, mode: Mode) -> str:
    return f"{_SOLO if mode == 'solo' else _DUAL}\n\n<policy>\n{policy}\n</policy>"
