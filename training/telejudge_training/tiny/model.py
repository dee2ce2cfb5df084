"""A vocabulary size in, a small Llama with random weights out.

    model = new_model(tokenizer, ShapeSettings(), seed=0)     # about 0.5 million parameters

It is an ordinary `LlamaForCausalLM`: `save` writes a folder that any transformers code loads.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from telejudge_envs.errors import MissingExtraError
from telejudge_training.settings import ShapeSettings

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast


def new_model(
    tokenizer: PreTrainedTokenizerFast, shape: ShapeSettings, *, seed: int
) -> LlamaForCausalLM:
    """A freshly initialised fp32 model for `tokenizer`; the same seed gives the same weights."""
    try:
        import torch
        from transformers import LlamaConfig, LlamaForCausalLM
    except ImportError as error:
        raise MissingExtraError("torch", "train") from error
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        intermediate_size=shape.intermediate,
        max_position_embeddings=shape.max_positions,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=shape.initializer_range,
        attn_implementation="sdpa",  # pyright: ignore[reportCallIssue]
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(config)


def save(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write model and tokenizer as one ordinary transformers folder."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def load(folder: Path) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    """Read what `save` wrote."""
    try:
        from transformers import LlamaForCausalLM, PreTrainedTokenizerFast
    except ImportError as error:
        raise MissingExtraError("transformers", "train") from error
    model = LlamaForCausalLM.from_pretrained(folder)
    return model, PreTrainedTokenizerFast.from_pretrained(folder)
