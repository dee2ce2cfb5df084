"""The main recipe held close to the warm start by a KL penalty, with GRPO's original scaling."""

from telejudge_training.recipe import main

recipe = main().with_(
    name="careful_policy",
    grpo={"kl": 0.02, "scaling": "std", "loss": "sequence_mean", "clip_high": 0.28},
)
