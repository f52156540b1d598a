"""From frames to a `Prediction`: the one path behind `Backsight.predict`, streams and evaluation.

Every frame is encoded once. VGGT attends over all frames together, so its cost grows with the square of their number;
the footprint decoder's does not, since the history is decoded in parts, and the language model reads keyframes alone.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64, UInt8
from torch import Tensor

from backsight.data.keyframes import (
    POINT_STRIDE_PX,
    KeyframeChoice,
    keyframes_from_depth,
    select_keyframes,
    uniform_keyframes,
)
from backsight.data.truth import MapGrid
from backsight.geometry.cells import ImageFit
from backsight.model.backsight import Backsight
from backsight.model.frames import fit_frames
from backsight.model.geometry.pose_encoding import intrinsics_of, world_from_camera_of
from backsight.model.given import GivenWalk, computed_footprints, walk_geometry
from backsight.model.outputs import Encoding
from backsight.model.question import Question
from backsight.model.tokenizer import encode_texts
from backsight.records.errors import UsageError
from backsight.records.prediction import Prediction, PredictionInfo

HISTORY_CHUNK = 16
"""History frames that are decoded at a time, so that memory does not grow with the walk."""
MAX_CANDIDATES = 32
"""Uniform keyframe candidates when depth is estimated (task.md)."""
CONFIDENT_SHARE = 0.8
"""The most confident share of the estimated depths counts for the choice of keyframes."""

ViewFeatures = Callable[[Int64[np.ndarray, " keyframes"]], Float[Tensor, "batch keyframes image_tokens channels"]]
"""Positions of keyframes to what the language model's vision tower says of them."""


@dataclass(frozen=True)
class Asked:
    """What is asked of a walk."""

    frame_index: Int64[np.ndarray, " frames"]
    """Index of each frame in its walk, rising; the last one is the current view."""
    instructions: tuple[str, ...] = ()
    keyframes: Sequence[int] | KeyframeChoice = "space_aware"
    """How keyframes are chosen, or their positions."""
    num_keyframes: int | None = None
    """None takes the model's own number."""
    footprints: bool = True
    """Whether footprints are wanted."""
    answers: bool = True
    """Whether answers in words are wanted."""
    current_from_imagined: Float32[np.ndarray, "imagined 4 4"] | None = None
    """Poses, metres, of views without an image in which targets are wanted too."""


@dataclass(frozen=True)
class EncodedWalk:
    """Encoded frames, and what else a prediction needs of them."""

    encoding: Encoding
    rgb: UInt8[Tensor, "1 frames 3 height width"]
    view_features: ViewFeatures
    given: GivenWalk | None = None


@dataclass(frozen=True)
class _Targets:
    maps: Float32[np.ndarray, "instructions keyframes rows columns"]
    presence: Float32[np.ndarray, "instructions keyframes"]
    answers: tuple[str, ...] = ()
    imagined: Float32[np.ndarray, "instructions imagined rows columns"] | None = None
    imagined_presence: Float32[np.ndarray, "instructions imagined"] | None = None


@dataclass(frozen=True)
class _Footprints:
    maps: Float32[np.ndarray, "history rows columns"]
    presence: Float32[np.ndarray, " history"]
    bearing: Float32[np.ndarray, "history 3"]
    distance_m: Float32[np.ndarray, " history"]


