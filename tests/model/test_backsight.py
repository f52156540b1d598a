from dataclasses import replace

import numpy as np
import pytest
import torch

from backsight.model.backsight import COMPONENTS
from backsight.model.frames import fit_frames, load_frames
from backsight.model.imagined_pose import turned_pose
from backsight.model.presets import full, preset, small, tiny
from backsight.records.errors import DataError, UsageError

CLOSE = {"rtol": 1e-3, "atol": 1e-4}


def run(model, inputs, **changes):
    with torch.no_grad():
        return model(*replace(inputs, **changes).all())


def tensors_of(part):
    """Every tensor of a nest of dataclasses."""
    if part is None:
        return []
    if isinstance(part, torch.Tensor):
        return [part]
    return [tensor for value in vars(part).values() for tensor in tensors_of(value)]


def total(encoding, footprints, targets):
    parts = [
        footprints.logits,
        footprints.presence_logits,
        footprints.bearing,
        footprints.log_distance,
        footprints.similarity,
        targets.logits,
        targets.presence_logits,
        encoding.pose_encodings,
        encoding.depth,
        encoding.depth_confidence,
        encoding.geometry_features,
        encoding.appearance_features,
    ]
    return sum((part.float() * torch.linspace(-1, 1, part.numel()).view(part.shape)).sum() for part in parts)


def test_components_are_the_children():
    assert {name for name, _ in _meta(tiny()).named_children()} == set(COMPONENTS)


def _meta(config):
    from backsight.model.backsight import Backsight
    from backsight.model.tokenizer import build_tokenizer

    with torch.device("meta"):
        return Backsight(config, build_tokenizer([], config.language.frame_tokens))


@pytest.mark.parametrize("config", [small(), full()], ids=["small", "full"])
def test_larger_presets_can_be_built(config):
    assert preset(config.preset) == config
    assert sum(parameter.numel() for parameter in _meta(config).parameters()) > 1e8


def test_grids_of_every_preset_line_up():
    sizes = [
        (config.image_width, config.image_height, config.map_columns, config.map_rows)
        for config in (tiny(), small(), full())
    ]
    assert sizes == [(128, 96, 32, 24), (256, 192, 64, 48), (576, 448, 144, 112)]


def test_an_unknown_preset_is_refused():
    with pytest.raises(UsageError, match="huge"):
        preset("huge")


def test_shapes_are_those_of_the_interface(model, inputs):
    encoding, footprints, targets = run(model, inputs)
    assert encoding.match.shape == (3, 5, 96, 12, 16)
    assert encoding.context.shape == (3, 5, 32, 12, 16)
    assert encoding.skip.shape == (3, 5, 64, 24, 32)
    assert encoding.fused_tokens.shape == (3, 5, 48, 128)
    assert encoding.geometry_features.shape == (3, 5, 192, 6, 8)
    assert encoding.appearance_features.shape == (3, 5, 64, 6, 8)
    assert encoding.depth.shape == (3, 5, 24, 32)
    assert footprints.logits.shape == (4, 3, 24, 32)
    assert footprints.similarity.shape == (4, 3, 192, 192)
    assert targets.logits.shape == (3, 2, 3, 24, 32)
    assert targets.presence_logits.shape == (3, 2, 3)
    torch.testing.assert_close(footprints.bearing.norm(dim=-1), torch.ones(4, 3))
    torch.testing.assert_close(encoding.match.norm(dim=2), torch.ones(3, 5, 12, 16))


def test_inner_products_of_the_two_features_are_the_combined_similarity(model, inputs):
    encoding, _, _ = run(model, inputs)
    both = torch.cat([encoding.geometry_features, encoding.appearance_features], dim=2)
    torch.testing.assert_close(both.square().sum(2), torch.ones(3, 5, 6, 8))
    torch.testing.assert_close(encoding.geometry_features.square().sum(2), torch.full((3, 5, 6, 8), 0.6))


