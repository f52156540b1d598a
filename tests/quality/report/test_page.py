import dataclasses
import re
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from backsight.quality.check import check_sequence
from backsight.quality.report.drawings import depth_picture, histogram
from backsight.quality.report.page import report_page, write_report
from backsight.quality.validate import validate_dataset
from backsight.records.errors import UsageError
from backsight.records.quality import Finding
from backsight.storage.layout import sequence_folder
from backsight.storage.read import read_sequence
from backsight.storage.write import write_sequence


@pytest.fixture(scope="module")
def reported(tmp_path_factory, make_dataset):
    """A data set with one black walk, and its page."""
    root = make_dataset(tmp_path_factory.mktemp("set") / "walks", places=3)
    sequence = read_sequence(root, "walk-1-0")
    shutil.rmtree(sequence_folder(root, "walk-1-0"))
    black = dataclasses.replace(sequence, rgb=np.zeros_like(sequence.rgb))
    write_sequence(root, black, check_sequence(black))
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    report = validate_dataset(root)
    path = write_report(root.parent / "pages" / "quality.html", report, worst=2)
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
    return report, path.read_text()


def test_the_page_shows_verdict_scores_reasons_and_pictures(reported):
    _, page = reported
    for words in ("falls short", "2 of 3", "visual quality", "no frozen frames", "shows nothing", "66.7%"):
        assert words in page
    shown = re.findall(r"<h3>(\S+) ", page)
    assert shown[0] == "walk-1-0"
    assert len(shown) == 2
    assert page.count('<section class="walk">') == 2
    assert page.count("data:image/webp;base64,") == 2 * 2 * 7, "colour and depth of all seven frames"
    assert page.count('<figure class="wrong">') == 4


def test_the_page_needs_nothing_else_and_its_words_are_escaped(reported):
    report, page = reported
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    assert "<script" not in page
    spoilt = msgspec.structs.replace(report, findings=(Finding("<script>", "a&b", "x<y"),))
    text = report_page(spoilt, worst=0)
    assert "&lt;script&gt;" in text
    assert "a&amp;b: x&lt;y" in text
    assert "<script" not in text


def test_a_report_is_never_written_into_the_data_set(reported, tmp_path):
    report, _ = reported
    with pytest.raises(UsageError, match="within the data set"):
        write_report(Path(report.root) / "quality.html", report)


def test_histograms_count_every_score():
    drawn = histogram("sharp <ness>", [0.0, 0.01, 0.69, 0.7, 1.0, 1.0])
    counts = [int(count) for count in re.findall(r": (\d+)</title>", drawn)]
    assert sum(counts) == 6
    assert drawn.count('class="low"') == 2
    assert "sharp &lt;ness&gt;" in drawn


def test_near_is_brighter_than_far_and_nothing_is_black():
    picture = depth_picture(np.array([[0.5, 3.0, 7.0, 0.0]], dtype=np.float32)).astype(int).sum(axis=-1)[0]
    assert picture[0] > picture[1] > picture[2] > picture[3] == 0
