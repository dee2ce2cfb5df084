"""Numeric problems in TeleMath's form for lm-evaluation-harness, and their scores.

    lm_eval --include_path "$(telejudge eval lm-eval-tasks)" --tasks telemath,telemath_cons8 \\
        --metadata '{"telemath": "telemath.json"}' --model hf --model_args pretrained=…

The path is `telemath` in the metadata, else the environment variable TELEJUDGE_TELEMATH; the path
`own` means the dozen problems that ship with telejudge, which are none of TeleMath's. `pass@1` is
the share of right samples, `cons@8` whether the value that most of the eight gave is right.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from telejudge_envs.errors import UsageError
from telejudge_training.judge_data.numeric import consensus, numeric_reward
from telejudge_training.judge_data.policy_rows import MATH_SYSTEM
from telejudge_training.judge_data.problems import our_problems, read_problems

VARIABLE = "TELEJUDGE_TELEMATH"
OWN = "own"


def telemath(*, telemath: str | None = None, **_: Any) -> dict[str, Any]:
    """The split `test`. Raises UsageError without a path."""
    from datasets import Dataset

    path = telemath or os.environ.get(VARIABLE)
    if not path:
        raise UsageError(
            f'where are the problems? Give --metadata \'{{"telemath": "PATH"}}\' or set '
            f"{VARIABLE}; the path 'own' is a dozen of telejudge's own"
        )
    problems = our_problems() if path == OWN else read_problems(Path(path))
    return {
        "test": Dataset.from_list(
            [
                {
                    "question": problem.question,
                    "prompt": f"{MATH_SYSTEM}\n\nProblem: {problem.question}\n\nSolution:",
                    "answer": str(problem.answer),
                    "category": problem.category,
                    "difficulty": problem.difficulty,
                }
                for problem in problems
            ]
        )
    }


def scores(doc: Mapping[str, Any], results: Sequence[str | Sequence[str]]) -> dict[str, float]:
    """`pass@1` of one reply or of all samples; `cons@k` where there are k of them."""
    [given] = results
    replies = [given] if isinstance(given, str) else list(given)
    answer, question = doc["answer"], doc["question"]
    right = fmean(numeric_reward(reply, answer, question) for reply in replies)
    if len(replies) == 1:
        return {"pass@1": right}
    return {"pass@1": right, f"cons@{len(replies)}": consensus(replies, answer, question)}