def test_transformer_tokens_say_nothing_before_training(fresh_model, inputs, monkeypatch):
    _, footprints, targets = run(fresh_model, inputs)
    fuse = fresh_model.fusion.token_fusion.forward
    monkeypatch.setattr(fresh_model.fusion.token_fusion, "forward", lambda *tokens: fuse(*tokens) * -3 + 1)
    _, footprints_other, targets_other = run(fresh_model, inputs)
    assert torch.equal(footprints.logits, footprints_other.logits)
    assert torch.equal(footprints.bearing, footprints_other.bearing)
    assert torch.equal(targets.logits, targets_other.logits)


def test_transformer_tokens_speak_once_their_projections_have_learned(model, inputs, monkeypatch):
    _, footprints, targets = run(model, inputs)
    fuse = model.fusion.token_fusion.forward
    monkeypatch.setattr(model.fusion.token_fusion, "forward", lambda *tokens: fuse(*tokens) * -3 + 1)
    _, footprints_other, targets_other = run(model, inputs)
    assert (footprints.logits - footprints_other.logits).abs().max() > 1e-3
    assert (targets.logits - targets_other.logits).abs().max() > 1e-3


def rebuilt(model, **parts):
    """The same weights with parts left out."""
    from backsight.model.backsight import Backsight
    from backsight.model.config import PartsConfig

    other = Backsight(model.config.model_copy(update={"parts": PartsConfig(**parts)}), model.tokenizer)
    other.load_state_dict(model.state_dict())
    return other.eval()


@pytest.mark.parametrize("part", ["geometry", "appearance"])
def test_an_encoder_that_is_left_out_changes_nothing_but_its_own_heads(model, inputs, monkeypatch, part):
    silent = rebuilt(model, **{part: False})
    encoding, footprints, targets = run(silent, inputs)
    assert not getattr(encoding, f"{part}_features").any()
    assert (footprints.logits - run(model, inputs)[1].logits).abs().max() > 1e-3
    with torch.no_grad():
        for parameter in getattr(silent, part).parameters():
            parameter.mul_(-0.7)
    changed, footprints_same, targets_same = run(silent, inputs)
    assert torch.equal(footprints.logits, footprints_same.logits)
    assert torch.equal(footprints.bearing, footprints_same.bearing)
    assert torch.equal(targets.logits, targets_same.logits)
    assert torch.equal(encoding.depth, changed.depth) == (part == "appearance")


def test_without_the_language_model_words_alone_make_the_query(model, inputs):
    silent = rebuilt(model, language=False)
    _, _, targets = run(silent, inputs)
    with torch.no_grad():
        for parameter in silent.language.model.model.language_model.layers.parameters():
            parameter.mul_(-0.7)
    assert torch.equal(targets.logits, run(silent, inputs)[2].logits)
    swapped = run(silent, inputs, instruction_tokens=inputs.instruction_tokens.flip(1))[2].logits
    torch.testing.assert_close(swapped.flip(1), targets.logits, **CLOSE)
    assert (swapped - targets.logits).abs().max() > 1e-4


def test_decoders_without_their_better_half(model, inputs):
    blind = rebuilt(model, correlation=False)
    _, footprints, _ = run(blind, inputs)
    # All that is left of a history frame are its camera tokens, which make no map.
    torch.testing.assert_close(footprints.logits, footprints.logits[:, :1].expand_as(footprints.logits), **CLOSE)
    plain = rebuilt(model, modulation=False)
    assert (run(plain, inputs)[2].logits - run(model, inputs)[2].logits).abs().max() > 1e-3


def test_an_instruction_must_get_in_somehow():
    from backsight.model.config import PartsConfig

    with pytest.raises(ValueError, match="language and words"):
        PartsConfig(language=False, words=False)


