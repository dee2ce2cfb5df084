"""Made-up questions, packed as TeleQnA's are."""

from __future__ import annotations

import json
from pathlib import Path

from telejudge_envs.teleqna import PASSWORD


def pack(path: Path, questions: dict[str, dict[str, str]] | str, password: str = PASSWORD) -> Path:
    import pyzipper

    text = questions if isinstance(questions, str) else json.dumps(questions)
    with pyzipper.AESZipFile(
        path, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES
    ) as packed:
        packed.setpassword(password.encode())
        packed.writestr("TeleQnA.txt", text)
    return path


def raw(answer: str, *options: str, text: str = "What carries a call?") -> dict[str, str]:
    numbered = {f"option {i}": option for i, option in enumerate(options, 1)}
    return {"question": text, **numbered, "answer": answer, "category": "Lexicon"}
