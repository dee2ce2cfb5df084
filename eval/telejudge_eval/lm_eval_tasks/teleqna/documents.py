"""TeleQnA's questions for lm-evaluation-harness, read from the packed file, in memory.

    lm_eval --include_path "$(telejudge eval lm-eval-tasks)" --tasks teleqna \\
        --metadata '{"teleqna": "TeleQnA.zip"}' --model hf --model_args pretrained=…

The path is `teleqna` in the metadata, else the environment variable TELEJUDGE_TELEQNA. Further
metadata: `seed` of the shuffled variant, and `part` (test, judge, rl) for one of telejudge's parts.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from telejudge_envs.errors import UsageError
from telejudge_envs.teleqna import Question, read_all
from telejudge_envs.teleqna_choice import CATEGORIES, LETTERS, as_choice, askable, prompt

VARIABLE = "TELEJUDGE_TELEQNA"

_read: dict[str, tuple[Question, ...]] = {}


def teleqna(
    *,
    category: str,
    shuffled: bool = False,
    teleqna: str | None = None,
    seed: int = 0,
    part: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    """The split `test`: one category. Raises UsageError without a path or for an unknown name."""
    from datasets import Dataset

    path = teleqna or os.environ.get(VARIABLE)
    if not path:
        raise UsageError(
            f'where is TeleQnA.zip? Give --metadata \'{{"teleqna": "PATH"}}\' or set {VARIABLE}'
        )
    if category not in CATEGORIES or part not in (None, "test", "judge", "rl"):
        raise UsageError(f"TeleQnA has no category '{category}' or telejudge no part '{part}'")
    if path not in _read:
        _read[path] = askable(read_all(Path(path)))
    rows: list[dict[str, Any]] = []
    for question in _read[path]:
        if question.category == category and part in (None, question.part):
            asked = as_choice(question, shuffled_by=seed if shuffled else None)
            rows.append(
                {
                    "id": asked.id,
                    "prompt": prompt(asked),
                    "letters": list(LETTERS[: len(asked.options)]),
                    "right": asked.right,
                }
            )
    return {"test": Dataset.from_list(rows)}
