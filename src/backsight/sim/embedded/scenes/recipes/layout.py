"""Rows and groups of furniture laid out from one wall of a room."""

import math

from backsight.sim.embedded.scenes.floor_plan import PlanRoom, wall_length_m, wall_point_m, yaw_of_side_rad
from backsight.sim.embedded.scenes.piece import Piece
from backsight.sim.embedded.scenes.placer import Placer, Standing
from backsight.sim.embedded.scenes.room_space import Pose, footprint


def wall_frame(room: PlanRoom, side: int) -> Pose:
    """Return a pose on the floor at the middle of a wall, its +X along the wall and its +Z into the room."""
    x, z = wall_point_m(room.rect, side, 0.0)
    return Pose(x, z, yaw_of_side_rad(side))


def wall_pose(room: PlanRoom, side: int, along_m: float, piece: Piece) -> Pose:
    """Return the pose of a piece with its back to a wall, its origin `along_m` from the wall's middle."""
    x, z = wall_point_m(room.rect, side, along_m, 0.015 - piece.low[2])
    return Pose(x, z, yaw_of_side_rad(side), side)


def depth_m(room: PlanRoom, side: int) -> float:
    """Return how far it is from one wall to the opposite one."""
    return wall_length_m(room.rect, side + 1)


def calm_sides(placer: Placer) -> list[int]:
    """Return the sides of the room, those with the fewest doors and windows first; ties by lot."""
    room, lots = placer.room, placer.rng.random(4)
    return sorted(range(4), key=lambda side: 2.0 * len(room.doors[side]) + len(room.windows[side]) + 0.5 * lots[side])


def long_side(placer: Placer) -> int:
    """Return one of the two longer sides."""
    side = 0 if wall_length_m(placer.room.rect, 0) >= wall_length_m(placer.room.rect, 1) else 1
    return side + 2 * int(placer.rng.random() < 0.5)


def grid(
    room: PlanRoom,
    side: int,
    cell_m: tuple[float, float],
    gap_m: tuple[float, float],
    margin_m: tuple[float, float, float],
) -> list[list[Pose]]:
    """Return the middles of as many equal rectangles as fit, in rows from a wall on, spread over the floor.

    Args:
        room: of the plan.
        side: wall that the rows run along; poses have its frame's yaw.
        cell_m: extent of a rectangle along the wall and away from it.
        gap_m: least distance between rectangles, likewise.
        margin_m: floor left free at both ends of a row, before the first and behind the last one.
    """
    frame = wall_frame(room, side)
    along = wall_length_m(room.rect, side) - 2 * margin_m[0]
    deep = depth_m(room, side) - margin_m[1] - margin_m[2]
    columns, rows = (
        max(0, int((span + gap) / (cell + gap))) for span, gap, cell in zip((along, deep), gap_m, cell_m, strict=True)
    )
    poses = []
    for row in range(rows):
        z = margin_m[1] + (row + 0.5) * deep / rows
        poses.append([frame.offset(((column + 0.5) / columns - 0.5) * along, z) for column in range(columns)])
    return poses


def stand_row(placer: Placer, row: list[Piece], side: int, start_m: float, gap_m: float = 0.004) -> list[Standing]:
    """Stand pieces side by side along a wall from `start_m` on; returns those that found a place."""
    standing, at = [], start_m
    for piece in row:
        placed = placer.stand(piece, wall_pose(placer.room, side, at - piece.low[0], piece))
        if placed is not None:
            standing.append(placed)
        at += piece.high[0] - piece.low[0] + gap_m
    return standing


def fill_wall(placer: Placer, piece: Piece, side: int, share: float = 1.0, gap_m: float = 0.004) -> list[Standing]:
    """Stand copies of a piece side by side along a share of a wall, wherever there is room."""
    half = wall_length_m(placer.room.rect, side) / 2 - 0.03
    width = piece.high[0] - piece.low[0] + gap_m
    end = -half + share * 2 * half
    standing, at = [], -half
    while at + width <= end:
        pose = wall_pose(placer.room, side, at - piece.low[0], piece)
        span = (at, at + width)
        if placer.space.wall_free(side, span, (0.0, piece.height_m)) and placer.space.fits(footprint(piece, pose)):
            placed = placer.stand(piece, pose)
            if placed is not None:
                standing.append(placed)
                at += width
                continue
        at += 0.25
    return standing


def facing_pair(pose: Pose, half_depth_m: float) -> tuple[Pose, Pose]:
    """Return two poses back to back across a line through `pose` along its +X."""
    return pose.offset(0.0, half_depth_m + 0.004), pose.offset(0.0, -half_depth_m - 0.004, math.pi)
