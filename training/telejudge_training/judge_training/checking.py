"""A trained judge's own replies to validation rows: how many verdicts are right.

    verdict_figures(model, encoder, rows, reply_tokens=256)
    # {"verdicts": 0.91, "unreadable": 0.0, "verified": 1.2, …}

A first look for the summary of a run; telejudge_eval measures judges properly.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from telejudge_training.judge_data.rows import JudgeRow
from telejudge_training.judge_training.encode import Encoder
from telejudge_training.judge_training.settings import GrpoSettings
from telejudge_training.judge_training.upstream import upstream
from telejudge_training.judge_training.verdict_rewards import score_reply
from telejudge_training.judge_training.workshop import Workshop

AT_ONCE = 8


def finish(shop: Workshop, model: Any, folder: Path) -> dict[str, Any]:
    """Figures of the first `dev_replies` validation rows; nothing when that is 0."""
    most = shop.recipe.loop.dev_replies
    rows = [row for row in shop.material.dev if isinstance(row, JudgeRow)][:most]
    if not rows:
        return {}
    longest = max(shop.recipe.grpo.max_reply_tokens, shop.recipe.distil.max_reply_tokens)
    return {"dev": verdict_figures(model, shop.encoder, rows, reply_tokens=longest)}


def verdict_figures(
    model: Any, encoder: Encoder, rows: Sequence[JudgeRow], *, reply_tokens: int
) -> dict[str, float]:
    """Shares over all candidates of `rows` (`verdicts`) and over replies (`unreadable`); defects
    are counted a reply."""
    said = replies(model, encoder, rows, reply_tokens)
    scored = [
        score_reply(reply, row.codec, row.shown, GrpoSettings())
        for reply, row in zip(said, rows, strict=True)
    ]
    count = len(rows)
    return {
        "rows": count,
        "verdicts": sum(one.right for one in scored) / sum(one.shown for one in scored),
        "unreadable": sum(not one.readable for one in scored) / count,
        "verified": sum(one.verified for one in scored) / count,
        "false_alarms": sum(one.false_alarms for one in scored) / count,
    }


def replies(model: Any, encoder: Encoder, rows: Sequence[JudgeRow], reply_tokens: int) -> list[str]:
    """The most likely reply to each row, token by token."""
    return most_likely(model, encoder, [encoder.prompt(row.prompt) for row in rows], reply_tokens)


def most_likely(
    model: Any, encoder: Encoder, prompts: Sequence[list[int]], reply_tokens: int
) -> list[str]:
    """Greedy replies of at most `reply_tokens` to prompts as token ids, a few at a time."""
    torch, tokenizer = upstream("torch"), encoder.tokenizer
    model.eval()
    found: list[str] = []
    for start in range(0, len(prompts), AT_ONCE):
        some = prompts[start : start + AT_ONCE]
        widest = max(map(len, some))
        pad = tokenizer.pad_token_id
        ids = [[pad] * (widest - len(p)) + p for p in some]  # type: ignore[operator]
        seen = [[0] * (widest - len(p)) + [1] * len(p) for p in some]
        with torch.inference_mode():
            out = model.generate(
                input_ids=torch.tensor(ids, device=model.device),
                attention_mask=torch.tensor(seen, device=model.device),
                max_new_tokens=reply_tokens,
                do_sample=False,
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=pad,
            )
        found += tokenizer.batch_decode(out[:, widest:], skip_special_tokens=True)
    return found
