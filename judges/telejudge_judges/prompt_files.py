"""The shipped prompts by kind of judge and language.

shipped_prompt("pointwise", "zh").system(...)
"""

from __future__ import annotations

from pathlib import Path

from telejudge_envs.errors import UsageError
from telejudge_judges.prompting import FOLDER, Prompt


def shipped_prompt(kind: str, language: str, path: Path | None = None) -> Prompt:
    """The prompt at `path`, else the shipped one of the kind and language.

    Raises UsageError naming the languages when there is none.
    """
    if path is None:
        path = FOLDER / f"{kind}_{language}.jinja"
        known = sorted(p.stem.removeprefix(f"{kind}_") for p in FOLDER.glob(f"{kind}_*.jinja"))
        if language not in known:
            raise UsageError(f"no prompt in language '{language}'; choose {', '.join(known)}")
    return Prompt.load(language, path)
