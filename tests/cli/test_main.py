import pytest

from backsight.cli.main import main


def test_help_names_every_command(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ("collect", "validate", "train", "predict", "score", "evaluate", "chain"))


def test_no_command_is_a_mistake_in_use():
    assert main([]) == 2


def test_an_unknown_command_names_the_nearest(capsys):
    assert main(["colect"]) == 2
    assert "did you mean 'collect'" in capsys.readouterr().err


def test_an_unknown_option_names_the_nearest_and_writes_nothing(capsys, tmp_path):
    with pytest.raises(SystemExit) as caught:
        main(["collect", "--out", str(tmp_path / "d"), "--num-sequence", "3"])
    assert caught.value.code == 2
    assert "--num-sequences" in capsys.readouterr().err
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [("--num-sequences", "0", "num_sequences"), ("--size", "33x20", "33x20"), ("--hfov-deg", "200", "hfov_deg")],
)
def test_an_impossible_value_is_named_and_nothing_is_written(option, value, told, capsys, tmp_path):
    with pytest.raises(SystemExit) as caught:
        main(["collect", "--out", str(tmp_path / "d"), option, value])
    assert caught.value.code == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize("command", ["validate", "train", "evaluate"])
def test_a_folder_that_is_no_data_set_is_said_to_be_none(command, capsys, tmp_path):
    arguments = {
        "validate": [str(tmp_path)],
        "train": ["--data", str(tmp_path), "--run", str(tmp_path / "run")],
        "evaluate": ["--data", str(tmp_path), "--checkpoint", str(tmp_path), "--out", str(tmp_path / "out")],
    }
    assert main([command, *arguments[command]]) == 3
    assert "dataset.json" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_folder_that_holds_neither_data_nor_recording_cannot_be_scored(capsys, tmp_path):
    assert main(["score", "--data", str(tmp_path)]) == 3
    assert "poses.txt" in capsys.readouterr().err


def test_a_missing_checkpoint_is_named(make_dataset, capsys, tmp_path):
    data = make_dataset(tmp_path / "data")
    assert main(["predict", "--data", str(data), "--checkpoint", str(tmp_path / "none")]) == 3
    assert "model.safetensors" in capsys.readouterr().err


def test_a_truncated_video_is_named(make_dataset, capsys, tmp_path):
    data = make_dataset(tmp_path / "data")
    video = next(data.rglob("rgb.mp4"))
    video.write_bytes(video.read_bytes()[:-7])
    assert main(["validate", str(data)]) == 3
    assert "rgb.mp4" in capsys.readouterr().out


def test_a_yaml_file_with_an_unknown_key_is_refused(capsys, tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("num_sequence: 3\n")
    assert main(["collect", "--config", str(path)]) == 2
    assert "did you mean 'num_sequences'" in capsys.readouterr().err


def test_a_dry_run_says_what_would_be_collected_and_writes_nothing(capsys, tmp_path):
    chosen = ["--num-sequences", "40", "--scene-types", "flat", "gym", "--places", "5", "--hold-out", "gym"]
    assert main(["collect", "--dry-run", "--no-calibrate", *chosen, "--out", str(tmp_path / "d")]) == 0
    said = capsys.readouterr().out
    assert "40 sequences in 4 places" in said
    assert "left out: vertical motion" in said
    rows = [line.split() for line in said.splitlines() if line.strip()]
    assert ["gym", "2", "20", "0", "0", "20"] in [row[:2] + row[3:] for row in rows]
    assert any(row[:1] == ["correspondence"] and row[1] == "13" for row in rows)
    assert not (tmp_path / "d").exists()


def test_a_dry_run_of_a_part_is_about_that_part(capsys, tmp_path):
    part = ["--num-sequences", "40", "--scene-types", "flat", "--shard", "2/3"]
    assert main(["collect", "--dry-run", "--no-calibrate", *part, "--out", str(tmp_path / "d")]) == 0
    assert "10 sequences in 1 places" in capsys.readouterr().out


def test_an_unknown_kind_is_told_with_the_nearest(capsys, tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("kinds: [sharp turn]\n")
    assert main(["collect", "--config", str(path)]) == 2
    assert "did you mean 'sharp turns'" in capsys.readouterr().err
