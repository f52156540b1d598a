"""Every loss term once more, as loops over single numbers written from its definition; slow and for tests only.

Numbers are float64 tensors without dimensions, so that gradients can be compared as well. Nothing of the package is
used here.
"""

import math

import torch
from torch import Tensor

Number = Tensor | float


def total(numbers) -> Number:
    result: Number = torch.zeros((), dtype=torch.float64)
    for number in numbers:
        result = result + number
    return result


def mean(numbers) -> Number:
    numbers = list(numbers)
    return total(numbers) / max(len(numbers), 1)


def plus(number: Number) -> Number:
    return number if number > 0 else 0.0 * number


def plain(number: Number) -> float:
    """The number without its gradient."""
    return float(number.detach()) if isinstance(number, Tensor) else number


def cells(array: Tensor):
    return [(r, c) for r in range(array.shape[-2]) for c in range(array.shape[-1])]


# Maps against their truth.


def cell_weights(truth: Tensor, valid: Tensor, balance: float) -> dict:
    """A side's cells share half of the weight; a side of less than one cell has that much less."""
    counted = [cell for cell in cells(truth) if valid[cell]]
    positive = plain(total(truth[cell] for cell in counted))
    negative = plain(total(1 - truth[cell] for cell in counted))
    sides = min(positive, 1.0) + min(negative, 1.0)
    weights = {}
    for cell in counted:
        soft = plain(truth[cell])
        balanced = (soft / max(positive, 1.0) + (1 - soft) / max(negative, 1.0)) / sides
        weights[cell] = balance * balanced + (1 - balance) / len(counted)
    return weights


def divergence(logit: Number, truth: float) -> Number:
    """Cross-entropy less entropy."""
    value = 0.0 * logit
    probability = torch.sigmoid(logit)
    if truth > 0:
        value = value + truth * (math.log(truth) - torch.log(probability))
    if truth < 1:
        value = value + (1 - truth) * (math.log(1 - truth) - torch.log(1 - probability))
    return value


def balanced_bce(logits: Tensor, truth: Tensor, valid: Tensor, balance: float) -> Number:
    weights = cell_weights(truth, valid, balance)
    return total(weight * divergence(logits[cell], plain(truth[cell])) for cell, weight in weights.items())


def soft_iou(logits: Tensor, truth: Tensor, valid: Tensor) -> Number:
    shared, covered = [], []
    for cell in cells(truth):
        if valid[cell]:
            ends = sorted([torch.sigmoid(logits[cell]), truth[cell]], key=plain)
            shared.append(ends[0])
            covered.append(ends[1])
    return 1 - total(shared) / total(covered) if covered else torch.zeros((), dtype=torch.float64)


def presence(logit: Number, present: bool) -> Number:
    return -torch.log(torch.sigmoid(logit if present else -logit))


def bearing(direction: Tensor, truth: Tensor) -> Number:
    length = torch.sqrt(total(direction[i] ** 2 for i in range(3)))
    return 1 - total(direction[i] * truth[i] for i in range(3)) / length


def log_distance(logarithm: Number, distance_m: float) -> Number:
    return abs(logarithm - math.log(max(distance_m, 0.05)))


# Cameras and depth.


def relative_pose(position: Tensor, quaternion: Tensor, log_m: Number, log_rad: Number, truth: Tensor) -> Number:
    """Laplace likelihood of both errors, each times the root of its detached scale."""
    error_m = torch.sqrt(total((position[i] - truth[i, 3]) ** 2 for i in range(3)))
    # Half of the trace less one is the cosine of the angle between the rotations.
    x, y, z, w = (quaternion[i] for i in range(4))
    rotation = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    trace = total(rotation[i][j] * truth[i, j] for i in range(3) for j in range(3))
    angle = torch.acos((trace - 1) / 2)
    # The chord of unit quaternions that far apart, doubled.
    error_rad = 4 * torch.sin(angle / 4)
    return total(
        math.exp(0.5 * plain(log_scale)) * (error / torch.exp(log_scale) + log_scale)
        for error, log_scale in ((error_m, log_m), (error_rad, log_rad))
    )


