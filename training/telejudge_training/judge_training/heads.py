"""What the two trainers of reward heads have in common: the threshold that makes 0 and 1 of their
numbers, fitted on the validation rows, so that `--judge scalar` opens the folder.

    finish(shop, model, folder)      # writes folder/threshold.json
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from telejudge_judges.scalar_threshold import FILE, fit
from telejudge_training.judge_data.rows import RankedRow
from telejudge_training.judge_training.material import Row
from telejudge_training.judge_training.upstream import upstream
from telejudge_training.judge_training.workshop import Workshop


def finish(shop: Workshop, model: Any, folder: Path) -> dict[str, Any]:
    """Fit and write the threshold; returns what it sorts rightly. Raises UsageError when the
    validation rows have right candidates only, or wrong ones only."""
    texts = labelled(shop.material.dev)
    kept = {t: label for t, label in texts.items() if _fits(shop, t)}
    scores = _scores(shop, model, list(kept))
    found = fit(scores, list(kept.values()), fitted_on=f"{len(kept)} validation candidates")
    (folder / FILE).write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return {
        "threshold": found.threshold,
        "threshold_accuracy": found.accuracy,
        "threshold_candidates": found.examples,
    }


def labelled(rows: list[Row]) -> dict[str, int]:
    """Every text that a head would read in `rows`, once, with its answer."""
    texts: dict[str, int] = {}
    for row in rows:
        if isinstance(row, RankedRow):
            texts |= {
                row.prompt + response: answer
                for response, answer in zip(row.responses, row.answers, strict=True)
            }
        else:
            texts[row.prompt + row.chosen] = row.chosen_answer  # type: ignore[union-attr]
            texts[row.prompt + row.rejected] = row.rejected_answer  # type: ignore[union-attr]
    return texts


def _fits(shop: Workshop, text: str) -> bool:
    return len(shop.encoder.scored(text)) <= shop.recipe.loop.max_tokens


def _scores(shop: Workshop, model: Any, texts: list[str]) -> list[float]:
    """One at a time, as the judge reads them: padding would move the numbers."""
    torch = upstream("torch")
    model.eval()
    with torch.inference_mode():
        return [
            float(
                model(torch.tensor([shop.encoder.scored(text)], device=model.device)).logits[0, 0]
            )
            for text in texts
        ]
