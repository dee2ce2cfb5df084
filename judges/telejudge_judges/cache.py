"""Replies already paid for, on disk, by content.

    cache = ReplyCache(Path(".telejudge/cache"))
    key = cache.key("listwise", version, model, sampling, messages)
    cache.put(key, CachedReply(text="…", finish_reason="stop")); cache.get(key)

Kept in SQLite by diskcache, so several processes may share one folder. Entries are JSON, never
pickles. A broken entry or a broken folder costs a warning and a new call, nothing else.
"""

from __future__ import annotations

import json
import sqlite3
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from telejudge_envs.errors import MissingExtraError
from telejudge_envs.nouns.base import Noun
from telejudge_envs.nouns.message import Message
from telejudge_judges.opaque import digest


class CachedReply(Noun):
    """What a model said, and what it cost when it was asked."""

    text: str
    finish_reason: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0


class ReplyCache:
    """Get and put by key; never raises because of what lies on the disk."""

    def __init__(self, folder: Path, *, size_limit: int = 2**30) -> None:
        try:
            import diskcache
        except ImportError as error:
            raise MissingExtraError("diskcache", "endpoint") from error
        self.folder = folder
        self._store: Any = None
        try:
            self._store = diskcache.Cache(str(folder), size_limit=size_limit)
        except (sqlite3.Error, OSError, ValueError) as error:
            self._warn(f"cannot be opened ({error}); judging goes on without it")

    @staticmethod
    def key(
        judge: str,
        version: str,
        model: str,
        sampling: Mapping[str, Any],
        messages: Sequence[Message],
    ) -> str:
        """A hash of everything that a reply depends on."""
        said = [[m.role, m.text] for m in messages]
        parameters = json.dumps(dict(sampling), sort_keys=True, default=str)
        return digest(judge, version, model, parameters, json.dumps(said))

    def get(self, key: str) -> CachedReply | None:
        """The reply stored under `key`, or None."""
        if self._store is None:
            return None
        try:
            stored = self._store.get(key)
            return None if stored is None else CachedReply.model_validate_json(stored)
        except (ValidationError, TypeError) as error:
            self._warn(f"holds a broken entry, which is ignored ({type(error).__name__})")
        except Exception as error:  # a damaged database can fail in any way
            self._warn(f"cannot be read ({type(error).__name__}: {error})")
        return None

    def put(self, key: str, reply: CachedReply) -> None:
        if self._store is None:
            return
        try:
            self._store.set(key, reply.model_dump_json())
        except Exception as error:  # a full or damaged disk must not lose the verdict itself
            self._warn(f"cannot be written ({type(error).__name__}: {error})")

    def close(self) -> None:
        if self._store is not None:
            self._store.close()

    def _warn(self, what: str) -> None:
        warnings.warn(f"the reply cache {self.folder} {what}", RuntimeWarning, stacklevel=3)
