"""GRPO from random weights: runs, and shows why the warm start is there."""

from telejudge_training.recipe import main

recipe = main().with_(name="zero_rl", warm_start="none", grpo={"steps": 20})
