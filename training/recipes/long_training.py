"""The main recipe with twice the steps: for the last defects rather than the last successes."""

from telejudge_training.recipe import main

recipe = main().with_(name="long_training", grpo={"steps": 160})
