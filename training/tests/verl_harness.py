"""What tests of verl's part share: whether verl is there, and verl's loop without Ray."""

# pyright: reportMissingImports=false
# (verl is an extra: types are checked without it as well)

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import util
from pathlib import Path
from typing import Any

import pytest

needs_verl = pytest.mark.skipif(
    util.find_spec("verl") is None, reason="verl is not installed: pip install 'telejudge[verl]'"
)

Speaker = Callable[[Sequence[int], int], tuple[list[int], list[float]]]
"""From a prompt and the number of the request to tokens and logprobs."""


@dataclass
class ScriptedServer:
    """Stands where verl's client of its rollout servers stands."""

    speak: Speaker
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def generate(
        self, request_id: str, *, prompt_ids: list[int], sampling_params: dict[str, Any]
    ) -> Any:
        from verl.workers.rollout.replica import TokenOutput

        number = len(self.asked)
        self.asked.append({"request": request_id, "prompt": list(prompt_ids), **sampling_params})
        await asyncio.sleep(0)
        ids, logprobs = self.speak(prompt_ids, number)
        most = sampling_params["max_tokens"]
        return TokenOutput(
            token_ids=ids[:most],
            log_probs=logprobs[:most],
            extra_fields={"global_steps": 1, "min_global_steps": 1, "max_global_steps": 1},
        )


def configuration(model: Path, loop: dict[str, Any], **verl: Any) -> Any:
    """verl's configuration for a loop without Ray; `verl` by dotted names."""
    from omegaconf import OmegaConf

    from telejudge_training.verl_backend.configure import compose
    from telejudge_training.verl_backend.recipe import base

    recipe = base("test").with_(loop=loop)
    overrides = recipe.overrides(Path("data"), Path("run"), 0) | {
        "actor_rollout_ref.model.path": str(model),
        "actor_rollout_ref.rollout.name": "vllm",
        "actor_rollout_ref.rollout.n": 4,
        "actor_rollout_ref.rollout.val_kwargs.n": 2,
        "data.max_prompt_length": 4096,
        "data.max_response_length": 1024,
        **verl,
    }
    config: Any = compose(overrides)
    settings = config.actor_rollout_ref.rollout.custom.telejudge
    settings.record = None
    resolved: Any = OmegaConf.create(OmegaConf.to_yaml(config))
    OmegaConf.resolve(resolved)
    return resolved


def loops(config: Any, tokenizer: Any, server: Any, count: int, model_type: str) -> list[Any]:
    """As many loops as verl would make for `count` sessions."""
    from verl.experimental.agent_loop.agent_loop import DictConfigWrap
    from verl.utils.dataset.rl_dataset import RLHFDataset

    from telejudge_training.verl_backend.loop import WorldAgentLoop

    return [
        WorldAgentLoop(
            trainer_config=DictConfigWrap(config),
            server_manager=server,
            tokenizer=tokenizer,
            processor=None,
            dataset_cls=RLHFDataset,
            data_config=DictConfigWrap(config.data),
            hf_model_type=model_type,
            tools=None,
        )
        for _ in range(count)
    ]


def row(task: Any, session: int, *, split: str = "train", uid: str = "uid") -> dict[str, Any]:
    """What verl hands to a loop's `run`."""
    from telejudge_training.verl_backend.data import row_of

    made = row_of(task, split, 0)
    return {
        "raw_prompt": made["prompt"],
        "uid": uid,
        "session_id": session,
        "index": 0,
        "global_steps": 1,
        **made,
    }


CHATML = """{%- if tools %}<|im_start|>system
{{ messages[0].content if messages[0].role == 'system' }}
{%- for tool in tools %}
{{ tool | tojson }}{% endfor %}<|im_end|>
{% endif -%}
{%- for m in messages if m.role != 'system' -%}
{%- if m.role == 'tool' -%}<|im_start|>user
<tool_response>
{{ m.content }}
</tool_response><|im_end|>
{% else -%}<|im_start|>{{ m.role }}
{{ m.content }}{% for call in m.tool_calls or [] %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{% endfor %}<|im_end|>
{% endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}<|im_start|>assistant
{% endif -%}"""
"""As Qwen writes it, without the parts that no test needs."""


def chatml_tokenizer() -> Any:
    """Bytes and ChatML's tokens."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    raw = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    raw.add_special_tokens([AddedToken(text, special=True) for text in special])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    tokenizer.chat_template = CHATML
    return tokenizer


def tiny_tokenizer() -> Any:
    """A tokenizer of the embedded trainer's, with its own template."""
    from telejudge_envs.nouns.message import Message
    from telejudge_training.tiny.tokenizer import train_tokenizer

    words = Message(role="user", text="an alarm on site K001, VSWR above 2.0")
    return train_tokenizer([[words, Message(role="assistant", text="ok")]])
