"""Base measurements: figures by hand, resuming, and what is said when something is missing."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("pyzipper")

from lm_eval_harness import made_up_teleqna, tiny_model

from telejudge_envs import store
from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Endpoint
from telejudge_envs.errors import UsageError
from telejudge_envs.fake_endpoint import FakeEndpoint, Reply, say
from telejudge_envs.teleqna import read_all
from telejudge_envs.teleqna_choice import Choice, as_choice, askable
from telejudge_eval.base.document import markdown, page, read_results
from telejudge_eval.base.figures import line_of
from telejudge_eval.base.local_speaker import LocalSpeaker
from telejudge_eval.base.records import BaseResult, Item, Section
from telejudge_eval.base.run import TITLES, Data, measure
from telejudge_eval.base.settings import BaseSettings
from telejudge_eval.base.speakers import EndpointSpeaker, Said, letter_in, open_speaker
from telejudge_judges import practice
from telejudge_training.judge_data.problems import our_problems

SMALL = BaseSettings(
    choices=8, open=2, problems=3, problem_tokens=8, tau2=1, base_station=1, max_steps=2,
    turn_tokens=8, open_tokens=8,
)  # fmt: skip


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> LocalSpeaker:
    return LocalSpeaker(tiny_model(tmp_path_factory.mktemp("tiny")))


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up_teleqna(tmp_path_factory.mktemp("data") / "TeleQnA.zip", each=20)


class Scripted:
    """A speaker that knows all answers, counts what it is asked, and may fail on the way."""

    name, how, versions = "scripted", "by a script", {"script": "1"}

    def __init__(self, speaker: LocalSpeaker, *, fails_at: int | None = None) -> None:
        self.asked = 0
        self._agents, self._fails_at = speaker, fails_at
        self._answers = {p.question: str(p.answer) for p in our_problems()}

    async def say(self, system: str, user: str, **_: Any) -> Said:
        self._count()
        return Said(self._answers.get(user, "a phrase"), 5, 3, 0.1)

    async def choose(self, choice: Choice) -> tuple[int | None, Said]:
        self._count()
        return choice.right, Said("A", 5, 1, 0.1)

    def agents(self, max_tokens: int) -> Any:
        return self._agents.agents(max_tokens)

    def _count(self) -> None:
        if self.asked == self._fails_at:
            raise KeyboardInterrupt
        self.asked += 1


def timeless(result: BaseResult) -> list[Item]:
    items = [item for section in result.sections for item in section.items]
    return [item.model_copy(update={"seconds": 0.0}) for item in items]


def by_name(result: BaseResult) -> dict[str, Section]:
    return {section.name: section for section in result.sections}


def test_a_local_model_is_measured_from_end_to_end(
    local: LocalSpeaker, packed: Path, tmp_path: Path
):
    result = measure(local, Data(teleqna=packed), SMALL, tmp_path / "run")
    found = by_name(result)
    assert [*found] == [*TITLES]
    choices = {q.id: as_choice(q) for q in askable(read_all(packed))}
    for item in found["teleqna"].items:
        place, _ = asyncio.run(local.choose(choices[item.id]))
        assert item.score == float(place == choices[item.id].right)
    assert len(found["teleqna"].items) == 8
    assert {i.id for i in found["teleqna_shuffled"].items} == {i.id for i in found["teleqna"].items}
    assert found["teleqna_open"].left_out == "no judge was given"
    assert all(item.score == 0 for item in found["telemath"].items)
    for world in ("tau2", "base_station"):
        [episode] = found[world].items
        assert episode.score is None  # a policy is longer than what it can look at
        assert "context_overflow" in episode.why
    assert "no judge was given" in markdown([result], "t")
    again = measure(local, Data(teleqna=packed), SMALL, tmp_path / "run")
    assert timeless(again) == timeless(result)  # what was too long is tried again, and is again


def test_a_template_that_hides_tools_is_told(local: LocalSpeaker, tmp_path: Path):
    assert "cannot show tools" in local.how
    folder = tiny_model(tmp_path)
    template = folder / "chat_template.jinja"
    template.write_text(
        "{% for t in tools %}{{ t.function.name }}\n{% endfor %}" + template.read_text()
    )
    assert "cannot show tools" not in LocalSpeaker(folder).how


def test_local_letters_are_those_of_lm_evaluation_harness(local: LocalSpeaker, packed: Path):
    """The same prompt and rule as test_lm_eval_tasks.picked, which lm_eval is held against."""
    from test_lm_eval_tasks import picked

    folder = Path(local._tokenizer.name_or_path)
    for question in askable(read_all(packed))[:5]:
        choice = as_choice(question)
        place, _ = asyncio.run(local.choose(choice))
        assert place == picked(folder, choice)


def test_a_killed_measurement_goes_on(local: LocalSpeaker, packed: Path, tmp_path: Path):
    settings = SMALL.model_copy(update={"tau2": 0, "base_station": 0, "open": 0})
    with pytest.raises(KeyboardInterrupt):
        measure(Scripted(local, fails_at=5), Data(teleqna=packed), settings, tmp_path)
    kept = len(list(store.read(tmp_path / "items.jsonl", Item)))
    assert 0 < kept <= 5
    speaker = Scripted(local)
    result = measure(speaker, Data(teleqna=packed), settings, tmp_path)
    assert speaker.asked == 8 + 8 + 3 - kept
    figures = {name: line_of(section) for name, section in by_name(result).items()}
    assert figures["teleqna"].value == figures["telemath"].value == 1
    assert figures["tau2"].value is None
    assert figures["tau2"].note == "not asked for"
    other = settings.model_copy(update={"choices": 9})
    with pytest.raises(UsageError, match="choices"):
        measure(speaker, Data(teleqna=packed), other, tmp_path)


def test_open_answers_are_judged_with_the_key_as_a_reference(
    local: LocalSpeaker, packed: Path, tmp_path: Path
):
    asked: list[dict[str, Any]] = []

    def script(request: dict[str, Any], number: int) -> Reply:
        asked.append(request)
        return practice.answer(request, number)

    with FakeEndpoint(script) as endpoint:
        judge = ChatClient(Endpoint(base_url=endpoint.base_url, model="judge"))
        settings = SMALL.model_copy(
            update={"choices": 0, "problems": 0, "tau2": 0, "base_station": 0}
        )
        data = Data(teleqna=packed, judge=judge)
        result = measure(Scripted(local), data, settings, tmp_path)
        keys = {q.id: q.right for q in read_all(packed)}
    sent = json.dumps(asked)
    assert "only where you are unsure" in sent
    for name in ("teleqna_open", "teleqna_open_30"):
        items = by_name(result)[name].items
        assert len(items) == 2
        assert all(keys[item.id] in sent for item in items)
        assert all(item.score == 0 for item in items)  # practice.py: nothing was changed
    assert result.settings["judge"] == "pointwise, judge"
    assert "a phrase" not in result.model_dump_json()


@pytest.mark.parametrize(
    ("reply", "place"),
    [
        ("B", 1), (" b. something", 1), ("**C**", 2), ("The answer is D.", 3), ("Answer: A", 0),
        (r"so \boxed{B}", 1), ("(B)", 1), ("E", None), ("Because", None), ("", None),
        ("option B", 1), ("A network", 0), ("none of them", None),
    ],
)  # fmt: skip
def test_letters_in_replies(reply: str, place: int | None):
    assert letter_in(reply, 4) == place


def test_an_endpoint_that_fails_is_no_wrong_answer(packed: Path):
    speaker = open_speaker("http://127.0.0.1:9/v1", model="m", timeout=1.0)
    assert isinstance(speaker, EndpointSpeaker)
    from telejudge_eval.base.questions import choose

    item = asyncio.run(choose(speaker, askable(read_all(packed))[0], "teleqna", None))
    assert item.score is None
    assert item.why.startswith("endpoint: ")


def test_episodes_that_a_dead_endpoint_ended_are_played_again(tmp_path: Path):
    settings = SMALL.model_copy(update={"choices": 0, "open": 0, "problems": 0, "tau2": 0})

    def measured(url: str) -> Item:
        speaker = open_speaker(url, model="m", timeout=5.0)
        [item] = by_name(measure(speaker, Data(), settings, tmp_path))["base_station"].items
        return item

    with FakeEndpoint(lambda request, number: say("Good morning.")) as endpoint:
        url = endpoint.base_url
    assert measured(url).why.startswith("endpoint: connection")
    port = int(url.rsplit(":", 1)[1].split("/")[0])
    with FakeEndpoint(lambda request, number: say("Good morning."), port=port):
        item = measured(url)
    assert item.score == 0
    assert measured(url) == item


def test_where_there_is_no_model(tmp_path: Path):
    with pytest.raises(UsageError, match="neither a model folder"):
        open_speaker(str(tmp_path))
    with pytest.raises(UsageError, match="--model"):
        open_speaker("http://127.0.0.1:9/v1")


def test_table_and_page_show_the_stored_figures(tmp_path: Path):
    items = [
        Item(section="teleqna", id=str(n), score=s, unread=n == 2, seconds=2.0)
        for n, s in enumerate((1.0, 1.0, 0.0, 1.0))
    ]
    lost = Item(section="teleqna", id="x", score=None, why="endpoint: timeout")
    section = Section(name="teleqna", title="TeleQnA <b>", sample="drawn", items=(*items, lost))
    result = BaseResult(
        model="m|1", how="h", settings={"judge": None}, versions={}, sections=(section,)
    )
    path = tmp_path / "result.json"
    path.write_text(result.model_dump_json(), encoding="utf-8")
    read = read_results([path])
    text, html = markdown(read, "Base"), page(read, "Base")
    assert "| m\\|1 | 75.0% |" in text
    assert "4 of 5 | 1 |" in text
    assert "30.1%–95.4%" in text  # Wilson's interval of 3 of 4
    assert "1 not scored (endpoint: timeout)" in text
    assert "75.0%" in html
    assert "TeleQnA &lt;b&gt;" in html
    assert "http" not in html


ROOT = Path(__file__).parents[2]
RESULTS = [
    ROOT / "docs/results/base" / f"{name}.json"
    for name in ("smollm2-135m-instruct", "qwen2.5-coder-0.5b-instruct")
]


def test_the_committed_document_is_the_rendering_of_the_stored_results():
    introduction = (ROOT / "docs/results/base/introduction.md").read_text(encoding="utf-8")
    rendered = markdown(read_results(RESULTS), "Base measurements", introduction)
    assert rendered == (ROOT / "docs/base-measurements.md").read_text(encoding="utf-8")
    stored = [path.read_text(encoding="utf-8") for path in RESULTS]
    assert all('"reply":""' in "".join(text.split()) for text in stored)
    assert not any(
        item.reply for result in read_results(RESULTS) for s in result.sections for item in s.items
    )
