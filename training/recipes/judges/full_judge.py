"""Distil all weights of a judge on one GPU, by the reports' settings (batch 2, 1e-4, 3 epochs)."""

from telejudge_training.judge_training.recipes import gpu

recipe = gpu("sft").with_(name="full_judge", lora=None, loop={"accumulate": 1})