def camera(iterations: Tensor, truth: Tensor) -> Number:
    """Huber over its delta, fields of view half, later iterations more; iterations "iterations 9"."""
    value: Number = 0.0
    decays = [0.6 ** (len(iterations) - 1 - i) for i in range(len(iterations))]
    for encoding, decay in zip(iterations, decays, strict=True):
        same = plain(total(encoding[i] * truth[i] for i in range(3, 7)))
        errors = []
        for i in range(9):
            sign = -1.0 if 3 <= i < 7 and same < 0 else 1.0
            off = abs(encoding[i] - sign * truth[i])
            errors.append(off * off / 2 / 0.1 if off < 0.1 else off - 0.05)
        parts = mean(errors[:3]) + mean(errors[3:7]) + 0.5 * mean(errors[7:])
        value = value + decay / sum(decays) * parts
    return value


def depth(scene: Tensor, confidence: Tensor | None, truth_m: Tensor, valid: Tensor) -> list[Number]:
    """L1 and L1 of the steps of every frame of one scene, in units of its mean depth."""
    where = [(f, *cell) for f in range(len(scene)) for cell in cells(truth_m) if valid[(f, *cell)]]
    ratios = sorted(plain(truth_m[i]) / max(plain(scene[i]), 1e-3) for i in where)
    scale = ratios[(len(ratios) - 1) // 2] if ratios else 1.0
    unit = plain(mean(truth_m[i] for i in where)) if where else 1.0
    values = []
    for f in range(len(scene)):
        here = {i[1:] for i in where if i[0] == f}

        def error(cell, f=f):
            return (scene[(f, *cell)] * scale - truth_m[(f, *cell)]) / unit

        def weight(cell, f=f):
            return torch.ones((), dtype=torch.float64) if confidence is None else confidence[(f, *cell)]

        value = mean(weight(cell) * abs(error(cell)) - 0.2 * torch.log(weight(cell)) for cell in sorted(here))
        for down, across in ((1, 0), (0, 1)):
            steps = [
                abs(error((r + down, c + across)) - error((r, c))) * weight((r + down, c + across))
                for r, c in sorted(here)
                if (r + down, c + across) in here
            ]
            value = value + mean(steps)
        values.append(value)
    return values


# Views of one place.


def bilinear(image: Tensor, x: float, y: float) -> Number:
    """Reading at x, y in cells; beyond the outermost middles the border goes on."""
    rows, columns = image.shape
    x, y = min(max(x - 0.5, 0.0), columns - 1.0), min(max(y - 0.5, 0.0), rows - 1.0)
    left, top = int(x), int(y)
    value: Number = 0.0
    for r, c in {(r, c) for r in (top, top + 1) for c in (left, left + 1) if r < rows and c < columns}:
        value = value + image[r, c] * ((1 - abs(x - c)) * (1 - abs(y - r)))
    return value


def warp(image: Tensor, depth_m: Tensor, intrinsics: Tensor, source_from_target: Tensor) -> dict:
    """Cells of the target view at which the source view can be read, and what it says there."""
    rows, columns = depth_m.shape
    (fx, _, cx), (_, fy, cy), _ = intrinsics.double().tolist()
    pose = source_from_target.double().tolist()
    found = {}
    for r, c in cells(depth_m):
        z = plain(depth_m[r, c])
        if z <= 0:
            continue
        point = ((c + 0.5 - cx) / fx * z, (r + 0.5 - cy) / fy * z, z, 1.0)
        there = [sum(pose[i][j] * point[j] for j in range(4)) for i in range(3)]
        if there[2] <= 0:
            continue
        x, y = fx * there[0] / there[2] + cx, fy * there[1] / there[2] + cy
        if 0 <= x < columns and 0 <= y < rows:
            found[r, c] = bilinear(image, x, y)
    return found


def pair_error(source: Tensor, target: Tensor, truth: Tensor, pairs, n: int, balance: float) -> Number:
    warped = warp(source, pairs.target_depth_m[n], pairs.intrinsics_cells[n], pairs.source_from_target[n])
    valid = torch.zeros(truth.shape, dtype=torch.bool)
    for cell in warped:
        valid[cell] = pairs.covisible[n][cell]
    weights = cell_weights(truth, valid, balance)
    return total(weight * (warped[cell] - target[cell]) ** 2 for cell, weight in weights.items())


def consistency(probability: Tensor, truth: Tensor, present: Tensor, pairs, above_truth: bool) -> list[list[Number]]:
    values = []
    for n in range(len(pairs.sample)):
        b, i, j = int(pairs.sample[n]), int(pairs.source[n]), int(pairs.target[n])
        values.append([])
        for k in range(probability.shape[1]):
            value: Number = 0.0 * probability[b, k, j, 0, 0]
            if present[b, k, i] and present[b, k, j] and pairs.covisible[n].any():
                value = pair_error(probability[b, k, i].detach(), probability[b, k, j], truth[b, k, j], pairs, n, 1.0)
                if above_truth:
                    value = plus(value - pair_error(truth[b, k, i], truth[b, k, j], truth[b, k, j], pairs, n, 1.0))
            values[-1].append(value)
    return values


def pool(image: Tensor, rows: int, columns: int) -> Tensor:
    """Means over the cells that each patch touches."""
    height, width = image.shape
    pooled = torch.zeros(rows, columns, dtype=torch.float64)
    for r, c in cells(pooled):
        top, bottom = r * height // rows, -(-(r + 1) * height // rows)
        left, right = c * width // columns, -(-(c + 1) * width // columns)
        pooled[r, c] = image[top:bottom, left:right].double().mean()
    return pooled


def carry(target: Tensor, source: Tensor, values: Tensor, temperature: float) -> list[Number]:
    """Of each target cell, the mean of one map of the source cells, weighted by softmax of the similarity."""
    carried = []
    for here in target:
        scores = [total(a * b for a, b in zip(here, there, strict=True)) / temperature for there in source]
        weights = [torch.exp(score - max(scores, key=plain).detach()) for score in scores]
        carried.append(total(w * v for w, v in zip(weights, values, strict=True)) / total(weights))
    return carried


def transfer(features: Tensor, truth: Tensor, present: Tensor, pairs, size: tuple[int, int], t: float) -> list:
    values = []
    for n in range(len(pairs.sample)):
        b, i, j = int(pairs.sample[n]), int(pairs.source[n]), int(pairs.target[n])
        seen = pool(pairs.covisible[n], *size) >= 0.5
        values.append([])
        for k in range(truth.shape[1]):
            value: Number = 0.0 * features[b, j, 0, 0]
            if present[b, k, i] and present[b, k, j] and seen.any():
                source, expected = pool(truth[b, k, i], *size), pool(truth[b, k, j], *size)
                carried = carry(features[b, j], features[b, i], source.flatten(), t)
                weights = cell_weights(expected, seen, 1.0)
                value = total(w * (carried[r * size[1] + c] - expected[r, c]) ** 2 for (r, c), w in weights.items())
            values[-1].append(value)
    return values


def matching(
    similarity: Tensor, matches, temperature: float, share: float = 1.0, radius: float = 0.0
) -> list[list[Number]]:
    """InfoNCE against the cells around the true position and the hardest share of the others."""
    values = []
    for g in range(similarity.shape[0]):
        values.append([])
        for h in range(similarity.shape[1]):
            losses = []
            for cell in range(similarity.shape[2]):
                if matches.matched[g, h, cell]:
                    x, y = matches.position[g, h, cell].double().tolist()
                    scores = [similarity[g, h, cell, k] / temperature for k in range(similarity.shape[3])]
                    losses.append(one_match(scores, x, y, matches.rows, matches.columns, share, radius))
            values[-1].append(mean(losses))
    return values


def one_match(scores: list, x: float, y: float, rows: int, columns: int, share: float, radius: float) -> Number:
    target = {}
    for k in range(rows * columns):
        indicator = torch.zeros(rows, columns, dtype=torch.float64)
        indicator[k // columns, k % columns] = 1.0
        if (weight := plain(bilinear(indicator, x, y))) > 0:
            target[k] = weight
    left = int(min(max(x - 0.5, 0), columns - 1))
    top = int(min(max(y - 0.5, 0), rows - 1))
    around = {
        min(top + down, rows - 1) * columns + min(left + across, columns - 1) for down in (0, 1) for across in (0, 1)
    }
    negatives = [
        k
        for k in range(rows * columns)
        if k not in around and math.hypot(k % columns + 0.5 - x, k // columns + 0.5 - y) > radius
    ]
    hardest = sorted(negatives, key=lambda k: -plain(scores[k]))[: math.ceil(share * len(negatives))]
    partition = torch.log(total(torch.exp(scores[k]) for k in [*around, *hardest]))
    return total(weight * (partition - scores[k] + math.log(weight)) for k, weight in target.items())


# Coherence.


def variation(image: Tensor, depth_m: Tensor, sharpness: float) -> Number:
    weights, steps = [], []
    rows, columns = image.shape
    for r, c in cells(image):
        for r2, c2 in ((r + 1, c), (r, c + 1)):
            if r2 < rows and c2 < columns and depth_m[r, c] > 0 and depth_m[r2, c2] > 0:
                edge = abs(math.log(plain(depth_m[r, c])) - math.log(plain(depth_m[r2, c2])))
                weights.append(math.exp(-sharpness * edge))
                steps.append(weights[-1] * abs(image[r, c] - image[r2, c2]))
    return total(steps) / max(sum(weights), 1.0)


def total_variation(image: Tensor, depth_m: Tensor, truth: Tensor, sharpness: float = 10.0) -> Number:
    return plus(variation(image, depth_m, sharpness) - variation(truth, depth_m, sharpness))


def spread(image: Tensor, valid: Tensor) -> Number:
    """Standard deviation of a cell's place under the map, over the diagonal."""
    counted = [cell for cell in cells(image) if valid[cell]]
    mass = total(image[cell] for cell in counted)
    if plain(mass) <= 0:
        return 0.01 / math.hypot(*image.shape) + 0.0 * mass
    middle = [total(image[cell] * cell[axis] for cell in counted) / mass for axis in (0, 1)]
    variance = total(image[cell] * sum((cell[axis] - middle[axis]) ** 2 for axis in (0, 1)) for cell in counted) / mass
    return torch.sqrt(variance + 1e-4) / math.hypot(*image.shape)


def compactness(image: Tensor, truth: Tensor, valid: Tensor) -> Number:
    return plus(spread(image, valid) - spread(truth, valid))


def temporal(warped: Tensor, later: Tensor, covisible: Tensor, counted: Tensor) -> list[Number]:
    """Of one step, each map's error over its mean error against the other maps; arguments "maps rows columns"."""

    def error(k: int, j: int) -> Number:
        return mean((later[k][cell] - warped[j][cell]) ** 2 for cell in cells(covisible) if covisible[cell])

    values = []
    for k in range(len(later)):
        others = [j for j in range(len(later)) if j != k and counted[j]]
        value: Number = 0.0 * later[k, 0, 0]
        if counted[k] and others and covisible.any():
            value = (error(k, k) + 1e-3) / (mean(error(k, j) for j in others) + 1e-3)
        values.append(value)
    return values


def temporal_smoothness(
    warped: Tensor, later: Tensor, true_warped: Tensor, true_later: Tensor, covisible: Tensor, counted: Tensor
) -> list[list[Number]]:
    return [
        [
            plus(found - allowed)
            for found, allowed in zip(
                temporal(warped[s], later[s], covisible[s], counted[s]),
                temporal(true_warped[s], true_later[s], covisible[s], counted[s]),
                strict=True,
            )
        ]
        for s in range(len(later))
    ]


# Discrimination.


def jensen_shannon(one: Tensor, other: Tensor, valid: Tensor) -> Number:
    """Base 2, over the cells that count; a millionth is added to every one."""
    counted = [cell for cell in cells(valid) if valid[cell]]
    if not counted:
        return 0.0 * one.sum()
    p_total, q_total = total(one[cell] + 1e-6 for cell in counted), total(other[cell] + 1e-6 for cell in counted)
    value: Number = 0.0
    for cell in counted:
        p, q = (one[cell] + 1e-6) / p_total, (other[cell] + 1e-6) / q_total
        middle = (p + q) / 2
        value = value + (p * torch.log2(p / middle) + q * torch.log2(q / middle)) / 2
    return value


def softmax(numbers: list[Number]) -> list[Number]:
    powers = [torch.exp(torch.as_tensor(number)) for number in numbers]
    return [power / total(powers) for power in powers]


def identification(maps: Tensor, truth: Tensor, valid: Tensor, present: Tensor, t: float = 0.1) -> list[list[Number]]:
    values = []
    for g in range(len(maps)):
        there = [k for k in range(maps.shape[1]) if present[g, k]]
        values.append([])
        for k in range(maps.shape[1]):
            value: Number = 0.0 * maps[g, k].sum()
            if k in there:
                both = {j: valid[g, k] & valid[g, j] for j in there}
                found = softmax([-jensen_shannon(maps[g, k], truth[g, j], both[j]) / t for j in there])
                wanted = softmax([-jensen_shannon(truth[g, k], truth[g, j], both[j]) / t for j in there])
                value = total(w * (torch.log(w) - torch.log(f)) for w, f in zip(wanted, found, strict=True))
            values[-1].append(value)
    return values


def similarity_hinge(maps: Tensor, truth: Tensor, valid: Tensor, present: Tensor) -> list[list[Number]]:
    values = []
    for g in range(len(maps)):
        values.append([])
        for k in range(maps.shape[1]):
            excess = [0.0 * maps[g, k].sum()]
            others = [j for j in range(maps.shape[1]) if j != k and present[g, j] and present[g, k]]
            for j in others:
                both = valid[g, k] & valid[g, j]
                own, wanted = (jensen_shannon(kind[g, k], kind[g, j], both) for kind in (maps, truth))
                excess.append(plus((1 - own) - (1 - wanted)))
            values[-1].append(total(excess) / max(len(others), 1))
    return values


def answer_cross_entropy(log_probability: Tensor, counted: Tensor) -> list[Tensor]:
    """Mean of -log p over each answer's tokens."""
    found = []
    for row, use in zip(log_probability, counted, strict=True):
        tokens = [-value for value, on in zip(row, use, strict=True) if on]
        found.append(sum(tokens) / len(tokens) if tokens else 0 * row.sum())
    return found


def attention_alignment(attention: Tensor, truth: Tensor, rows: int) -> list[Tensor]:
    """Divergence of the attention from the truth map's share of each image token."""
    found = []
    for row, view in zip(attention, truth, strict=True):
        columns = len(row) // rows
        high, wide = view.shape[0] // rows, view.shape[1] // columns
        mass = [
            float(view[r * high : (r + 1) * high, c * wide : (c + 1) * wide].sum())
            for r in range(rows)
            for c in range(columns)
        ]
        total = 0 * row.sum()
        for value, share in zip(row, mass, strict=True):
            if share > 0:
                q = share / sum(mass)
                total = total + q * (math.log(q) - torch.log(value / row.sum()))
        found.append(total)
    return found
