"""The page and the text that show what went on inside an engine."""

import re
from pathlib import Path

import numpy as np
import pytest

from scoot_ray.report.quantities import Watched, watched_engines
from scoot_ray.report.sparklines import BARS, NUM_BARS, inside_table, sparkline
from scoot_ray.report.timeline_page import ROWS, timeline_figure, write_timeline_page
from trainables.model import load_model_shape
from trainables.simulator.config import EngineConfig
from trainables.simulator.timeline import StepSample, Timeline

CONFIG = EngineConfig.resolve(
    {"max_num_seqs": 8, "max_num_batched_tokens": 256},
    load_model_shape("meta-llama/Llama-2-7b-hf"),
)


def make_timeline(num_steps: int) -> Timeline:
    timeline = Timeline()
    timeline.samples = [
        StepSample(0.02 * n, 0.02, n % 5, n % 8, n % 8, 100 * (n % 3 == 0), 0.1 * (n % 10), n == 50)
        for n in range(num_steps)
    ]
    return timeline


def watch(num_steps: int, label: str = "a") -> Watched:
    (engine,) = watched_engines(label, CONFIG, [make_timeline(num_steps)])
    return engine


def test_several_engines_of_a_configuration_are_numbered() -> None:
    engines = watched_engines("a", CONFIG, [make_timeline(9), make_timeline(9)])
    assert [engine.label for engine in engines] == ["a, engine 1 of 2", "a, engine 2 of 2"]


def test_every_quantity_is_a_row_with_its_unit_and_its_limit() -> None:
    figure = timeline_figure([watch(100)])
    assert len(ROWS) == 6
    units = [figure.layout[f"yaxis{n}" if n > 1 else "yaxis"].title.text for n in range(1, 7)]
    assert units == ["requests", "requests", "%", "tokens", "ms", "requests"]
    assert "seconds" in figure.layout.xaxis6.title.text
    limits = {line.name: set(line.y) for line in figure.data if line.line.dash == "dash"}
    assert limits == {"a: max_num_seqs": {8}, "a: max_num_batched_tokens": {256}}


def test_a_limit_far_above_is_not_drawn() -> None:
    far = EngineConfig.resolve({}, load_model_shape("meta-llama/Llama-2-7b-hf"))
    figure = timeline_figure(watched_engines("a", far, [make_timeline(100)]))
    assert not [line for line in figure.data if line.line.dash == "dash"]


def test_curves_are_those_of_the_timeline() -> None:
    engine = watch(100)
    waiting = next(line for line in timeline_figure([engine]).data if line.name == "a")
    assert list(waiting.y) == list(engine.curves.waiting)
    assert waiting.line.shape == "hv"


def test_every_engine_has_its_colour_and_one_place_in_the_legend() -> None:
    figure = timeline_figure([watch(50, "a"), watch(60, "b")])
    shown = [line for line in figure.data if line.showlegend is not False]
    assert [line.name for line in shown] == ["a", "b"]
    assert len({line.line.color for line in shown}) == 2
    assert {line.legendgroup for line in figure.data} == {"a", "b"}


def test_a_crowd_of_steps_is_drawn_behind_its_mean() -> None:
    names = {line.name for line in timeline_figure([watch(5000)]).data}
    assert "a: mean" in names
    assert "a: mean" not in {line.name for line in timeline_figure([watch(500)]).data}


def test_the_page_needs_no_network_and_stays_small(tmp_path: Path) -> None:
    path = tmp_path / "timeline.html"
    write_timeline_page("inside", [watch(200_000)], ["<b>note</b>"], path)
    page = path.read_text()
    assert "&lt;b&gt;note" in page
    assert re.search(r"<(script|link|img)[^>]+(src|href)=", page) is None
    bare = tmp_path / "bare.html"
    write_timeline_page("inside", [], [], bare)
    assert path.stat().st_size - bare.stat().st_size < 3e6


def test_the_text_shows_every_quantity_with_its_range() -> None:
    table = inside_table(watch(100))
    assert len(table.rows) == 7
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["Waiting requests"][1:] == ("0", "2", "4")
    assert rows["Step time (ms)"][1:] == ("20", "20", "20")
    assert rows["Preemptions so far"][1:] == ("0", "-", "1")
    assert all(len(row[0]) == NUM_BARS for row in rows.values())


@pytest.mark.parametrize("num_steps", [1, 10, 48, 5000])
def test_peaks_are_seen_however_many_steps_there_are(num_steps: int) -> None:
    timeline = make_timeline(num_steps)
    timeline.samples[num_steps // 2] = StepSample(
        0.02 * (num_steps // 2), 0.02, 99, 1, 1, 0, 0.0, 0
    )
    (engine,) = watched_engines("a", CONFIG, [timeline])
    assert BARS[-1] in inside_table(engine).rows[0][1]


def test_bars_grow_with_their_values() -> None:
    assert sparkline(np.array([0.0, 0.1, 4.0, 8.0])) == " ▁▄█"
    assert sparkline(np.zeros(3)) == "   "