def test_gradients_reach_every_trainable_parameter(own_model, inputs):
    own_model.train()
    total(*own_model(*inputs.all(), inputs.given())).backward()
    without = {
        name
        for name, parameter in own_model.named_parameters()
        if parameter.requires_grad and (parameter.grad is None or not parameter.grad.any())
    }
    # A key's bias shifts all scores of a query alike, so softmax cancels it; rounding may leave a trace or nothing.
    # Imagined views are asked for elsewhere: without any, what is theirs alone has nothing to learn.
    of_imagined = {name for name, _ in own_model.named_parameters() if name.startswith("heatmap.imagined.")}
    assert {name for name in without if not name.endswith("k_proj.bias")} == {"language.pose.weight", *of_imagined}
    frozen = {name for name, parameter in own_model.named_parameters() if not parameter.requires_grad}
    assert frozen == {"geometry.aggregator.patch_embed.mask_token", "appearance.model.embeddings.mask_token"}


def test_samples_of_a_batch_do_not_mix(model, inputs):
    order = torch.tensor([2, 0, 1])
    _, footprints, targets = run(model, inputs)
    moved = {name: getattr(inputs, name)[order] for name in ("rgb", "keyframes", "frame_index", "instruction_tokens")}
    place = torch.argsort(order)
    current = torch.stack([place[inputs.current[:, 0]], inputs.current[:, 1]], dim=1)
    _, footprints_moved, targets_moved = run(model, inputs, **moved, current=current)
    torch.testing.assert_close(footprints.logits, footprints_moved.logits, **CLOSE)
    torch.testing.assert_close(footprints.log_distance, footprints_moved.log_distance, **CLOSE)
    torch.testing.assert_close(targets.logits[order], targets_moved.logits, **CLOSE)


def test_history_frames_are_decoded_each_on_its_own(model, inputs):
    order = [2, 0, 1]
    _, footprints, _ = run(model, inputs)
    _, moved, _ = run(model, inputs, history=inputs.history[:, order])
    _, single, _ = run(model, inputs, history=inputs.history[:, 1:2])
    torch.testing.assert_close(footprints.logits[:, order], moved.logits, **CLOSE)
    torch.testing.assert_close(footprints.presence_logits[:, order], moved.presence_logits, **CLOSE)
    torch.testing.assert_close(footprints.logits[:, 1:2], single.logits, **CLOSE)


def test_padding_changes_no_target(model, inputs):
    padded = torch.nn.functional.pad(inputs.instruction_tokens, (0, 3), value=model.language.tokens.padding)
    _, _, targets = run(model, inputs)
    _, _, targets_padded = run(model, inputs, instruction_tokens=padded)
    torch.testing.assert_close(targets.logits, targets_padded.logits, **CLOSE)


def test_bytes_and_unit_floats_are_the_same_image(model, inputs):
    _, footprints, targets = run(model, inputs)
    _, same, same_targets = run(model, inputs, rgb=inputs.rgb.float() / 255)
    assert torch.equal(footprints.logits, same.logits)
    assert torch.equal(targets.logits, same_targets.logits)


def test_another_aspect_ratio_changes_the_grid_not_the_weights(model, inputs):
    _, footprints, targets = run(model, inputs, rgb=inputs.rgb[..., :64, :])
    assert footprints.logits.shape == (4, 3, 16, 32)
    assert targets.logits.shape == (3, 2, 3, 16, 32)


def test_sides_that_do_not_fit_the_patches_are_refused(model):
    with pytest.raises(UsageError, match="112 x 96"):
        model.encode(torch.zeros(1, 2, 3, 96, 112))


def test_half_precision_training_stays_finite(own_model, inputs):
    own_model.train()
    with torch.autocast("cpu", torch.bfloat16):
        found = own_model(*inputs.all())
    total(*found).backward()
    assert all(value.isfinite().all() for part in found for value in tensors_of(part))
    assert all(p.grad.isfinite().all() for p in own_model.parameters() if p.grad is not None)


def test_black_images_stay_finite(own_model, inputs):
    own_model.train()
    found = own_model(*replace(inputs, rgb=torch.zeros_like(inputs.rgb)).all())
    total(*found).backward()
    assert all(p.grad.isfinite().all() for p in own_model.parameters() if p.grad is not None)


