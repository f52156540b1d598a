"""SIFT: matches between a history frame and the current view, spread to a map."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from backsight.evaluate.baselines.question import Answer, FootprintAnswer, Question, answer_prediction
from backsight.geometry.cells import ImageFit
from backsight.records.prediction import Prediction

RATIO = 0.8
"""A match counts when its distance is below this share of the second best one's."""
SPREAD_CELLS = 2.0
"""Standard deviation of the Gaussian around each match."""
UPSAMPLE_BELOW_PX = 320
"""Images narrower than this are doubled before features are detected."""
HALF_PRESENT_MATCHES = 4
"""Presence probability is one half at this number of matches."""


@dataclass(frozen=True)
class Features:
    """Feature points of one image with unit descriptors."""

    pixels: Float32[np.ndarray, "points 2"]
    descriptors: Float32[np.ndarray, "points 128"]


def detect_features(rgb: UInt8[np.ndarray, "height width 3"]) -> Features:
    """Return SIFT features in pixels of the image as given."""
    scale = 2 if rgb.shape[1] < UPSAMPLE_BELOW_PX else 1
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    if scale > 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    keypoints, descriptors = cv2.SIFT.create(contrastThreshold=0.02).detectAndCompute(grey, None)
    if descriptors is None or not len(keypoints):
        return Features(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32))
    # OpenCV puts the centre of the first pixel at 0, we at 0.5.
    pixels = (np.array([k.pt for k in keypoints], dtype=np.float32) + 0.5) / scale
    descriptors = descriptors / np.maximum(np.linalg.norm(descriptors, axis=1, keepdims=True), 1e-6)
    return Features(pixels, descriptors.astype(np.float32))


def match_features(current: Features, other: Features) -> Float32[np.ndarray, "matches 2"]:
    """Return the current view's points that have a mutual match in the other image that passes the ratio test."""
    if len(current.pixels) < 2 or len(other.pixels) < 2:
        return np.zeros((0, 2), np.float32)
    similarity = current.descriptors @ other.descriptors.T
    best = similarity.argmax(axis=1)
    second, first = np.partition(similarity, -2, axis=1)[:, -2:].T
    distance = np.sqrt(np.maximum(2.0 - 2.0 * np.stack([first, second]), 0.0))
    mutual = similarity.argmax(axis=0)[best] == np.arange(len(best))
    return current.pixels[mutual & (distance[0] < RATIO * distance[1])]


def spread_matches(
    pixels: Float32[np.ndarray, "matches 2"], fit: ImageFit, cells_w: int, cells_h: int
) -> Float64[np.ndarray, "cells_h cells_w"]:
    """Return a map with a Gaussian around each match, in [0, 1]; one half everywhere when there is none."""
    x = (pixels[:, 0].astype(np.float64) - fit.left_px) * cells_w / fit.crop_width_px
    y = (pixels[:, 1].astype(np.float64) - fit.top_px) * cells_h / fit.crop_height_px
    inside = (x >= 0) & (x < cells_w) & (y >= 0) & (y < cells_h)
    if not inside.any():
        return np.full((cells_h, cells_w), 0.5)
    across = np.exp(-0.5 * ((np.arange(cells_w) + 0.5 - x[inside, None]) / SPREAD_CELLS) ** 2)
    down = np.exp(-0.5 * ((np.arange(cells_h) + 0.5 - y[inside, None]) / SPREAD_CELLS) ** 2)
    # Saturates slowly, so that many matches still tell more than some.
    density = down.T @ across
    return density / (density + 1.0)


class ImageMatcher:
    """Predicts footprints from SIFT matches; keeps the features of the walk that it saw last."""

    def __init__(self) -> None:
        self._sequence_id = ""
        self._features: dict[int, Features] = {}

    def predict(self, question: Question) -> Prediction:
        """Return footprints of one sample: nothing found is a uniform map and an absent frame."""
        height, width = question.map_shape
        current = self._features_of(question, question.sample.current_frame)
        maps = np.zeros((question.num_history, height, width))
        count = np.zeros(question.num_history)
        for position, frame in enumerate(question.sample.history_frames):
            pixels = match_features(current, self._features_of(question, int(frame)))
            maps[position] = spread_matches(pixels, question.fit, width, height)
            count[position] = len(pixels)
        presence = count / (count + HALF_PRESENT_MATCHES)
        return answer_prediction(question, Answer("image_matcher", FootprintAnswer(maps, presence)))

    def _features_of(self, question: Question, frame: int) -> Features:
        if question.sample.sequence_id != self._sequence_id:
            self._sequence_id = question.sample.sequence_id
            self._features = {}
        if frame not in self._features:
            self._features[frame] = detect_features(question.sequence.rgb[frame])
        return self._features[frame]
