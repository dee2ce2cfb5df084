"""Rows in the forms that other trainers read: chat messages, or instruction, input and output.

    for line in as_chat(row): ...        # {"messages": [{"role": …, "content": …}, …]}
    as_alpaca(row)                       # {"instruction": …, "input": …, "output": …}

The full rows (`rows.py`) hold more and are what our own trainers read.
"""

from __future__ import annotations

from collections.abc import Callable

from telejudge_envs.nouns.base import Noun
from telejudge_training.judge_data.rows import JudgeRow, PolicyRow, Turn

Talk = JudgeRow | PolicyRow


class ChatLine(Noun):
    """As TRL, Axolotl, LLaMA-Factory and the fine-tuning services take conversations."""

    id: str
    messages: tuple[Turn, ...]


class AlpacaLine(Noun):
    """As the reports' own rows were: the system message, the user's, the reply."""

    id: str
    instruction: str
    input: str
    output: str


def as_chat(row: Talk) -> ChatLine:
    return ChatLine(id=row.id, messages=(*row.prompt, *row.completion))


def as_alpaca(row: Talk) -> AlpacaLine:
    by_role = {turn.role: turn.content for turn in (*row.prompt, *row.completion)}
    return AlpacaLine(
        id=row.id,
        instruction=by_role.get("system", ""),
        input=by_role.get("user", ""),
        output=by_role.get("assistant", ""),
    )


FORMS: dict[str, tuple[type[Noun], Callable[[Talk], Noun]]] = {
    "chat": (ChatLine, as_chat),
    "alpaca": (AlpacaLine, as_alpaca),
}