@pytest.fixture(scope="module")
def walk() -> list[np.ndarray]:
    random = np.random.default_rng(4)
    return [random.integers(0, 256, (101, 131, 3), dtype=np.uint8) for _ in range(20)]


def test_a_history_decoded_in_parts_equals_the_whole(model, inputs):
    encoding = model.encode(inputs.rgb)
    whole = model.footprints(encoding, inputs.current, inputs.history)
    odometry = model.odometry(encoding)
    parts = [model.footprints(encoding, inputs.current, part, odometry) for part in inputs.history.split((1, 2), dim=1)]
    for name in ("logits", "presence_logits", "bearing", "log_distance"):
        joined = torch.cat([getattr(part, name) for part in parts], dim=1)
        torch.testing.assert_close(joined, getattr(whole, name), atol=1e-5, rtol=0)


def test_predict_returns_probabilities_for_all_history_frames(model, walk):
    found = model.predict(walk, ["find the sofa", "a zebra", ""], keyframes="uniform")
    assert found.history_frames.tolist() == list(range(19))
    assert found.footprint.shape == (19, 24, 32)
    assert found.keyframes.tolist() == [0, 5, 10, 14, 19]
    assert found.target.shape == (3, 5, 24, 32)
    assert len(found.answers) == 3
    for maps in (found.footprint, found.footprint_presence, found.target, found.target_presence):
        assert maps.dtype == np.float32
        assert ((maps >= 0) & (maps <= 1)).all()
    assert (found.distance_m > 0).all()
    np.testing.assert_allclose(np.linalg.norm(found.bearing, axis=1), 1, rtol=1e-5)


def test_predict_does_not_depend_on_the_chunks_or_the_mode(own_model, walk, monkeypatch):
    own_model.train()
    one = own_model.predict(walk, ["find the sofa"], keyframes=[3, 19])
    assert own_model.training
    monkeypatch.setattr("backsight.model.prediction.HISTORY_CHUNK", 7)
    two = own_model.eval().predict(walk, ["find the sofa"], keyframes=[3, 19])
    assert one.keyframes.tolist() == [3, 19]
    np.testing.assert_allclose(one.footprint, two.footprint, atol=1e-4)
    np.testing.assert_allclose(one.target, two.target, atol=1e-4)


def test_predict_tells_where_targets_would_be_in_views_without_an_image(model, walk):
    poses = np.stack([turned_pose(0.7), turned_pose(-1.2, move_m=(0.1, 0.0, 0.3)), turned_pose(0.0)])
    plain = model.predict(walk, ["find the sofa", "the bed"])
    found = model.predict(walk, ["find the sofa", "the bed"], current_from_imagined=poses)
    assert found.imagined.shape == (2, 3, 24, 32)
    assert found.imagined_presence.shape == (2, 3)
    assert ((found.imagined >= 0) & (found.imagined <= 1)).all()
    assert np.abs(found.imagined[:, 0] - found.imagined[:, 1]).max() > 1e-4
    assert plain.imagined is None
    np.testing.assert_allclose(found.target, plain.target, atol=1e-4)


def test_predict_needs_no_instruction(model, walk):
    found = model.predict(walk[:2])
    assert found.footprint.shape == (1, 24, 32)
    assert found.target.shape == (0, 2, 24, 32)
    assert found.answers == ()


@pytest.mark.parametrize("keyframes", [[], [0, 1], [2, 0], [0, 0, 2], [-1, 2], [0, 3]])
def test_keyframes_that_do_not_fit_are_refused(model, walk, keyframes):
    with pytest.raises(UsageError, match="keyframes"):
        model.predict(walk[:3], [], keyframes=keyframes)


def test_frames_that_cannot_be_a_walk_are_refused(model, walk, tmp_path):
    with pytest.raises(UsageError, match="no history"):
        model.predict(walk[:1])
    with pytest.raises(UsageError, match="one size"):
        load_frames([walk[0], walk[1][:50]])
    with pytest.raises(UsageError, match="uint8"):
        load_frames([walk[0].astype(np.float32)])
    with pytest.raises(DataError, match="no such file"):
        load_frames(tmp_path / "walk.mp4")
    (tmp_path / "walk.mp4").write_bytes(b"no video")
    with pytest.raises(DataError, match="cannot be decoded"):
        load_frames(tmp_path / "walk.mp4")


