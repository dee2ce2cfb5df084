"""Rows and a model in, a judge's run folder out; one function for all kinds of training.

    summary = train_judge(recipe, Sources(rows=…, model=…), Path("runs/judge"), seed=0)

| in the folder | what |
|---|---|
| `run.json` | settings, seed, versions, digests of rows and model |
| `metrics.jsonl`, `curves.png` | what was logged at every update and check |
| `work/` | TRL's checkpoints: the best and the last |
| `model/` | the trained model, adapters merged; reward heads with their threshold |
| `summary.json` | what came out; written last |

Killed and started again, a run goes on from its last whole checkpoint and ends with the same bytes.
"""

from __future__ import annotations

import hashlib
import platform
import time
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from telejudge_envs.errors import UsageError
from telejudge_training.files import read_json, write_json
from telejudge_training.judge_training import checkpoints
from telejudge_training.judge_training.encode import Encoder, load_tokenizer
from telejudge_training.judge_training.material import gather
from telejudge_training.judge_training.pictures import draw
from telejudge_training.judge_training.settings import JudgeRecipe, Kind
from telejudge_training.judge_training.upstream import hush, upstream
from telejudge_training.judge_training.workshop import Workshop
from telejudge_training.settings import Settings

TRAINERS: dict[Kind, str] = {
    "sft": "sft",
    "pointwise": "sft",
    "pairs": "sft",
    "bt": "bradley_terry",
    "rrhf": "rrhf",
    "grpo": "judge_grpo",
    "permutation": "judge_grpo",
    "opd": "distil",
}
"""The module that builds a kind's trainer: `build(shop)` gives it; `finish(shop, model, folder)`,
where there is one, adds to the written model and to the summary."""

PACKAGES = ("trl", "transformers", "torch", "peft", "accelerate", "datasets")


class Sources(Settings):
    """Files of a run. Without `dev`, dev rows come from `rows`. `teacher` is for `opd`."""

    rows: Path
    model: Path
    dev: Path | None = None
    teacher: Path | None = None


def train_judge(
    recipe: JudgeRecipe,
    sources: Sources,
    run_dir: Path,
    seed: int,
    on_line: Any = None,
) -> dict[str, Any]:
    """Run or resume; returns what summary.json holds. A finished run is not repeated.

    `on_line(step, steps, line)` is called for every line of metrics.jsonl. Raises UsageError and
    DataError for rows, models or folders that do not fit, MissingExtraError without TRL.
    """
    torch = upstream("torch")
    upstream("trl")
    hush()
    resumed = _claim(recipe, sources, run_dir, seed)
    if (done := run_dir / "summary.json").exists():
        return read_json(done)
    threads = torch.get_num_threads()
    torch.set_num_threads(recipe.device.threads)
    try:
        shop = _open(recipe, sources, run_dir, seed)
        summary = {"resumed": resumed, **_train(shop, run_dir, on_line)}
    finally:
        torch.set_num_threads(threads)
    write_json(done, summary)
    return summary


def _open(recipe: JudgeRecipe, sources: Sources, run_dir: Path, seed: int) -> Workshop:
    material = gather(recipe, rows=sources.rows, dev=sources.dev, seed=seed)
    return Workshop(
        recipe,
        material,
        Encoder(load_tokenizer(sources.model)),
        model=sources.model,
        work=run_dir / "work",
        seed=seed,
        teacher=sources.teacher,
    )


def _train(shop: Workshop, run_dir: Path, on_line: Any) -> dict[str, Any]:
    from telejudge_training.judge_training.watching import Curves, EarlyStop, Marker

    started = time.perf_counter()
    module = import_module(f"{__package__}.{TRAINERS[shop.recipe.kind]}")
    checkpoints.clean(shop.work)
    trainer = module.build(shop)
    trainer.remove_callback(upstream("transformers").PrinterCallback)
    metrics = run_dir / "metrics.jsonl"
    trainer.add_callback(Curves(metrics, on_line))
    trainer.add_callback(Marker(shop.work))
    if trainer.args.load_best_model_at_end:
        trainer.add_callback(EarlyStop(shop.recipe.loop.patience))
    _run(trainer, shop)
    folder = run_dir / "model"
    trained = _merged(trainer.model)
    trained.save_pretrained(folder)
    shop.encoder.tokenizer.save_pretrained(folder)
    finish = getattr(module, "finish", None)
    extra = finish(shop, trained, folder) if finish else {}
    draw(metrics, run_dir / "curves.png")
    return {
        "kind": shop.recipe.kind,
        "recipe": shop.recipe.name,
        "seed": shop.seed,
        "steps": trainer.state.global_step,
        "best_step": trainer.state.best_global_step,
        "best_dev_loss": trainer.state.best_metric,
        "rows": {"train": len(shop.material.train), "dev": len(shop.material.dev)},
        "left_out": dict(shop.material.left_out),
        "parameters": trained.num_parameters(),
        **extra,
        "seconds": round(time.perf_counter() - started, 2),
    }


def _run(trainer: Any, shop: Workshop) -> None:
    """Train from the last whole checkpoint; from one at which training was over, only take the
    best model up."""
    found = checkpoints.last(shop.work)
    if found is not None and _over(checkpoints.state(found), trainer, shop):
        trainer.state = type(trainer.state).load_from_json(str(found / checkpoints.STATE))
        best = trainer.state.best_model_checkpoint
        trainer.state.best_model_checkpoint = str(shop.work / Path(best).name if best else found)
        trainer._load_best_model()
        return
    trainer.train(resume_from_checkpoint=None if found is None else str(found))


def _over(state: dict[str, Any], trainer: Any, shop: Workshop) -> bool:
    from telejudge_training.judge_training.watching import stale

    stopped = trainer.args.load_best_model_at_end and stale(
        state["log_history"], shop.recipe.loop.patience
    )
    return stopped or state["global_step"] >= state["max_steps"]


def _merged(model: Any) -> Any:
    """The model with its adapters worked into its weights."""
    return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model


# -- the run's own record


def _claim(recipe: JudgeRecipe, sources: Sources, run_dir: Path, seed: int) -> bool:
    """Write run.json, or make sure that the one there is of this very run; say which."""
    digests = {name: _digest(path) for name, path in sources if path is not None}
    key = recipe.key(str(seed), *(f"{name}={digest}" for name, digest in digests.items()))
    path = run_dir / "run.json"
    if path.exists():
        held = read_json(path)
        if held.get("key") != key:
            raise UsageError(
                f"{run_dir} holds another run (kind {held.get('recipe', {}).get('kind')}, seed "
                f"{held.get('seed')}) or one on other rows; choose another directory"
            )
        return True
    run_dir.mkdir(parents=True, exist_ok=True)
    record = {
        "key": key,
        "seed": seed,
        "recipe": recipe.model_dump(),
        "sources": {name: str(path) for name, path in sources if path is not None},
        "digests": digests,
        "versions": {
            "python": platform.python_version(),
            "telejudge": version("telejudge"),
            **{name: version(name) for name in PACKAGES},
        },
    }
    write_json(path, record)
    return False


def _digest(path: Path) -> str:
    """SHA-256 of a file, or of the files of a folder with their names."""
    if not path.exists():
        raise UsageError(f"there is no {path}")
    total = hashlib.sha256()
    for file in [path] if path.is_file() else sorted(p for p in path.iterdir() if p.is_file()):
        with file.open("rb") as opened:
            total.update(f"{file.name if path.is_dir() else ''}:{file.stat().st_size}:".encode())
            total.update(hashlib.file_digest(opened, "sha256").digest())
    return total.hexdigest()
