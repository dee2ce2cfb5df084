"""A made-up job of judging that a tiny model can learn, its rows of all three records, its model.

Each candidate's text says "good" or "bad"; the right verdict is to say so. Verdicts are tuples.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from telejudge_envs.nouns.verdict import Defect
from telejudge_training.judge_data.rows import (
    JudgeRow,
    PairRow,
    Provenance,
    RankedRow,
    ShownCandidate,
    Turn,
)

MADE = Provenance(source="made up", licence="Apache-2.0", made_by="test")
CHAT = (
    "{%- for m in messages -%}<|{{ m.role }}|>{{ m.content }}"
    "{%- if m.role == 'assistant' -%}<|end|>\n{%- endif -%}{%- endfor -%}"
    "{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}"
)
SPECIAL = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]


@dataclass(frozen=True)
class Job:
    """Folder with rows.jsonl, pairs.jsonl, ranked.jsonl, and a model that knows nothing."""

    folder: Path
    rows: list[JudgeRow]

    @property
    def model(self) -> Path:
        return self.folder / "model"

    def file(self, name: str) -> Path:
        return self.folder / f"{name}.jsonl"


@pytest.fixture
def model_maker() -> Callable[..., None]:
    return save_model


@pytest.fixture
def pictures() -> None:
    """For tests that want curves.png."""


@pytest.fixture(autouse=True)
def _no_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes longer than a tiny training."""
    if "pictures" not in request.fixturenames:
        from telejudge_training.judge_training import run

        monkeypatch.setattr(run, "draw", lambda metrics, picture: None)


@pytest.fixture(scope="session")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    pytest.importorskip("trl")
    folder = tmp_path_factory.mktemp("job")
    dice = random.Random(0)
    truths = [[dice.randint(0, 1) for _ in range(2)] for _ in range(48)]
    rows = [judge_row(g, truth, order) for g, truth in enumerate(truths) for order in (0, 1)]
    write(folder / "rows.jsonl", rows)
    unequal = [(g, t) for g, t in enumerate(truths) if len(set(t)) == 2]
    write(folder / "pairs.jsonl", [pair_row(g) for g, _ in unequal])
    write(folder / "ranked.jsonl", [ranked_row(g) for g, _ in unequal])
    save_model(folder / "model", rows)
    return Job(folder, rows)


def write(path: Path, rows: Sequence[BaseModel]) -> None:
    path.write_text("".join(row.model_dump_json() + "\n" for row in rows), encoding="utf-8")


def judge_row(
    group: int, truth: list[int], order: int, defects: tuple[Defect, ...] = ()
) -> JudgeRow:
    places = range(len(truth)) if order == 0 else reversed(range(len(truth)))
    shown = tuple(
        ShownCandidate(
            name=("alpha", "beta")[i],
            members=(f"g{group}-{i}",),
            calls=2,
            answer=truth[i],  # type: ignore[arg-type]
            tools=1.0,
            defects=defects,
        )
        for i in places
    )
    text = " ".join(f"{c.name} is {'good' if c.answer else 'bad'}" for c in shown)
    reply = "[" + ", ".join(f"({c.name}, {c.answer}, 1)" for c in shown) + "]"
    return JudgeRow(
        id=f"r{group}-{order}",
        group_id=f"g{group}",
        cohort=f"g{group}",
        task_id=f"t{group}",
        world="made-up",
        split="train",
        judge="listwise",
        codec="tuple",
        language="en",
        order=order,
        form="plain",
        prompt=(Turn(role="system", content="judge"), Turn(role="user", content=text)),
        completion=(Turn(role="assistant", content=reply),),
        shown=shown,
        teacher="template",
        tokens=60,
        provenance=MADE,
    )


def pair_row(group: int) -> PairRow:
    return PairRow(
        id=f"p{group}",
        group_id=f"g{group}",
        task_id=f"t{group}",
        world="made-up",
        split="train",
        prompt=f"case {group}: ",
        chosen="good",
        rejected="bad",
        chosen_id=f"g{group}-0",
        rejected_id=f"g{group}-1",
        chosen_answer=1,
        rejected_answer=0,
        margin=0.7,
        provenance=MADE,
    )


def ranked_row(group: int) -> RankedRow:
    return RankedRow(
        id=f"k{group}",
        group_id=f"g{group}",
        task_id=f"t{group}",
        world="made-up",
        split="train",
        form="plain",
        prompt=f"case {group}: ",
        responses=("good", "fair", "bad", "bad indeed"),
        rewards=(1.0, 0.6, 0.2, 0.2),
        answers=(1, 1, 0, 0),
        members=tuple(f"g{group}-{i}" for i in range(4)),
        kinds=("", "", "early", "early"),
        provenance=MADE,
    )


def save_model(
    folder: Path, rows: Sequence[JudgeRow], *, seed: int = 0, positions: int = 256
) -> None:
    """A Llama of two layers with random weights and a byte-level BPE of the rows' texts."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=SPECIAL, initial_alphabet=letters, show_progress=False
    )
    texts = [turn.content for row in rows for turn in (*row.prompt, *row.completion)]
    bpe.train_from_iterator(sorted(set(texts)), trainer)
    tokenizer: Any = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token="<|end|>",
        pad_token="<|pad|>",
        additional_special_tokens=SPECIAL[2:],
        model_max_length=positions,
    )
    tokenizer.chat_template = CHAT
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        intermediate_size=128,
        max_position_embeddings=positions,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.06,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
