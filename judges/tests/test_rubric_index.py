"""The two vector indexes: searching, keeping, sharing and breaking them."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rubric_harness import Words, sample_rubrics

from telejudge_envs.errors import DataError, TelejudgeError, UsageError
from telejudge_envs.nouns.task import TaskView
from telejudge_judges.rubric.index import RubricIndex, index_hash
from telejudge_judges.rubric.index_files import MANIFEST, read_manifest
from telejudge_judges.rubric.items import RubricSet, starter_sets
from telejudge_judges.rubric.retrieve import in_turns, lines_of, retrieve

TICKET = "Ticket TT-1\nPicture messages (MMS) cannot be sent. Please help."


def build(folder: Path | None = None, rubrics: RubricSet | None = None) -> RubricIndex:
    return asyncio.run(RubricIndex.build(rubrics or sample_rubrics(), Words(), folder))


def found(
    index: RubricIndex, ticket: str = TICKET, world: str = "sample", count: int = 2
) -> list[str]:
    task = TaskView(id="t", world=world, split="", level=0, ticket=ticket)
    return [item.id for item in asyncio.run(retrieve(index, task, count)).items]


# -- searching


def test_core_items_come_first_then_the_nearest() -> None:
    index = build()
    assert found(index) == ["closed", "changed", "failed", "moved", "looked", "rested"]
    assert found(index, "It waited for bad weather.", count=1)[-1] == "rested"
    assert found(index, count=0) == ["closed", "changed", "failed", "moved"]


def test_other_worlds_items_are_never_found() -> None:
    both = RubricSet(
        items=(*sample_rubrics().items, *starter_sets().items), cases=starter_sets().cases
    )
    index = build(rubrics=both)
    for world in ("base-station", "tau2-telecom"):
        of_world = {item.id for item in both.of_world(world).items}
        assert set(found(index, "The phone shows no service.", world, 30)) <= of_world
    assert found(index, world="moon") == []


def test_nearest_is_what_numpy_says() -> None:
    items = starter_sets().items
    index = build(rubrics=starter_sets())
    rows = asyncio.run(Words().embed([item.subject for item in items]))
    query = asyncio.run(Words().embed(["the phone has no service", "a cell is down"]))
    best = {item.id: float((rows[n] @ query.T).max()) for n, item in enumerate(items)}
    found = index.nearest_items(query, "tau2-telecom", 100)
    assert {item.id for item, _ in found} == {i.id for i in items if i.world == "tau2-telecom"}
    assert [score for _, score in found] == sorted((s for _, s in found), reverse=True)
    for item, score in found:
        assert score == pytest.approx(best[item.id], abs=1e-4)


def test_rubrics_without_cases_and_none_at_all() -> None:
    index = build(rubrics=RubricSet(items=sample_rubrics().items))
    assert found(index)[:1] == ["closed"]
    with pytest.raises(UsageError, match="no rubric items"):
        build(rubrics=RubricSet(items=()))


def test_tickets_are_looked_up_by_sentence() -> None:
    assert lines_of("A b. C d!\n\nE（f）。G") == ["A b.", "C d!", "E（f）。", "G"]
    assert lines_of("") == [""]
    assert len(lines_of("x.\n" * 500)) == 40


def test_the_two_rankings_are_taken_in_turns() -> None:
    assert in_turns(["a", "b"], ["c", "a", "d", "e"]) == ["a", "c", "b", "d", "e"]
    assert in_turns([], ["c"]) == in_turns(["c"], []) == ["c"]


# -- keeping


def test_an_opened_index_finds_what_the_built_one_finds(tmp_path: Path) -> None:
    built = build(tmp_path / "index", starter_sets())
    opened = RubricIndex.open(tmp_path / "index", Words())
    assert opened.rubrics == built.rubrics
    for ticket in ("The phone shows no service.", "Uploads fail."):
        for world in ("base-station", "tau2-telecom"):
            assert found(opened, ticket, world, 9) == found(built, ticket, world, 9)
    assert index_hash(opened.rubrics, Words()) == index_hash(built.rubrics, Words())


def test_making_it_anew_replaces_it_and_leaves_no_litter(tmp_path: Path) -> None:
    for rubrics in (starter_sets(), sample_rubrics(), starter_sets(), sample_rubrics()):
        build(tmp_path, rubrics)
        assert RubricIndex.open(tmp_path, Words()).rubrics == rubrics
    assert len(list(tmp_path.iterdir())) <= 7, "one manifest, the files of this and the last one"
    assert not list(tmp_path.glob(".*"))


def test_readers_see_the_old_index_or_the_new_one(tmp_path: Path) -> None:
    one, other = build(tmp_path, starter_sets()), build(rubrics=sample_rubrics())
    stop = threading.Event()

    def rewrite() -> None:
        while not stop.is_set():
            other.save(tmp_path)
            one.save(tmp_path)

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        for _ in range(60):
            seen = RubricIndex.open(tmp_path, Words())
            assert seen.item_vectors.ntotal == len(seen.rubrics.items)
            assert seen.rubrics in (one.rubrics, other.rubrics)
    finally:
        stop.set()
        writer.join()


# -- breaking


def part(folder: Path, name: str) -> Path:
    return folder / getattr(read_manifest(folder), name).name


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["rubrics", "items", "cases"])
@pytest.mark.parametrize("damage", [cut, flip, Path.unlink])
def test_a_damaged_file_is_named(tmp_path: Path, name: str, damage: Callable[[Path], None]) -> None:
    build(tmp_path)
    path = part(tmp_path, name)
    damage(path)
    with pytest.raises(DataError, match=path.name) as caught:
        RubricIndex.open(tmp_path, Words())
    assert "is damaged" in str(caught.value)
    assert "telejudge rubric index" in str(caught.value), "it says what to do"
    build(tmp_path)
    assert found(RubricIndex.open(tmp_path, Words()))


@pytest.mark.parametrize(
    ("text", "error", "complaint"),
    [
        ("", DataError, "is no manifest"),
        ("[1]", DataError, "is no manifest"),
        ('{"format": 1}', DataError, "is no manifest"),
        ('{"format": 99}', UsageError, "has format 99, this telejudge reads 1"),
    ],
)
def test_a_wrong_manifest_explains_itself(
    tmp_path: Path, text: str, error: type[TelejudgeError], complaint: str
) -> None:
    build(tmp_path)
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(error, match=complaint):
        RubricIndex.open(tmp_path, Words())


def test_vectors_that_do_not_fit_the_rubrics_are_refused(tmp_path: Path) -> None:
    build(tmp_path)
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    manifest["items"], manifest["cases"] = manifest["cases"], manifest["items"]
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="holds 1 vectors of 64 numbers, not 6 of 64"):
        RubricIndex.open(tmp_path, Words())


def test_no_index_and_another_embedder_explain_themselves(tmp_path: Path) -> None:
    class Other(Words):
        name = "other 1"

    with pytest.raises(UsageError, match="there is no rubric index in"):
        RubricIndex.open(tmp_path / "none", Words())
    build(tmp_path)
    with pytest.raises(UsageError, match="made with 'words 1', but 'other 1'"):
        RubricIndex.open(tmp_path, Other())
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        build(file)


def test_rows_are_what_was_embedded(tmp_path: Path) -> None:
    index = build(tmp_path)
    rows = asyncio.run(Words().embed([item.subject for item in sample_rubrics().items]))
    stored = RubricIndex.open(tmp_path, Words()).item_vectors.reconstruct_n(0, len(rows))
    assert np.array_equal(stored, rows)
    assert index.item_vectors.ntotal == len(rows)
