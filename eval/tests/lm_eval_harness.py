"""A tiny model folder and made-up questions for lm-evaluation-harness."""

from __future__ import annotations

import random
from pathlib import Path

from teleqna_harness import pack, raw

from telejudge_envs.teleqna_choice import CATEGORIES

TASKS = Path(__file__).parents[1] / "telejudge_eval" / "lm_eval_tasks"


def tiny_model(folder: Path, *, seed: int = 0, context: int = 2048) -> Path:
    """A Llama of random weights over printable characters, saved as transformers does."""
    import tokenizers
    import torch
    import transformers

    torch.manual_seed(seed)
    letters = {"<unk>": 0, "</s>": 1, "\n": 2} | {chr(c): c - 29 for c in range(32, 127)}
    plain = tokenizers.Tokenizer(tokenizers.models.WordLevel(letters, unk_token="<unk>"))
    plain.pre_tokenizer = tokenizers.pre_tokenizers.Split("", "isolated")
    plain.decoder = tokenizers.decoders.Fuse()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=plain, unk_token="<unk>", eos_token="</s>", pad_token="</s>"
    )
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    shape = transformers.LlamaConfig(
        vocab_size=len(letters), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=context,
        initializer_range=0.5, bos_token_id=None, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip
    transformers.LlamaForCausalLM(shape).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def made_up_teleqna(path: Path, each: int = 4) -> Path:
    """`each` questions of every category, and one without a key."""
    dice = random.Random(0)
    questions: dict[str, dict[str, str]] = {}
    for number in range(each * len(CATEGORIES)):
        options = [f"thing {number}.{i}" for i in range(dice.choice((2, 4, 5)))]
        right = dice.randrange(len(options))
        asked = raw(f"option {right + 1}: {options[right]}", *options, text=f"Which is {number}?")
        questions[f"question {number}"] = asked | {"category": CATEGORIES[number % 5]}
    questions["question 99"] = raw("option 9: none", "a", "b", text="No key?")
    return pack(path, questions)
