"""An embedded judge on the disk: `judge.json` (spec), `tokenizer.json`, `model.safetensors`.

parts = load(folder)          # Parts(spec, tokenizer, network)
by_world(folder)              # {"tau2-telecom": Parts, …}
version_of(folder)            # a hash of all three files

A folder may hold one network for several worlds, or a folder for each world, by its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from telejudge_envs.errors import UsageError
from telejudge_judges.embedded.network import Network
from telejudge_judges.embedded.spec import EmbeddedSpec

SPEC, TOKENIZER, WEIGHTS = "judge.json", "tokenizer.json", "model.safetensors"


class Parts(NamedTuple):
    spec: EmbeddedSpec
    tokenizer: Tokenizer
    network: Network


def save(parts: Parts, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    later = ("threshold", "placing")  # written only where set: older judges keep their bytes
    default = {name: EmbeddedSpec.model_fields[name].default for name in later}
    unused: dict[str, Any] = {n: True for n in later if getattr(parts.spec, n) == default[n]}
    if not parts.spec.shape.own:
        unused["shape"] = {"own"}
    spec = parts.spec.model_dump_json(indent=1, exclude=unused)
    (folder / SPEC).write_text(spec + "\n", encoding="utf-8")
    parts.tokenizer.save(str(folder / TOKENIZER), pretty=False)
    save_file(dict(parts.network.state_dict()), folder / WEIGHTS)


def load(folder: Path) -> Parts:
    """Raises UsageError for a folder that holds no such judge."""
    for name in (SPEC, TOKENIZER, WEIGHTS):
        if not (folder / name).is_file():
            raise UsageError(f"{folder} holds no embedded judge: it has no {name}")
    try:
        spec = EmbeddedSpec.model_validate_json((folder / SPEC).read_bytes())
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        network = Network(spec, tokenizer.get_vocab_size())
        network.load_state_dict(load_file(folder / WEIGHTS))
    except (ValidationError, SafetensorError, RuntimeError, OSError) as error:
        raise UsageError(f"the judge in {folder} cannot be loaded: {error}") from error
    return Parts(spec, tokenizer, network.eval())


def by_world(folder: Path) -> dict[str, Parts]:
    """Who judges which world. Raises UsageError for a folder that holds no judge, and for one whose
    judge does not know the world that it is named after."""
    if not (rooms := _rooms(folder)):
        parts = load(folder)
        return dict.fromkeys(parts.spec.slots, parts)
    found = {room.name: load(room) for room in rooms}
    for world, parts in found.items():
        if world not in parts.spec.slots:
            known = ", ".join(parts.spec.slots)
            raise UsageError(f"the judge in {folder / world} knows {known}, not {world}")
    return found


def version_of(folder: Path) -> str:
    total = hashlib.sha256()
    if rooms := _rooms(folder):
        for room in rooms:
            total.update(f"{room.name} {version_of(room)}\n".encode())
        return total.hexdigest()[:12]
    for name in (SPEC, TOKENIZER, WEIGHTS):
        total.update(hashlib.sha256((folder / name).read_bytes()).digest())
    return total.hexdigest()[:12]


def _rooms(folder: Path) -> list[Path]:
    if (folder / SPEC).exists():
        return []
    return sorted(file.parent for file in folder.glob(f"*/{SPEC}"))


def encoder(tokenizer: Tokenizer) -> Callable[[str], Sequence[int]]:
    """Text to ids. What looks like a special token in a text is ordinary text."""
    tokenizer.encode_special_tokens = True

    @cache
    def encode(text: str) -> Sequence[int]:
        return tuple(tokenizer.encode(text, add_special_tokens=False).ids)

    return encode
