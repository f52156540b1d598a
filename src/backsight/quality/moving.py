"""Which things are elsewhere in another frame."""

import numpy as np
from jaxtyping import Bool, Float64, Int64

from backsight.records.sequence import SequenceAnnotations

SAME_PLACE_M, SAME_YAW_RAD = 1e-4, 1e-4


class Places:
    """Where the things that move are in each frame, for look-ups of many at once."""

    def __init__(self, annotations: SequenceAnnotations) -> None:
        motions = annotations.motions
        most = max([*(motion.instance_id for motion in motions), 0])
        self._row_of_id = np.full(most + 2, -1, dtype=np.int64)
        self._row_of_id[[motion.instance_id for motion in motions]] = np.arange(len(motions))
        frames = len(annotations.world_from_camera)
        self._placed: Float64[np.ndarray, "things frames 4"] = np.array(
            [
                [(*centre, yaw) for centre, yaw in zip(motion.centres_m, motion.yaws_rad, strict=True)]
                for motion in motions
            ],
            dtype=np.float64,
        ).reshape(len(motions), frames, 4)

    def row_of(self, instance_ids: Int64[np.ndarray, "*ids"]) -> Int64[np.ndarray, "*ids"]:
        """Return the row of each thing among those that move, -1 for all others.

        Args:
            instance_ids: Any shape.
        """
        return self._row_of_id[np.minimum(instance_ids, len(self._row_of_id) - 1)]

    def placed(self, row: int) -> Float64[np.ndarray, "frames 4"]:
        """Return centre [m] and yaw [rad] in each frame.

        Args:
            row: Of the thing.
        """
        return self._placed[row]

    def moved(
        self,
        instance_ids: Int64[np.ndarray, " samples"],
        one: Int64[np.ndarray, " samples"],
        other: Int64[np.ndarray, " samples"],
    ) -> Bool[np.ndarray, " samples"]:
        """Return which things lie elsewhere in one frame than in the other.

        Args:
            instance_ids: Things.
            one: A frame for each.
            other: Another frame for each.
        """
        found = np.zeros(instance_ids.shape, dtype=bool)
        row = self.row_of(instance_ids)
        asked = np.flatnonzero(row >= 0)
        row, one, other = row[asked], one[asked], other[asked]
        change = np.abs(self._placed[row, one] - self._placed[row, other])
        found[asked] = (change[:, :3].max(axis=-1, initial=0.0) > SAME_PLACE_M) | (change[:, 3] > SAME_YAW_RAD)
        return found
