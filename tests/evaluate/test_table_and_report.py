import io
import math
import re
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from rich.console import Console

from backsight.evaluate.baselines.oracle import oracle_prediction
from backsight.evaluate.metric_names import GROUPS
from backsight.evaluate.report.content import RealWalks, ReportContent, Walk, choose_walks
from backsight.evaluate.report.drawings import compass, learning_curves
from backsight.evaluate.report.page import write_report
from backsight.evaluate.report.pictures import png_data_uri
from backsight.evaluate.report.walk_section import shown_history
from backsight.evaluate.score import frame_aucs
from backsight.evaluate.table import markdown_table, print_table, read_results, table_groups, write_results
from backsight.evaluate.truth import truth_of
from backsight.records.errors import DataError
from backsight.records.score import ScoreRow

ROWS = (
    ScoreRow("footprint_auc", "model", 0.81234, 0.8, 0.83, 7, 113),
    ScoreRow("footprint_auc", "uniform", 0.5, 0.5, 0.5, 7, 113),
    ScoreRow("footprint_auc", "oracle_depth_noise", 0.997, 0.99, 1.0, 7, 113),
    ScoreRow("bearing_median_deg", "model", 21.26, math.nan, math.nan, 1, 113),
    ScoreRow("something_new", "model", 0.1, 0.0, 0.2, 7, 113),
)
EVIL = "<script>alert('x')</script> & more"


@pytest.fixture
def walk(all_questions, config):
    question = all_questions[0]
    sample = question.sample
    prediction = oracle_prediction(question)
    prediction = replace(prediction, info=replace(prediction.info, predictor="model"))
    said = tuple(msgspec.structs.replace(i, text=EVIL) for i in sample.instructions)
    fit = config.fit_of(question.sequence)
    frames = sample.current_frame, sample.history_frames, question.keyframes
    truth = truth_of(question.sequence, *frames, sample.instructions, fit)
    return Walk("median", question.sequence, fit, prediction, truth, said, 1.0, frame_aucs(prediction, truth))


def test_the_page_stands_alone_and_escapes_every_text(walk, tmp_path):
    silent = replace(
        walk.prediction,
        info=replace(walk.prediction.info, instruction_ids=()),
        target=walk.prediction.target[:0],
        target_presence=walk.prediction.target_presence[:0],
    )
    real = RealWalks(EVIL, ROWS[:2], (replace(walk, prediction=silent, instructions=()),))
    content = ReportContent(
        EVIL,
        EVIL,
        ROWS,
        (walk,),
        EVIL,
        real=real,
        curve_points=((0, EVIL, 0.5), (10, EVIL, 0.7)),
        facts=((EVIL, EVIL),),
    )
    page = write_report(tmp_path, content).read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert page.count("data:image/webp;base64,") > 20
    without_data = re.sub(r"data:image/[a-z]+;base64,[A-Za-z0-9+/=]+", "", page)
    assert not re.search(r"https?://|//[a-z]|@import|url\(|<link|src=\"[^\"]", without_data)
    assert "not in any keyframe" in page
    assert "0.812" in page


def test_tables_keep_every_row_and_name_what_they_rest_on():
    groups = table_groups(ROWS)
    assert sum(len(group.lines) for group in groups) == 3
    assert groups[-1].title == "Other"
    text = markdown_table(ROWS)
    assert "| AUC | **0.812** (0.800 to 0.830) | 0.500 | 0.997 | 113 | 7 |" in text
    assert "| **21.3** |" in text.replace("median error, degrees ", "")


@pytest.mark.parametrize("width", [100, 160])
def test_the_terminal_table_fits_its_width_and_cuts_no_figure(width):
    rows = [
        ScoreRow(metric.metric, predictor, -0.12345, -0.2, -0.1, 53, 12347)
        for group in GROUPS
        for metric in group.metrics
        for predictor in group.predictors
    ]
    out = io.StringIO()
    print_table(rows, Console(file=out, width=width, color_system=None))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in out.getvalue()
    assert sum("12347/53" in line for line in lines) == sum(len(group.metrics) for group in GROUPS)
    assert sum(line.count("-0.123") + line.count("-0.1 ") for line in lines) == len(rows)
    assert "-0.123 ±.050" in out.getvalue()


def test_results_survive_a_round_trip_with_a_missing_interval(tmp_path):
    write_results(tmp_path / "results.json", ROWS)
    read = read_results(tmp_path / "results.json")
    assert [r for r in read if not math.isnan(r.low)] == [r for r in ROWS if not math.isnan(r.low)]
    assert math.isnan(read[3].high)
    (tmp_path / "results.json").write_text("[{]")
    with pytest.raises(DataError, match="rows"):
        read_results(tmp_path / "results.json")


def test_walks_are_chosen_by_rule():
    aucs = {(f"w{n}", 5): n / 10 for n in range(9)}
    chosen = choose_walks(aucs, 2, seed=1)
    assert [(key[0], reason) for key, reason in chosen[:3]] == [("w4", "median"), ("w8", "best"), ("w0", "worst")]
    assert [reason for _, reason in chosen[3:]] == ["random", "random"]
    assert choose_walks(aucs, 2, seed=1) == chosen
    assert choose_walks({("w", 1): 0.5}, 2, seed=1) == [(("w", 1), "median")]


def test_shown_frames_rise_and_include_an_absent_one(walk):
    present = np.array([True, True, True, False, True, True])
    shown = shown_history(replace(walk, truth=replace(walk.truth, footprint_presence=present)))
    assert shown == sorted(set(shown))
    assert 3 in shown


def test_the_compass_points_right_for_what_is_on_the_right():
    assert "rotate(90.0)" in compass(np.array([1.0, 0.0, 0.0]), None)
    assert "rotate(0.0)" in compass(np.array([0.0, 0.0, 1.0]), None)


def test_curves_and_pictures_refuse_what_they_cannot_show():
    assert learning_curves([(0, "a", 1.0), (5, "a", 1.0)]).count("<figure") == 1
    with pytest.raises(ValueError, match="finite"):
        learning_curves([(0, "a", math.nan)])
    with pytest.raises(ValueError, match="PNG"):
        png_data_uri(b"JFIF")
