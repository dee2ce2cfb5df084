"""Two vector indexes in one folder: tickets with their rubrics, and all rubric items.

    index = await RubricIndex.build(starter_sets(), MiniLM(), Path("rubrics.index"))
    index = RubricIndex.open(Path("rubrics.index"), MiniLM())
    index.nearest_items(vectors, "base-station", 5)     # [(item, cosine), …], best first

The vectors lie in FAISS, the usual library for exact and approximate vector search, in flat
inner-product indexes: with some thousand rubrics exact search takes microseconds. It was chosen
by what it costs to install (wheels for Linux, whole dependency tree, measured with pip):

| store | wheels | MB | why not |
|---|---|---|---|
| faiss-cpu 1.15 | 1 (numpy is there anyway) | 19 | |
| qdrant-client 1.20, local mode | 20 | 28 | one process at a time; payloads are pickles |
| chromadb 1.5 | 84 | 106 | brings a web server, Kubernetes and telemetry clients |
| lancedb 0.40 | 17 | 145 | a columnar database for a hundred rows |
| milvus-lite 3.2 | 9 | | wraps faiss-cpu, and needs a client besides |
| sqlite-vec 0.1 | 1 | 0.2 | many Python builds forbid loading SQLite extensions |

On disk a folder holds `manifest.json` (format, embedder, names and checksums of the other files),
`rubrics-….json` and two `.faiss` files. The manifest is replaced last and at once, so that a
reader sees the old index or the new one, never a mixture; several processes may read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from telejudge_envs.errors import MissingExtraError, UsageError
from telejudge_judges.rubric import index_files as files
from telejudge_judges.rubric.embed import Embedder
from telejudge_judges.rubric.items import ANY_WORLD, RubricCase, RubricItem, RubricSet

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class RubricIndex:
    """Rubrics with the vectors of their items and cases, in the same order."""

    rubrics: RubricSet
    embedder: Embedder
    item_vectors: Any
    case_vectors: Any

    @classmethod
    async def build(
        cls, rubrics: RubricSet, embedder: Embedder, folder: Path | None = None
    ) -> RubricIndex:
        """Embed all items and cases; with a `folder`, keep them there.

        Raises UsageError when there is nothing to index, EndpointError from the embedder.
        """
        if not rubrics.items:
            raise UsageError("there are no rubric items to index")
        _faiss()
        items = await embedder.embed([item.subject for item in rubrics.items])
        cases = await embedder.embed([case.ticket for case in rubrics.cases])
        index = cls(rubrics, embedder, _flat(items), _flat(cases, items.shape[1]))
        if folder is not None:
            index.save(folder)
        return index

    @classmethod
    def open(cls, folder: Path, embedder: Embedder) -> RubricIndex:
        """The index in a folder.

        Raises UsageError when there is none or it was made with another embedder, DataError naming
        the file when something in it is damaged.
        """
        manifest = files.read_manifest(folder)
        if manifest.embedder != embedder.name:
            raise UsageError(
                f"the rubric index {folder} was made with '{manifest.embedder}', but '"
                f"{embedder.name}' is in use; choose that embedder or make the index anew "
                "(telejudge rubric index)"
            )
        try:
            rubrics = RubricSet.model_validate_json(files.read_file(folder, manifest.rubrics))
        except ValidationError as error:
            raise files.damaged(
                folder, manifest.rubrics.name, f"holds no rubrics: {error}"
            ) from error
        items = _load(folder, manifest.items, len(rubrics.items), manifest.dimensions)
        cases = _load(folder, manifest.cases, len(rubrics.cases), manifest.dimensions)
        return cls(rubrics, embedder, items, cases)

    def save(self, folder: Path) -> None:
        """Write the index; a reader sees it whole or not at all. Raises UsageError."""
        faiss = _faiss()
        files.save(
            folder,
            self.embedder.name,
            self.item_vectors.d,
            {
                "rubrics": self.rubrics.model_dump_json(indent=1).encode(),
                "items": bytes(faiss.serialize_index(self.item_vectors)),
                "cases": bytes(faiss.serialize_index(self.case_vectors)),
            },
        )

    def nearest_items(
        self, vectors: np.ndarray, world: str, count: int
    ) -> list[tuple[RubricItem, float]]:
        """Items of the world by their highest cosine with any of the vectors, best first."""
        return _nearest(self.item_vectors, self.rubrics.items, vectors, world, count)

    def nearest_cases(
        self, vectors: np.ndarray, world: str, count: int
    ) -> list[tuple[RubricCase, float]]:
        """Cases of the world, likewise."""
        return _nearest(self.case_vectors, self.rubrics.cases, vectors, world, count)


def index_hash(rubrics: RubricSet, embedder: Embedder) -> str:
    """Of all that decides what is found: part of the version of a judge that searches there."""
    return hashlib.sha256(f"{embedder.name}|{rubrics.model_dump_json()}".encode()).hexdigest()


def _nearest(index: Any, records: Sequence[Any], vectors: Any, world: str, count: int) -> Any:
    """Ties go by id. A world's records are chosen by a selector, before the search."""
    rows = [n for n, one in enumerate(records) if one.world in (world, ANY_WORLD)]
    if not rows or not len(vectors):
        return []
    faiss = _faiss()
    chosen = faiss.SearchParameters(sel=faiss.IDSelectorBatch(rows))
    scores, found = index.search(vectors, len(rows), params=chosen)
    best: dict[int, float] = {}
    for row, score in zip(found.ravel().tolist(), scores.ravel().tolist(), strict=True):
        best[row] = max(score, best.get(row, -1.0))
    # Rounded: the last digits of a dot product depend on the machine.
    ranked = sorted((-round(score, 5), records[row].id, row) for row, score in best.items())
    return [(records[row], -score) for score, _, row in ranked[:count]]


def _faiss() -> Any:
    try:
        import faiss
    except ImportError as error:
        raise MissingExtraError("faiss-cpu", "rubric") from error
    return faiss


def _flat(vectors: np.ndarray, dimensions: int | None = None) -> Any:
    index = _faiss().IndexFlatIP(dimensions or vectors.shape[1])
    if len(vectors):
        index.add(vectors)
    return index


def _load(folder: Path, file: files.File, count: int, dimensions: int) -> Any:
    import numpy as np

    data = np.frombuffer(files.read_file(folder, file), dtype=np.uint8)
    try:
        index = _faiss().deserialize_index(data)
    except RuntimeError as error:
        raise files.damaged(folder, file.name, f"is no FAISS index: {error}") from error
    if (index.ntotal, index.d) != (count, dimensions):
        raise files.damaged(
            folder,
            file.name,
            f"holds {index.ntotal} vectors of {index.d} numbers, not {count} of {dimensions}",
        )
    return index
