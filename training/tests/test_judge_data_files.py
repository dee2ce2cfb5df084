"""Files of rows: the same in every format, the same bytes for the same rows, cards that tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from telejudge_envs.errors import DataError, UsageError
from telejudge_training.judge_data.cards import Making, read_card
from telejudge_training.judge_data.files import count_rows, read_rows, write_rows
from telejudge_training.judge_data.forms import as_alpaca, as_chat
from telejudge_training.judge_data.preview import kind_of, pages
from telejudge_training.judge_data.rows import GroupRow, PairRow, PolicyRow, Provenance, Turn
from telejudge_training.judge_data.texts import Trace
from telejudge_training.judge_data.work import Work

OWN = Provenance(source="made up", licence="MIT", made_by="test")


def policy_row(number: int) -> PolicyRow:
    return PolicyRow(
        id=f"p{number}",
        split="train",
        form="mcq",
        prompt=(Turn(role="system", content="Be brief."), Turn(role="user", content="1 or 2?")),
        completion=(Turn(role="assistant", content=f"{number} « 基站 »"),),
        answer=str(number),
        options=("1", "2") if number % 2 else (),
        provenance=OWN,
    )


ROWS = [policy_row(number) for number in range(5)]


@pytest.mark.parametrize("name", ["r.jsonl", "r.jsonl.gz", "r.parquet"])
def test_rows_come_back_and_are_the_same_bytes(tmp_path: Path, name: str):
    one, other = tmp_path / name, tmp_path / "again" / name
    assert write_rows(one, ROWS, PolicyRow) == 5
    write_rows(other, iter(ROWS), PolicyRow)
    assert list(read_rows(one, PolicyRow)) == ROWS
    assert count_rows([one, other]) == 10
    assert one.read_bytes() == other.read_bytes()
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == [name]


@pytest.mark.parametrize("name", ["r.jsonl", "r.parquet"])
def test_a_row_of_another_kind_is_an_error_that_names_its_place(tmp_path: Path, name: str):
    write_rows(tmp_path / name, ROWS, PolicyRow)
    with pytest.raises(DataError, match=rf"{name}, (line|row) 1: no PairRow"):
        list(read_rows(tmp_path / name, PairRow))


def test_what_parquet_cannot_hold_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match=r"does not fit parquet; write .jsonl"):
        write_rows(tmp_path / "g.parquet", [], GroupRow)


def test_datasets_reads_the_parquet_as_chats(tmp_path: Path):
    datasets = pytest.importorskip("datasets")
    write_rows(tmp_path / "r.parquet", ROWS, PolicyRow)
    table = datasets.Dataset.from_parquet(str(tmp_path / "r.parquet"), cache_dir=str(tmp_path))
    assert table[3]["completion"] == [{"role": "assistant", "content": "3 « 基站 »"}]
    assert table[3]["prompt"][0]["role"] == "system"


def test_a_card_tells_what_was_made_from_what(tmp_path: Path):
    source = tmp_path / "in.jsonl"
    source.write_text("{}\n")
    making = Making("rows", 7, {"codec": "boxed", "world": ""}, [source])
    making.count("split", "train", "train", "dev")
    making.licences["MIT"] += 5
    out = tmp_path / "r.jsonl"
    card = making.finish(out, PolicyRow, write_rows(out, ROWS, PolicyRow))
    assert card == read_card(out)
    assert card.counts == {"split": {"dev": 1, "train": 2}}
    assert card.command == "telejudge data rows in.jsonl --codec boxed --seed 7 --out r.jsonl"
    page = (tmp_path / "r.jsonl.card.md").read_text()
    assert "MIT: 5 rows" in page
    assert "| train | 2 |" in page


def test_a_step_is_done_until_something_it_depends_on_changes(tmp_path: Path):
    source, out = tmp_path / "in.jsonl", tmp_path / "r.jsonl"
    source.write_text("{}\n")

    def making(seed: int = 0, codec: str = "json") -> Making:
        return Making("rows", seed, {"codec": codec}, [source])

    assert making().done(out) is None
    making().finish(out, PolicyRow, write_rows(out, ROWS, PolicyRow))
    assert making().done(out) is not None
    assert making(seed=1).done(out) is None
    assert making(codec="boxed").done(out) is None
    source.write_text("{} \n")
    assert making().done(out) is None
    source.write_text("{}\n")
    write_rows(out, ROWS[:1], PolicyRow)
    assert making().done(out) is None


def test_work_is_kept_through_an_interruption(tmp_path: Path):
    out = tmp_path / "r.jsonl"

    def interrupted() -> None:
        with Work(out, PolicyRow, lambda row: row.id) as work:
            work.add(ROWS[0])
            work.add(ROWS[1])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    work = Work(out, PolicyRow, lambda row: row.id)
    with work.path.open("ab") as file:
        file.write(b'{"schema_version":1,"id":"p2","spl')  # killed while it wrote
    with Work(out, PolicyRow, lambda row: row.id) as work:
        assert list(work.known) == ["p0", "p1"]
        work.add(ROWS[2])
        work.add(ROWS[0].model_copy(update={"answer": "another"}))
    with Work(out, PolicyRow, lambda row: row.id) as work:
        assert [work.known[key].answer for key in ("p0", "p1", "p2")] == ["another", "1", "2"]
    work.clear()
    assert not work.path.exists()


def test_other_forms_hold_the_same_words():
    row = ROWS[1]
    assert [turn.role for turn in as_chat(row).messages] == ["system", "user", "assistant"]
    alpaca = as_alpaca(row)
    assert (alpaca.instruction, alpaca.input) == ("Be brief.", "1 or 2?")
    assert alpaca.output == row.completion[0].content


@pytest.mark.parametrize("name", ["r.jsonl", "r.parquet"])
def test_a_preview_needs_no_card(tmp_path: Path, name: str):
    write_rows(tmp_path / name, ROWS, PolicyRow)
    assert kind_of(tmp_path / name) is PolicyRow
    shown = list(pages(tmp_path / name, 2, 2, 200))
    assert len(shown) == 2
    assert "2 « 基站 »" in shown[0]
    assert "[assistant]" in shown[0]


def test_a_preview_cuts_long_texts_and_says_so(tmp_path: Path):
    trace = Trace(
        id="t", split="train", question="?", answer="!", trace="x" * 500, first_trace="",
        perplexity_bare=3, perplexity_first=2, perplexity=1, rounds=1, tried=1, accepted=1,
        curve=(2.0, 1.0), model="m", provenance=OWN,
    )  # fmt: skip
    write_rows(tmp_path / "t.jsonl", [trace], Trace)
    (page,) = pages(tmp_path / "t.jsonl", 0, 1, 100)
    assert f"{'x' * 50} […400 characters…]" in page


def test_a_file_of_something_else_has_no_preview(tmp_path: Path):
    (tmp_path / "x.jsonl").write_text('{"hello": 1}\n')
    with pytest.raises(DataError, match="none of the records"):
        list(pages(tmp_path / "x.jsonl", 0, 1, 100))
