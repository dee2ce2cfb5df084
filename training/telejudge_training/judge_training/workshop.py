"""What every trainer of a judge works with: recipe, rows, tokenizer, folders, seed.

shop = Workshop(recipe, material, encoder, model=folder, work=run_dir / "work", seed=0)
shop.causal()        # the model to be trained, freshly loaded
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telejudge_envs.errors import UsageError
from telejudge_training.judge_training.encode import Encoder
from telejudge_training.judge_training.material import Material
from telejudge_training.judge_training.settings import JudgeRecipe
from telejudge_training.judge_training.upstream import upstream

if TYPE_CHECKING:
    from datasets import Dataset


@dataclass(frozen=True)
class Workshop:
    """`work` holds TRL's checkpoints; `teacher` is the folder of a teacher for `opd`."""

    recipe: JudgeRecipe
    material: Material
    encoder: Encoder
    model: Path
    work: Path
    seed: int
    teacher: Path | None = None

    def causal(self, folder: Path | None = None) -> Any:
        """The generative model of `folder`, or of the one that is trained."""
        return self._loaded("AutoModelForCausalLM", folder or self.model)

    def head(self) -> Any:
        """The model with one number as output; the head is drawn from the seed."""
        transformers = upstream("transformers")
        transformers.set_seed(self.seed)
        return self._loaded("AutoModelForSequenceClassification", self.model, num_labels=1)

    def adapters(self, task: str) -> Any:
        """peft's configuration for the recipe's LoRA settings, or None."""
        lora = self.recipe.lora
        if lora is None:
            return None
        targets = lora.targets if isinstance(lora.targets, str) else list(lora.targets)
        return upstream("peft").LoraConfig(
            r=lora.rank,
            lora_alpha=lora.alpha,
            lora_dropout=lora.dropout,
            target_modules=targets,
            task_type=task,
        )

    def _loaded(self, family: str, folder: Path, **options: Any) -> Any:
        import torch

        wide = self.recipe.device.bf16 and self.recipe.lora is not None
        try:
            model = getattr(upstream("transformers"), family).from_pretrained(
                str(folder),
                local_files_only=True,
                dtype=torch.bfloat16 if wide else torch.float32,
                **options,
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise UsageError(f"the model in {folder} cannot be loaded: {error}") from error
        model.config.pad_token_id = self.encoder.tokenizer.pad_token_id
        return model


def dataset(rows: Sequence[dict[str, Any]]) -> Dataset:
    """TRL's kind of table."""
    return upstream("datasets").Dataset.from_list(list(rows))
