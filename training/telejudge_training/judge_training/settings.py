"""Every number of a judge's training in frozen records; recipes.py has the presets.

    JudgeRecipe(name="mine", kind="sft", loop=LoopSettings(epochs=2))

Importing this costs pydantic only, so that the command line can show the settings.
"""

from __future__ import annotations

import hashlib
from typing import Literal

from pydantic import Field

from telejudge_training.settings import Recipe, Settings

Kind = Literal["sft", "pointwise", "pairs", "bt", "rrhf", "grpo", "permutation", "opd"]
"""What is trained on what:

| kind | rows | trained |
|---|---|---|
| `sft` | judge rows | the reply that a teacher gave |
| `pointwise` | judge rows that show one candidate | the same |
| `pairs` | judge rows with one right and one wrong candidate | the same |
| `bt` | pairs | a reward head: the better above the worse (Bradley-Terry) |
| `rrhf` | ranked lists | a reward head: every better above every worse |
| `grpo` | judge rows | verdicts of its own, rewarded by the truth |
| `permutation` | judge rows in several orders | the same, and the orders must agree |
| `opd` | judge rows | a teacher's logprobs on replies of its own |
"""


class LoopSettings(Settings):
    """The training loop. The reports' settings are the defaults: batch 2, learning rate 1e-4, 3
    epochs, cosine, warm-up 0.02 (at 0.1 their loss rose)."""

    epochs: float = Field(default=3.0, gt=0)
    max_steps: int = Field(default=-1, ge=-1)
    """Updates at most, whatever `epochs` says; -1: no limit."""
    batch: int = Field(default=2, ge=1)
    """Rows a device and forward pass."""
    accumulate: int = Field(default=1, ge=1)
    """Forward passes an update."""
    learning_rate: float = Field(default=1e-4, gt=0)
    schedule: Literal["cosine", "linear", "constant_with_warmup"] = "cosine"
    warmup_ratio: float = Field(default=0.02, ge=0, lt=1)
    """Share of all updates; 0.01 to 0.03 by the reports' experience."""
    weight_decay: float = Field(default=0.0, ge=0)
    max_norm: float = Field(default=1.0, gt=0)
    max_tokens: int = Field(default=4096, ge=8)
    """Rows that are longer are left out and counted; nothing is cut."""
    checks: int = Field(default=10, ge=1)
    """How often the validation loss is taken and a checkpoint written, in the whole training."""
    patience: int = Field(default=4, ge=1)
    """Training stops after so many checks in a row without a new lowest validation loss."""
    dev_share: float = Field(default=0.1, gt=0, lt=1)
    """Share of the groups that is kept for validation when no dev rows are given."""
    dev_replies: int = Field(default=0, ge=0)
    """How many validation rows the trained judge replies to at the end (checking.py); the summary
    then says how many verdicts are right. Writing replies takes its time."""


class DeviceSettings(Settings):
    cpu: bool = True
    bf16: bool = False
    """CPUs without bf16 units are six to eight times slower with it."""
    checkpoint_activations: bool = False
    """Compute activations again in the backward pass, for less memory."""
    threads: int = Field(default=1, ge=1)
    """Torch's threads on the CPU; with more, sums may come out in another order."""
    exact: bool = False
    """GPU: only deterministic kernels, for the same bytes from the same seed. They are slower, and
    torch refuses operations that have none. On a CPU it is so without."""


class LoraSettings(Settings):
    rank: int = Field(default=16, ge=1)
    alpha: int = Field(default=32, ge=1)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    targets: str | tuple[str, ...] = "all-linear"


class HeadSettings(Settings):
    """Reward heads (`bt`, `rrhf`)."""

    margin: float = Field(default=0.0, ge=0)
    """By how much the better must lead: times the difference of the rewards for `bt`; for `rrhf`
    as it is."""
    center: float = Field(default=0.01, ge=0)
    """Weight of the squared sum of a pair's scores, which keeps them near 0 (`bt` only)."""


class GrpoSettings(Settings):
    """Sampling and rewards of `grpo` and `permutation` (verdict_rewards.py)."""

    group_size: int = Field(default=8, ge=2)
    """Replies to one group of candidates."""
    groups_per_step: int = Field(default=1, ge=1)
    max_reply_tokens: int = Field(default=512, ge=1)
    temperature: float = Field(default=1.0, gt=0)
    kl: float = Field(default=0.0, ge=0)
    """Weight of the divergence from the model that training started from."""
    scaling: Literal["group", "batch", "none"] = "group"
    """By whose standard deviation rewards are divided once they are centred in their group."""
    verdict: float = 1.0
    """Reward of a group in which every verdict is right."""
    defect: float = 0.1
    """Reward of a named defect that is there, and price of one that is not."""
    disagreement: float = Field(default=0.3, ge=0, lt=1)
    """Price of verdicts that differ in all other orders. Below 1, so that turning a right verdict
    into a wrong one never pays (`permutation` only)."""


class DistilSettings(Settings):
    """`opd`: how a reply is sampled and compared with the teacher."""

    max_reply_tokens: int = Field(default=512, ge=1)
    temperature: float = Field(default=1.0, gt=0)
    beta: float = Field(default=1.0, ge=0, le=1)
    """0: KL of the student from the teacher (covers all that it says), 1: of the teacher from the
    student (keeps to what it says most), between: generalised Jensen-Shannon."""


class JudgeRecipe(Recipe):
    """All that `train_judge` does besides its files and its seed."""

    kind: Kind = "sft"
    loop: LoopSettings = LoopSettings()
    device: DeviceSettings = DeviceSettings()
    lora: LoraSettings | None = None
    """None trains all weights. Adapters are merged into the model that is written."""
    head: HeadSettings = HeadSettings()
    grpo: GrpoSettings = GrpoSettings()
    distil: DistilSettings = DistilSettings()

    def key(self, *parts: str) -> str:
        """Names a run: the same for the same settings and `parts`, whatever the recipe's name."""
        text = "|".join((self.model_dump_json(exclude={"name"}), *parts))
        return hashlib.sha256(text.encode()).hexdigest()[:16]