def default_device() -> torch.device:
    """Return where a model predicts unless told otherwise: a GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def predict_frames(
    model: Backsight, images: UInt8[np.ndarray, "frames height width 3"], asked: Asked, given: GivenWalk | None = None
) -> Prediction:
    """Encode frames and predict all that is asked of them.

    Args:
        model: in any mode; it is left in that mode.
        images: RGB in time order.
        asked: what is asked.
        given: depth and cameras of the same frames.

    Raises:
        UsageError: there are fewer than two frames, or keyframes that do not fit.
    """
    if len(images) < 2:
        raise UsageError(f"{len(images)} frame given: there is no history to look back on")
    with inference(model):
        device = next(model.parameters()).device
        rgb = fit_frames(images, model.config.image_width, model.config.image_height)[None].to(device)
        told = None if given is None else walk_geometry(given, image_fit(model, given), device)
        walk = EncodedWalk(model.encode(rgb, told), rgb, lambda chosen: model.view_features(rgb[:, chosen]), given)
        return predict_encoded(model, walk, asked)


@contextmanager
def inference(model: Backsight) -> Iterator[None]:
    """Compute in evaluation mode and without gradients; afterwards the model is in the mode that it was in."""
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(training)


def image_fit(model: Backsight, walk: GivenWalk) -> ImageFit:
    """Return how a walk's images become the model's."""
    height, width = walk.depth_m.shape[1:]
    return ImageFit(width, height, model.config.image_width, model.config.image_height)


def predict_encoded(model: Backsight, walk: EncodedWalk, asked: Asked) -> Prediction:
    """Predict all that is asked of encoded frames.

    Args:
        model: in evaluation mode, without gradients.
        walk: the frames.
        asked: what is asked.

    Raises:
        UsageError: keyframes do not fit.
    """
    frames = asked.frame_index
    keyframes = _keyframes(model, walk, asked)
    targets = _targets(model, walk, asked, keyframes)
    history = len(frames) - 1 if asked.footprints else 0
    footprints = _footprints(model, walk.encoding, history)
    if walk.given is not None and history:
        footprints = _with_geometry(model, walk.given, footprints)
    geometry = "estimated" if walk.given is None else "given"
    return Prediction(
        info=PredictionInfo(
            predictor="backsight",
            sequence_id="",
            place_id="",
            current_frame=int(frames[-1]),
            geometry=geometry,
            instruction_ids=tuple(str(number) for number in range(len(asked.instructions))),
            attention_backend=model.config.attention,
        ),
        history_frames=frames[:history],
        footprint=footprints.maps,
        footprint_presence=footprints.presence,
        bearing=footprints.bearing,
        distance_m=footprints.distance_m,
        keyframes=frames[keyframes],
        target=targets.maps,
        target_presence=targets.presence,
        answers=targets.answers,
        imagined=targets.imagined,
        imagined_presence=targets.imagined_presence,
    )


@torch.no_grad()
def estimated_keyframes(encoding: Encoding, num_keyframes: int) -> Int64[np.ndarray, " keyframes"]:
    """Return positions of keyframes by the model's own depth and cameras, the last frame among them.

    Args:
        encoding: of one sample.
        num_keyframes: how many at most.
    """
    num_frames = encoding.depth.shape[1]
    candidates = uniform_keyframes(num_frames, MAX_CANDIDATES)
    poses = encoding.pose_encodings[-1, 0, candidates].double()
    depth = encoding.depth[0, candidates].double()
    height, width = depth.shape[1:]
    half = POINT_STRIDE_PX // 2
    row, column = torch.meshgrid(
        torch.arange(half, height, POINT_STRIDE_PX, device=depth.device),
        torch.arange(half, width, POINT_STRIDE_PX, device=depth.device),
        indexing="ij",
    )
    pixels = torch.stack([column + 0.5, row + 0.5, torch.ones_like(row)], dim=-1).double().flatten(0, 1)
    rays = pixels @ torch.linalg.inv(intrinsics_of(poses, width, height)).transpose(1, 2)
    sampled = depth[:, row, column].flatten(1)
    world_from_camera = world_from_camera_of(poses)
    points = sampled[..., None] * rays @ world_from_camera[:, :3, :3].transpose(1, 2)
    points = points + world_from_camera[:, None, :3, 3]
    confidence = encoding.depth_confidence[0, candidates][:, row, column].flatten(1).double()
    valid = (sampled > 0) & (confidence >= torch.quantile(confidence, 1.0 - CONFIDENT_SHARE))
    chosen = select_keyframes(points.float().cpu().numpy(), valid.cpu().numpy(), num_keyframes, metric_scale=False)
    return candidates[chosen]


def _keyframes(model: Backsight, walk: EncodedWalk, asked: Asked) -> Int64[np.ndarray, " keyframes"]:
    frames, count = len(asked.frame_index), asked.num_keyframes or model.config.keyframes
    if asked.keyframes == "uniform":
        return uniform_keyframes(frames, count)
    if isinstance(asked.keyframes, str):
        given = walk.given
        if given is None:
            return estimated_keyframes(walk.encoding, count)
        return keyframes_from_depth(given.depth_m, given.world_from_camera, given.intrinsics, count)
    chosen = np.asarray(asked.keyframes, dtype=np.int64)
    rising = len(chosen) > 0 and bool((np.diff(chosen) > 0).all())
    if not rising or chosen[0] < 0 or chosen[-1] != frames - 1:
        raise UsageError(
            f"keyframes {list(asked.keyframes)} must rise, lie in 0 to {frames - 1} and end with the current frame"
        )
    return chosen


def _footprints(model: Backsight, encoding: Encoding, history: int) -> _Footprints:
    if not history:
        empty = np.zeros((0, *encoding.skip.shape[-2:]), dtype=np.float32)
        return _Footprints(empty, empty[:, 0, 0], np.zeros((0, 3), dtype=np.float32), empty[:, 0, 0])
    device = encoding.match.device
    current = torch.tensor([[0, history]], device=device)
    odometry = model.odometry(encoding)
    parts = torch.arange(history, device=device).split(HISTORY_CHUNK)
    found = [model.footprints(encoding, current, part[None], odometry) for part in parts]
    use = model.calibration
    return _Footprints(
        maps=_joined([use.footprint.probability(part.logits[0]) for part in found]),
        presence=_joined([use.footprint_presence.probability(part.presence_logits[0]) for part in found]),
        bearing=_joined([part.bearing[0] for part in found]),
        distance_m=_joined([part.log_distance[0].exp() for part in found]),
    )


def _with_geometry(model: Backsight, given: GivenWalk, estimated: _Footprints) -> _Footprints:
    """Put what depth and poses say over what the model says; where no depth was measured the model's maps stand."""
    grid = MapGrid(image_fit(model, given), model.config.map_columns, model.config.map_rows)
    found = computed_footprints(given, grid, next(model.parameters()).device)
    return _Footprints(
        maps=np.where(found.known, found.maps, estimated.maps),
        presence=found.present.astype(np.float32),
        bearing=found.bearing,
        distance_m=found.distance_m,
    )


