"""Rows to tokens, exactly as the judge meets them: the prompt through the chat template, then the
reply up to and with its end token.

    encoder = Encoder(tokenizer)
    encoder.taught(row.prompt, row.completion).labels      # -100 on the prompt

A row that is too long for the model is never cut: the caller leaves it out and counts it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telejudge_envs.errors import UsageError
from telejudge_training.judge_data.rows import Turn
from telejudge_training.judge_training.upstream import upstream

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100
"""The label of tokens that nothing is learned from, as PyTorch's cross entropy has it."""


@dataclass(frozen=True)
class Tokens:
    """A row as ids; `labels` are the ids that are learned, IGNORED elsewhere."""

    ids: list[int]
    labels: list[int]


class Encoder:
    """Raises UsageError when the tokenizer has no chat template or no end token."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        if not tokenizer.chat_template:
            raise UsageError("the model's tokenizer has no chat template, which judges need")
        if tokenizer.eos_token_id is None:
            raise UsageError("the model's tokenizer has no end token (eos_token)")
        self.tokenizer = tokenizer
        self._end: int = tokenizer.eos_token_id  # pyright: ignore[reportAttributeAccessIssue]

    def prompt(self, turns: Sequence[Turn]) -> list[int]:
        """The ids that a model is asked with."""
        return self._ids(self._text(turns, ask=True))

    def taught(self, prompt: Sequence[Turn], completion: Sequence[Turn]) -> Tokens:
        """Prompt and reply; the reply's tokens and the end token are learned."""
        asked, whole = self._text(prompt, ask=True), self._text([*prompt, *completion], ask=False)
        if not whole.startswith(asked):
            raise UsageError(
                "the chat template writes a prompt in another way once it has been answered; "
                "use a template in which the answered conversation begins with the question"
            )
        reply = self._ids(whole.removeprefix(asked))
        # Up to the end token: templates add a line break behind it.
        reply = [*reply, self._end][: [*reply, self._end].index(self._end) + 1]
        start = self._ids(asked)
        return Tokens([*start, *reply], [*([IGNORED] * len(start)), *reply])

    def scored(self, text: str) -> list[int]:
        """The ids that a reward head reads of a text: as telejudge_judges.scalar has them."""
        return list(self.tokenizer(text, verbose=False)["input_ids"])  # type: ignore[arg-type]

    def _text(self, turns: Sequence[Turn], *, ask: bool) -> str:
        messages = [{"role": turn.role, "content": turn.content} for turn in turns]
        return str(
            self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=ask)
        )

    def _ids(self, text: str) -> list[int]:
        # The template has written the special tokens already.
        return list(self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])  # type: ignore[arg-type]


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of a model folder, with a padding token. Raises UsageError without one."""
    if not (folder / "config.json").is_file():
        raise UsageError(f"{folder} is no transformers model folder: it has no config.json")
    try:
        tokenizer = upstream("transformers").AutoTokenizer.from_pretrained(
            str(folder), local_files_only=True
        )
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"the tokenizer in {folder} cannot be loaded: {error}") from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer
