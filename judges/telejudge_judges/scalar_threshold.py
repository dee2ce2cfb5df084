"""From a reward head's numbers to 0 or 1: a threshold fitted on a dev split.

    python -m telejudge_judges.scalar_threshold runs/reward-head dev.jsonl

reads rollouts whose outcome is known, scores each with the head and writes `threshold.json` beside
it. `fit(scores, labels)` does it for numbers that are already there.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from pydantic import Field, ValidationError

from telejudge_envs.errors import TelejudgeError, UsageError
from telejudge_envs.nouns.base import Noun

FILE = "threshold.json"
SCALES = tuple(10 ** (exponent / 8) for exponent in range(-24, 25))
"""Slopes that are tried, from a thousandth to a thousand, in steps of a third."""


class Threshold(Noun):
    """`threshold` parts 0 from 1; 1/(1+exp(-(score - threshold)/scale)) is the chance of 1."""

    threshold: float = Field(allow_inf_nan=False)
    scale: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    examples: int = 0
    """Trajectories that it was fitted on."""
    accuracy: float | None = None
    """Share of them that it sorts rightly: an upper limit of what to expect elsewhere."""
    fitted_on: str = ""

    @classmethod
    def load(cls, file: Path) -> Threshold:
        """Raises UsageError saying how to make the file when it is missing."""
        try:
            return cls.model_validate_json(file.read_bytes())
        except OSError as error:
            raise UsageError(
                f"there is no {file}: the head's numbers need a threshold; fit it on a dev split "
                f"with `python -m telejudge_judges.scalar_threshold {file.parent} dev.jsonl`"
            ) from error
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise UsageError(f"{file} is no threshold: {first['loc']}: {first['msg']}") from error

    def chance(self, score: float) -> float:
        """The chance that the answer is 1."""
        z = (score - self.threshold) / self.scale
        small = math.exp(-abs(z))
        return (1.0 if z >= 0 else small) / (1.0 + small)


def fit(scores: Sequence[float], labels: Sequence[int], fitted_on: str = "") -> Threshold:
    """The threshold of highest accuracy, halfway between the scores that it parts.

    Of several such the one with the widest gap, then the lowest. `scale` makes the chances likely.
    Raises UsageError unless both labels occur.
    """
    if len(scores) != len(labels) or set(labels) != {0, 1}:
        raise UsageError("a threshold is fitted on scores with both labels, 0 and 1, among them")
    if not all(map(math.isfinite, scores)):
        raise UsageError("a threshold cannot be fitted on scores that are not finite")
    rows = sorted(zip(scores, labels, strict=True))
    values = [score for score, _ in rows]
    right = sum(labels)  # everything is called 1 below the lowest score
    best = (right, 0.0, -(values[0] - 1.0))
    for (score, label), (following, _) in pairwise(rows):
        right += 1 - 2 * label
        if following > score:
            best = max(best, (right, following - score, -(score + following) / 2))
    right += 1 - 2 * rows[-1][1]
    best = max(best, (right, 0.0, -(values[-1] + 1.0)))
    found = Threshold(
        threshold=-best[2],
        examples=len(rows),
        accuracy=best[0] / len(rows),
        fitted_on=fitted_on,
    )
    tried = [found.model_copy(update={"scale": scale}) for scale in SCALES]
    return min(tried, key=lambda t: _surprise(t, rows))


def _surprise(threshold: Threshold, rows: Sequence[tuple[float, int]]) -> float:
    """Mean negative log-likelihood."""
    chances = [(threshold.chance(score), label) for score, label in rows]
    told = [c if label else 1 - c for c, label in chances]
    return -math.fsum(math.log(max(c, 1e-12)) for c in told) / len(told)


def fit_folder(folder: Path, rollouts: Path, *, device: str = "cpu") -> Threshold:
    """Fit on a rollout file and write `threshold.json` into the model's folder."""
    from telejudge_envs import store
    from telejudge_envs.groups import groups_of, outcomes_of
    from telejudge_envs.nouns.trajectory import Rollout
    from telejudge_envs.registry import open_world
    from telejudge_judges.briefing import WorldBriefings
    from telejudge_judges.scalar import Reader, RewardHead
    from telejudge_judges.sitting import briefing_of

    read = list(store.read(rollouts, Rollout))
    outcomes, reader = outcomes_of(read), Reader(RewardHead(folder, device=device))
    briefings = WorldBriefings(open_world)
    scores, labels = [], []
    for group in groups_of(read):
        brief, _ = briefing_of(briefings, group.task)
        for one in group.trajectories:
            score = reader.score(group, one, brief) if one.id in outcomes else "unknown"
            if not isinstance(score, str):
                scores.append(score)
                labels.append(outcomes[one.id].answer)
    found = fit(scores, labels, fitted_on=rollouts.name)
    (folder / FILE).write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return found


def main() -> None:
    """Fit the threshold of a folder and say what was found."""
    parser = argparse.ArgumentParser(description="Fit a reward head's threshold on a dev split.")
    parser.add_argument("folder", type=Path, help="transformers model with one logit")
    parser.add_argument("rollouts", type=Path, help="rollout file with known outcomes")
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    try:
        found = fit_folder(given.folder, given.rollouts, device=given.device)
    except TelejudgeError as error:
        parser.error(str(error))
    print(
        f"threshold {found.threshold:.4g}, scale {found.scale:.3g}: {found.accuracy:.1%} of "
        f"{found.examples} trajectories; written to {given.folder / FILE}"
    )


if __name__ == "__main__":
    main()
