import json

import pytest

from backsight.monitor.run_folder import RunWriter, read_metrics
from backsight.records.errors import DataError


def test_what_is_logged_is_read_back(tmp_path):
    writer = RunWriter(tmp_path / "run", {"steps": 7})
    writer.log(3, 0, "first", 12, {"loss/total": 0.5})
    writer.log(5, 1, "first", 20, {"loss/total": 0.25, "validation/footprint_auc": 0.75})
    writer.close()
    first, second = read_metrics(tmp_path / "run")
    assert (first.step, first.samples, first.values) == (3, 12, {"loss/total": 0.5})
    assert second.wall_s >= first.wall_s >= 0
    description = json.loads((tmp_path / "run" / "run.json").read_text())
    assert description["configuration"] == {"steps": 7}
    assert "numpy" in description["versions"]


def test_an_unfinished_last_line_is_left_out(tmp_path):
    writer = RunWriter(tmp_path, {})
    writer.log(3, 0, "first", 12, {"loss/total": 0.5})
    writer.close()
    with (tmp_path / "metrics.jsonl").open("ab") as file:
        file.write(b'{"step": 4, "epo')
    assert [record.step for record in read_metrics(tmp_path)] == [3]


def test_a_damaged_line_is_named(tmp_path):
    (tmp_path / "metrics.jsonl").write_bytes(b"{}\n")
    with pytest.raises(DataError, match="line 1"):
        read_metrics(tmp_path)


def test_a_folder_without_metrics_is_no_run(tmp_path):
    with pytest.raises(DataError, match=r"metrics\.jsonl"):
        read_metrics(tmp_path)
