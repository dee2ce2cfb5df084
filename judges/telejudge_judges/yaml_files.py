"""What a user wrote into a YAML file, or why it cannot be used.

read_yaml(Path("judge.yaml"))["orders"]
read_texts(Path("references.yaml"))["task-1"]
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from telejudge_envs.errors import MissingExtraError, UsageError


def read_yaml(file: Path) -> dict[str, Any]:
    """The mapping in a YAML file; raises UsageError when there is none.

    Paths in it are as they stand: relative ones start from the working directory.
    """
    try:
        import yaml
    except ImportError as error:
        raise MissingExtraError("PyYAML", "endpoint") from error
    try:
        said = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{file} is not YAML: {error}") from error
    if said is not None and not isinstance(said, dict):
        raise UsageError(f"{file} must hold settings, one `name: value` a line")
    return said or {}


def read_texts(file: Path) -> dict[str, str]:
    """The texts by name in a YAML (or JSON) file; raises UsageError when it holds others."""
    said = read_yaml(file)
    wrong = [str(name) for name, text in said.items() if not isinstance(text, str)]
    if wrong:
        raise UsageError(f"{file} must hold texts by task id; {wrong[0]} is none")
    return {str(name): text for name, text in said.items()}
