"""A judge with random weights, as a folder: it knows nothing, and must still keep the rules."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import torch
from tokenizers import Tokenizer, models, pre_tokenizers

from telejudge_envs.nouns.trajectory import StopReason
from telejudge_judges.embedded.folder import Parts, save
from telejudge_judges.embedded.network import Network
from telejudge_judges.embedded.spec import EmbeddedSpec, Shape

SHAPE = Shape(
    hidden=16, layers=1, heads=2, intermediate=32, candidates=4, steps=6, call=24, piece=48
)
SPEC = EmbeddedSpec(
    shape=SHAPE,
    defects=("failed_call/soft", "left_fault/soft", "unsafe/safety"),
    stops=get_args(StopReason),
    slots={"sample": ((r"SP\d{3}", "SP{}", 100),)},
)


def byte_tokenizer() -> Tokenizer:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


def random_network(seed: int, spread: float = 1.0, own: int = 0) -> Network:
    """`spread` scales the last layer: the larger, the more labels are written."""
    spec = SPEC.model_copy(update={"shape": SHAPE.model_copy(update={"own": own})})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Network(spec, byte_tokenizer().get_vocab_size())
        torch.nn.init.normal_(network.head.weight, std=spread)
    return network.eval()


def random_judge(folder: Path, seed: int = 0, spread: float = 1.0) -> Path:
    save(Parts(SPEC, byte_tokenizer(), random_network(seed, spread)), folder)
    return folder