def _targets(model: Backsight, walk: EncodedWalk, asked: Asked, keyframes: Int64[np.ndarray, " keyframes"]) -> _Targets:
    if not asked.instructions:
        shape = (0, len(keyframes), *walk.encoding.skip.shape[-2:])
        return _Targets(np.zeros(shape, np.float32), np.zeros(shape[:2], np.float32))
    device = walk.rgb.device
    poses = asked.current_from_imagined
    question = Question(
        torch.from_numpy(keyframes)[None].to(device),
        torch.from_numpy(asked.frame_index)[None].to(device),
        encode_texts(model.tokenizer, asked.instructions)[None].to(device),
        current_from_imagined=None if poses is None else torch.from_numpy(poses)[None].float().to(device),
    )
    views = walk.view_features(keyframes)
    found, use = model.targets(walk.encoding, walk.rgb, question, views=views), model.calibration
    imagined, imagined_presence = found.imagined_logits, found.imagined_presence_logits
    return _Targets(
        maps=_joined([use.target.probability(found.logits[0])]),
        presence=_joined([use.target_presence.probability(found.presence_logits[0])]),
        answers=model.answers(walk.encoding, walk.rgb, question, views)[0] if asked.answers else (),
        imagined=None if imagined is None else _joined([use.imagined.probability(imagined[0])]),
        imagined_presence=(
            None if imagined_presence is None else _joined([use.imagined_presence.probability(imagined_presence[0])])
        ),
    )


def _joined(parts: list[Tensor]) -> Float32[np.ndarray, "..."]:
    return torch.cat(parts).float().cpu().numpy()
