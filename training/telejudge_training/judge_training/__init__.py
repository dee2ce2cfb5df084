"""Trainers of judges over TRL: distillation, reward heads, GRPO on verdicts, a teacher's logprobs.

    train_judge(load_recipe("sft", "laptop"), Sources(rows=…, model=…), Path("runs/judge"), seed=0)

Rows are those of judge_data/rows.py. One file a trainer; `run.py` is what they have in common.
"""
