"""The document on judges with a real model, from the results that `judge_real_model.py` kept.

python benchmarks/judge_results.py            # docs/results/judges -> docs/judge-results.md
"""

from __future__ import annotations

from pathlib import Path

from telejudge_eval.judge_eval.document import document

RESULTS = Path("docs/results/judges")
DOCUMENT = Path("docs/judge-results.md")


def rendered(root: Path = Path()) -> str:
    folder = root / RESULTS
    introduction = (folder / "introduction.md").read_text(encoding="utf-8")
    return document(sorted(folder.glob("*.json")), introduction)


if __name__ == "__main__":
    DOCUMENT.write_text(rendered(), encoding="utf-8")
    print(f"{DOCUMENT} written")
