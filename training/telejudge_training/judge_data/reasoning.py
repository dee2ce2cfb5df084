"""`telejudge data reer`: the step around reer.py, question by question.

write_traces(questions, out, settings, model, name="smollm2-135m", most=20)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import geometric_mean

from telejudge_judges.opaque import digest
from telejudge_training.judge_data.cards import Making
from telejudge_training.judge_data.files import write_rows
from telejudge_training.judge_data.questions import read_questions
from telejudge_training.judge_data.reer import Model, Search, SearchSettings
from telejudge_training.judge_data.rows import Card, QuestionRow, Split
from telejudge_training.judge_data.texts import Trace
from telejudge_training.judge_data.work import Work


def write_traces(
    questions: Path,
    out: Path,
    settings: SearchSettings,
    model: Callable[[], Model],
    *,
    name: str,
    most: int = 0,
    splits: Sequence[Split] = ("train", "dev"),
    licence: str = "unknown",
    on_question: Callable[[int, int], None] = lambda done, total: None,
    force: bool = False,
) -> Card:
    """Search a trace for each question. `model` is loaded when something is left to do; `name`
    tells which it is, and `licence` under what its words may be used."""
    told = {**settings.model_dump(exclude={"seed"}), "model": name, "most": most}
    told |= {"splits": ",".join(splits), "licence": licence}
    making = Making("reer", settings.seed, told, [questions])
    done = making.done(out)
    if done is not None and not force:
        return done
    chosen = [q for q in read_questions(questions) if q.split in splits and not q.pointing]
    chosen = chosen[:most] if most else chosen
    key = settings.model_dump_json()
    names = {q.id: digest("trace", name, key, q.id)[:16] for q in chosen}
    with Work(out, Trace, lambda trace: trace.id) as work:
        left = [q for q in chosen if names[q.id] not in work.known]
        search = Search(model(), settings) if left else None
        on_question(len(chosen) - len(left), len(chosen))
        for number, question in enumerate(left, start=len(chosen) - len(left) + 1):
            assert search is not None
            work.add(_trace(search, question, names[question.id], name, licence, making))
            on_question(number, len(chosen))
        found = [work.known[names[q.id]] for q in chosen]
    for trace in found:
        making.count("perplexity", "fell" if trace.accepted else "stayed")
        making.licences[trace.provenance.licence] += 1
    if found:
        making.notes.append(
            "perplexity of the answers (geometric mean): "
            f"{geometric_mean([t.perplexity_bare for t in found]):.2f} without a trace, "
            f"{geometric_mean([t.perplexity_first for t in found]):.2f} after the draft, "
            f"{geometric_mean([t.perplexity for t in found]):.2f} after the search; "
            f"{sum(t.accepted for t in found)} of {sum(t.tried for t in found)} versions kept"
        )
    card = making.finish(out, Trace, write_rows(out, found, Trace))
    work.clear()
    return card


def _trace(
    search: Search, question: QuestionRow, name: str, model: str, licence: str, making: Making
) -> Trace:
    found = search.find(question.text, question.right, question.id)
    own = question.provenance
    return Trace(
        id=name,
        split=question.split,
        question=question.text,
        answer=question.right,
        trace=found.trace,
        first_trace=found.draft,
        perplexity_bare=found.bare,
        perplexity_first=found.curve[0],
        perplexity=found.curve[-1],
        rounds=len(found.curve) - 1,
        tried=found.tried,
        accepted=found.accepted,
        curve=found.curve,
        model=model,
        provenance=making.provenance(own.source, f"{own.licence} AND {licence}", question.id),
    )
