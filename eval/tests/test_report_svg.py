"""Curves: every point drawn inside its frame, between round ticks."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from hypothesis import given
from hypothesis import strategies as st

from telejudge_eval.report.svg import HEIGHT, MAX_POINTS, WIDTH, chart

VALUES = st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=60)


@given(VALUES)
def test_every_point_lies_inside_the_picture(values: list[float]) -> None:
    svg = ElementTree.fromstring(chart("x < y & z", [(float(i), v) for i, v in enumerate(values)]))
    circles = svg.findall("circle")
    assert len(circles) == len(values)
    for circle in circles:
        assert 0 <= float(circle.attrib["cx"]) <= WIDTH
        assert 0 <= float(circle.attrib["cy"]) <= HEIGHT


def test_a_panel_names_its_values_for_readers_without_eyes() -> None:
    svg = ElementTree.fromstring(chart("Success", [(1, 0.25), (40, 1.0)], low=0.0, high=1.0))
    assert svg.attrib["aria-label"] == "Success: 0.25 at step 1, 1 at step 40, 2 points"
    assert [c.findtext("title") for c in svg.findall("circle")] == ["step 1: 0.25", "step 40: 1"]
    labels = [text.text for text in svg.findall("text")]
    assert {"0", "1", "step"} <= set(labels)


def test_many_points_are_thinned_and_smoothed() -> None:
    points = [(float(i), float(i % 7)) for i in range(5000)]
    svg = ElementTree.fromstring(chart("Loss", points))
    assert len(svg.findall("circle")) <= MAX_POINTS
    assert {path.attrib["class"] for path in svg.findall("path")} >= {"raw", "mean"}


def test_counts_have_whole_ticks() -> None:
    svg = ElementTree.fromstring(chart("Ties", [(1, 0), (2, 1)], low=0.0, whole=True))
    assert all("." not in (text.text or "") for text in svg.findall("text"))
