"""Walks in people's own files: good ones, one without labels, one that is broken."""

import json
from pathlib import Path

import numpy as np
import pytest
import trimesh

from backsight.collect.config import CollectConfig
from backsight.collect.dataset_run import collect_dataset
from backsight.collect.plan import make_plan
from backsight.quality.validate import validate_dataset
from backsight.records.errors import UsageError
from backsight.storage.dataset import read_splits
from backsight.storage.layout import list_sequence_ids
from backsight.storage.read import read_annotations

THINGS = {
    "Table": ((1.1, 0.7, 0.7), (0.3, 0.35, 0.2)),
    "Chair": ((0.45, 0.9, 0.45), (-1.9, 0.45, -1.6)),
    "Sofa": ((1.7, 0.7, 0.8), (0.2, 0.35, 2.1)),
    "Plant": ((0.3, 1.1, 0.3), (2.3, 0.55, -2.3)),
    "Cupboard": ((0.5, 1.9, 1.0), (-2.4, 0.95, 1.2)),
    "Bin": ((0.3, 0.5, 0.3), (2.3, 0.25, 1.9)),
}


def make_folder(folder: Path) -> Path:
    folder.mkdir()
    scene = trimesh.Scene()

    def add(name: str, size: tuple[float, float, float], at: tuple[float, float, float], shade: int) -> None:
        mesh = trimesh.creation.box(extents=size)
        material = trimesh.visual.material.PBRMaterial(baseColorFactor=[shade, 255 - shade, (7 * shade) % 255, 255])
        mesh.visual = trimesh.visual.TextureVisuals(material=material)
        scene.add_geometry(mesh, node_name=name, transform=trimesh.transformations.translation_matrix(at))

    add("Floor", (5.4, 0.1, 5.2), (0, -0.05, 0), 90)
    for number, (size, at) in enumerate(
        (
            ((5.4, 2.5, 0.1), (0, 1.25, -2.6)),
            ((5.4, 2.5, 0.1), (0, 1.25, 2.6)),
            ((0.1, 2.5, 5.2), (-2.7, 1.25, 0)),
            ((0.1, 2.5, 5.2), (2.7, 1.25, 0)),
        )
    ):
        add(f"Wall_{number}", size, at, 200 - 9 * number)
    for number, (name, (size, at)) in enumerate(THINGS.items()):
        add(name, size, at, 30 + 31 * number)
    (folder / "room.glb").write_bytes(trimesh.exchange.gltf.export_glb(scene))
    # Colours of vertices, so that the walls of the scan are no blank surfaces.
    bare = scene.to_geometry().subdivide().subdivide()
    rng = np.random.default_rng(5)
    bare.visual = trimesh.visual.ColorVisuals(bare, vertex_colors=rng.integers(40, 220, (len(bare.vertices), 3)))
    bare.export(folder / "scan.ply")
    (folder / "broken.glb").write_bytes((folder / "room.glb").read_bytes()[:-50])
    return folder


def config_for(folder: Path, out: Path, **changes) -> CollectConfig:
    small = {"size": "64x48", "min_frames": 9, "mean_frames": 11, "max_frames": 13, "sequences_per_place": 2}
    small["kinds"] = ("forward", "backward")
    return CollectConfig(**(small | {"out": out, "scene_dir": folder, "num_sequences": 6, "max_retries": 8} | changes))


def walks_in(config: CollectConfig, place: str) -> tuple[str, ...]:
    return tuple(sorted(plan.sequence_id for plan in make_plan(config) if plan.place_id == place))


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    folder = make_folder(tmp_path_factory.mktemp("scans") / "scenes")
    config = config_for(folder, folder.parent / "set")
    return config, collect_dataset(config)


def test_good_scenes_are_collected_and_a_broken_one_says_why(collected):
    config, report = collected
    assert report.given_up == walks_in(config, "broken.glb")
    assert "is cut short" in report.rejections[report.given_up[0]][-1]
    assert not report.poisoned
    good = [*walks_in(config, "room.glb"), *walks_in(config, "scan.ply")]
    assert len(good) == 4
    assert list_sequence_ids(config.out) == sorted(good)
    assert set(read_splits(config.out)) == {"broken.glb", "room.glb", "scan.ply"}


def test_they_validate(collected):
    config, _ = collected
    report = validate_dataset(config.out)
    assert all(sequence.accepted for sequence in report.sequences), report.sequences
    assert len(report.sequences) == 4


def test_what_was_guessed_is_in_the_report(collected):
    _, report = collected
    assert any("up axis" in note for note in report.scene_notes["room.glb"])
    assert any("no labels" in note for note in report.scene_notes["scan.ply"])


def test_labelled_scenes_are_asked_about_and_bare_ones_are_not(collected):
    config, _ = collected
    asked = read_annotations(config.out, walks_in(config, "room.glb")[1])
    assert {one.category for one in asked.instructions} <= {"table", "chair", "sofa", "plant", "cabinet", "bin"}
    assert len({target for one in asked.instructions for target in one.target_instance_ids}) >= 4
    assert {thing.name for thing in asked.objects if not thing.is_structure} == set(THINGS)
    bare = read_annotations(config.out, walks_in(config, "scan.ply")[0])
    assert bare.instructions == ()
    assert len(bare.imagined) > 0
    assert {thing.category for thing in bare.objects} == {"building", "floor"}


def test_running_again_resumes_unless_a_scene_has_changed(collected):
    config, _ = collected
    assert collect_dataset(config).resumed == 4
    side_car = config.scene_dir / "room.glb.backsight.json"
    side_car.write_text(json.dumps({"labels": {"Bin": "box"}}))
    with pytest.raises(UsageError, match=r"holds another data set \(scene file room\.glb is"):
        collect_dataset(config)
    side_car.unlink()
    moved = config.scene_dir.rename(config.scene_dir.with_name("moved"))
    assert collect_dataset(config.model_copy(update={"scene_dir": moved})).resumed == 4
    moved.rename(config.scene_dir)
