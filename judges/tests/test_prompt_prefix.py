"""What changes from call to call stands at the end of a system prompt, so that a server which keeps
the beginning of equal prompts reads the instructions once and not once a call."""

from pathlib import Path

import pytest

from telejudge_judges.prompting import FOLDER, Prompt

SHIPPED = sorted(
    path
    for judge in ("listwise", "pointwise", "pairwise", "rubric")
    for path in FOLDER.glob(f"{judge}_*.jinja")
)


def system(path: Path, fence: str, name: str) -> str:
    return Prompt.read(path).system(
        fence=fence,
        evidence="",
        reference="",
        kinds=("needless_call",),
        ids=[name],
        instruction="Reply with JSON.",
        again="",
        items=[],
        names=[name],
    )


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_only_the_last_paragraph_differs_between_calls(path: Path) -> None:
    one, other = system(path, "0123456789ab", "k7qm"), system(path, "ba9876543210", "p3xd")
    before, _, end = one.rpartition("\n\n")
    assert other.startswith(before)
    assert "<data-0123456789ab …>" in end
    assert "0123456789ab" not in before