def test_frames_are_cropped_around_their_centre():
    frames = np.zeros((1, 96, 256, 3), dtype=np.uint8)
    frames[:, :, 64:192] = 200
    fitted = fit_frames(frames, 128, 96)
    assert fitted.shape == (1, 3, 96, 128)
    assert (fitted == 200).all()


def test_a_video_is_read_in_order(tmp_path):
    from backsight.storage.codecs import encode_rgb

    levels = np.array([20, 120, 220], dtype=np.uint8)
    frames = np.broadcast_to(levels[:, None, None, None], (3, 64, 96, 3)).copy()
    (tmp_path / "walk.mp4").write_bytes(encode_rgb(frames, 10.0))
    read = load_frames(tmp_path / "walk.mp4")
    np.testing.assert_allclose(read.mean(axis=(1, 2, 3)), levels, atol=6)


@pytest.mark.parametrize(("fps", "kept"), [(None, [0, 1, 2, 3, 4, 5, 6]), (5.0, [0, 2, 4, 6]), (3.0, [0, 4])])
def test_frames_of_a_video_are_taken_at_a_rate(tmp_path, fps, kept):
    from backsight.storage.codecs import encode_rgb

    levels = np.arange(20, 230, 30, dtype=np.uint8)
    frames = np.broadcast_to(levels[:, None, None, None], (7, 64, 96, 3)).copy()
    (tmp_path / "walk.mp4").write_bytes(encode_rgb(frames, 10.0))
    read = load_frames(tmp_path / "walk.mp4", fps)
    np.testing.assert_allclose(read.mean(axis=(1, 2, 3)), levels[kept], atol=6)


def test_a_large_video_is_scaled_down_as_it_is_read(tmp_path, monkeypatch):
    from backsight.storage.codecs import encode_rgb

    monkeypatch.setattr("backsight.model.frames.LONGEST_SIDE_PX", 48)
    frames = np.full((3, 64, 96, 3), 130, dtype=np.uint8)
    (tmp_path / "walk.mp4").write_bytes(encode_rgb(frames, 10.0))
    read = load_frames(tmp_path / "walk.mp4")
    assert read.shape == (3, 32, 48, 3)
    np.testing.assert_allclose(read, 130, atol=6)


def test_a_folder_of_images_is_read_in_the_order_of_names(tmp_path):
    import cv2

    for name, level in (("b.png", 200), ("a.png", 10), ("c.jpg", 90)):
        image = np.zeros((20, 30, 3), dtype=np.uint8)
        image[..., 2] = level
        cv2.imwrite(str(tmp_path / name), image)
    read = load_frames(tmp_path)
    np.testing.assert_allclose(read[..., 0].mean(axis=(1, 2)), [10, 200, 90], atol=3)
    assert read[..., 2].max() <= 3, "red stays red"
    (tmp_path / "d.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"d\.png"):
        load_frames(tmp_path)
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="a folder of images"):
        load_frames(tmp_path / "none")


def test_rates_that_are_none_are_refused(tmp_path):
    with pytest.raises(UsageError, match="positive"):
        load_frames(tmp_path / "walk.mp4", 0.0)


def test_one_instruction_may_be_a_plain_text(model, walk):
    assert model.predict(walk[:3], "find the sofa").target.shape[0] == 1


def test_keyframes_are_space_aware_unless_told_otherwise(model, walk):
    from backsight.model.frames import fit_frames
    from backsight.model.prediction import estimated_keyframes

    found = model.predict(walk)
    encoding = model.encode(fit_frames(np.stack(walk), 128, 96)[None])
    np.testing.assert_array_equal(found.keyframes, estimated_keyframes(encoding, model.config.keyframes))
    assert found.keyframes.tolist() != model.predict(walk, keyframes="uniform").keyframes.tolist()
