"""Baselines that look at colours alone: histograms for footprints, colour names for targets."""

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8

from backsight.evaluate.baselines.question import (
    Answer,
    FootprintAnswer,
    Question,
    TargetAnswer,
    answer_prediction,
    presence_probability,
)
from backsight.geometry.cells import ImageFit
from backsight.records.prediction import Prediction
from backsight.records.vocabulary import COLOURS

BINS_PER_CHANNEL = 8
"""The histogram has 8 x 8 x 8 bins of CIE Lab."""


def colour_histogram_prediction(question: Question) -> Prediction:
    """Return per cell how well its colours are represented in each history frame's histogram; presence is the mean.

    A colour's score is its share in the history frame over its share in the current view, at most 1.

    Source: histogram back-projection, Swain and Ballard, Color Indexing, IJCV 1991.
    """
    height, width = question.map_shape
    frames = np.append(question.sample.history_frames, question.sample.current_frame)
    bins = _colour_bins(question.sequence.rgb[frames])
    num_bins = BINS_PER_CHANNEL**3
    per_frame = bins.reshape(len(frames), -1) + np.arange(len(frames))[:, None] * num_bins
    histograms = np.bincount(per_frame.ravel(), minlength=len(frames) * num_bins).reshape(-1, num_bins)
    in_view = np.maximum(histograms[-1], 1)
    scores = np.minimum(histograms[:-1] / in_view, 1.0)
    of_cell = _share_by_cell(bins[-1], num_bins, question.fit, width, height)
    footprint = (scores @ of_cell.T).reshape(-1, height, width)
    footprint = np.clip(footprint, 0.0, 1.0)
    answer = FootprintAnswer(footprint, footprint.mean(axis=(1, 2)))
    return answer_prediction(question, Answer("colour_histogram", answer))


def colour_naming_prediction(question: Question) -> Prediction:
    """Return per cell the share of pixels whose nearest named colour is the one that the instruction names.

    An instruction that names no colour gets a uniform map.
    """
    height, width = question.map_shape
    names = list(COLOURS)
    nearest = nearest_colour(question.sequence.rgb[question.keyframes])
    shares = [_share_by_cell(view, len(names), question.fit, width, height) for view in nearest]
    share = np.stack(shares).transpose(2, 0, 1).reshape(len(names), -1, height, width)
    target = np.full((question.num_instructions, len(question.keyframes), height, width), 0.5)
    presence = np.full(target.shape[:2], 0.5)
    for row, instruction in enumerate(question.sample.instructions):
        if instruction.colour is not None:
            target[row] = share[names.index(instruction.colour)]
            presence[row] = presence_probability(target[row].mean(axis=(1, 2)))
    return answer_prediction(question, Answer("colour_naming", targets=TargetAnswer(target, presence)))


def nearest_colour(
    rgb: UInt8[np.ndarray, "frames height width 3"],
) -> Int64[np.ndarray, "frames height width"]:
    """Return the position in `vocabulary.COLOURS` of the colour nearest to each pixel in CIE Lab."""
    palette = _lab(np.array(list(COLOURS.values()), dtype=np.uint8)[None])[0]
    pixels = np.stack([_lab(frame) for frame in rgb])
    # |p - c|^2 without its constant |p|^2: one matrix product instead of a difference per colour.
    distance = (palette**2).sum(axis=1) - 2.0 * pixels @ palette.T
    return distance.argmin(axis=-1)


def _lab(rgb: UInt8[np.ndarray, "height width 3"]) -> Float32[np.ndarray, "height width 3"]:
    return cv2.cvtColor(rgb.astype(np.float32) / 255.0, cv2.COLOR_RGB2Lab)


def _colour_bins(rgb: UInt8[np.ndarray, "frames height width 3"]) -> Int64[np.ndarray, "frames height width"]:
    eight_bit = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2Lab) for frame in rgb])
    index = eight_bit.astype(np.int64) * BINS_PER_CHANNEL // 256
    return (index[..., 0] * BINS_PER_CHANNEL + index[..., 1]) * BINS_PER_CHANNEL + index[..., 2]


def _share_by_cell(
    values: Int64[np.ndarray, "height width"], num_values: int, fit: ImageFit, cells_w: int, cells_h: int
) -> Float64[np.ndarray, "cells values"]:
    column, row = fit.pixel_cells(cells_w, cells_h)
    inside = (row >= 0)[:, None] & (column >= 0)[None, :]
    cell = row[:, None] * cells_w + column[None, :]
    pairs = cell[inside] * num_values + values[inside]
    counts = np.bincount(pairs, minlength=cells_w * cells_h * num_values).reshape(-1, num_values)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
