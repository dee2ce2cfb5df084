"""TRL and what it stands on, imported when a training starts; nothing is sent to anybody."""

from __future__ import annotations

import importlib
import os
from types import ModuleType

from telejudge_envs.errors import MissingExtraError


def upstream(name: str = "trl") -> ModuleType:
    """Import one of TRL's family (trl, peft, datasets, transformers).

    Raises MissingExtraError when it is not installed.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # TRL reports every trainer otherwise
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(error.name or name, "trl") from error


def hush() -> None:
    """Keep transformers' and datasets' own bars and notes off the terminal; curves say more."""
    transformers, datasets = upstream("transformers"), upstream("datasets")
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    datasets.disable_progress_bars()
