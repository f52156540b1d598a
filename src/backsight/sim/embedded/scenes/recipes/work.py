"""Open plan offices, meeting rooms and classrooms."""

import math

from backsight.sim.embedded.scenes.floor_plan import wall_length_m
from backsight.sim.embedded.scenes.furniture import decor, office, seating, storage, tables
from backsight.sim.embedded.scenes.piece import Piece
from backsight.sim.embedded.scenes.placer import Placer, Standing, places_round
from backsight.sim.embedded.scenes.recipes.groups import bookshelf, pick, pictures, sideboard, waste_bin
from backsight.sim.embedded.scenes.recipes.layout import (
    calm_sides,
    depth_m,
    facing_pair,
    grid,
    long_side,
    wall_frame,
)
from backsight.sim.embedded.scenes.recipes.things import beside, draw, extras, set_down, some
from backsight.sim.embedded.scenes.room_space import Pose


def open_plan_office(placer: Placer) -> None:
    """Islands of desks back to back, each with a screen; shelves, a copier and a corner to meet."""
    rng, finishes = placer.rng, placer.finishes
    desk = tables.desk(finishes, finishes.paint("desk"), pick(placer, 2))
    columns = int(rng.integers(2, 4))
    width, deep = desk.high[0] - desk.low[0] + 0.01, desk.high[2] - desk.low[2]
    cell = (columns * width, 2 * deep + 1.3)
    rows = grid(placer.room, long_side(placer), cell, (rng.uniform(0.9, 1.2), 0.6), (0.8, 0.8, 0.8))
    spots = [pose for row in rows for pose in row]
    meeting = int(rng.integers(len(spots))) if len(spots) > 2 and rng.random() < 0.6 else -1
    for number, pose in enumerate(spots):
        if number == meeting:
            _meeting_table(placer, pose, rng.uniform(1.6, 2.2))
            continue
        seat = finishes.paint("chair")
        for column in range(columns):
            middle = pose.offset((column - (columns - 1) / 2) * width, 0.0)
            for place in facing_pair(middle, deep / 2):
                if rng.random() < 0.97:
                    _desk_with_chair(placer, desk, place, seating.chair(finishes, seat, 3))
    for _ in range(int(rng.integers(2, 4))):
        sideboard(placer)
    bookshelf(placer)
    placer.against_wall(draw(placer, "printer", "floor", 2))
    placer.against_wall(draw(placer, "whiteboard", "floor", 2))
    if rng.random() < 0.6:
        placer.against_wall(seating.sofa(finishes, finishes.paint("sofa"), 2))
    for _ in range(2 + some(placer, 1.0)):
        placer.against_wall(draw(placer, "plant", "floor"))
    waste_bin(placer)
    waste_bin(placer)
    extras(placer, {"coat rack": 0.6, "basket": 0.4, "radiator": 0.5, "fan": 0.3, "fire extinguisher": 0.6})
    placer.hang(draw(placer, "clock", "wall"), 2.0)
    placer.hang(draw(placer, "whiteboard", "wall"), 0.95)
    pictures(placer, int(rng.integers(2, 5)))


def _desk_with_chair(placer: Placer, piece: Piece, pose: Pose, chair: Piece) -> Standing | None:
    desk = placer.stand(piece, pose)
    if desk is None:
        return None
    placer.tuck(chair, pose.offset(placer.rng.uniform(-0.1, 0.1), piece.high[2] + 0.22, math.pi), desk)
    work_place(placer, desk)
    return desk


def work_place(placer: Placer, desk: Standing) -> None:
    """Put a monitor with a keyboard, or a laptop, on a desk whose user sits at its +Z side."""
    rng, finishes = placer.rng, placer.finishes
    if rng.random() < 0.7:
        paint = finishes.paint("monitor")
        shift = rng.uniform(-0.1, 0.1)
        placer.on_top(office.monitor(finishes, paint, pick(placer, 3)), desk, shift, -0.1)
        board = office.keyboard(finishes, finishes.paint("keyboard"), pick(placer, 3))
        placer.on_top(board, desk, shift, desk.piece.high[2] - 0.18)
    else:
        placer.on_top(office.laptop(finishes, finishes.paint("laptop"), pick(placer, 3)), desk, 0.0, 0.06)


def _meeting_table(placer: Placer, pose: Pose, length_m: float) -> Standing | None:
    rng, finishes = placer.rng, placer.finishes
    size = (length_m, rng.uniform(0.73, 0.76), rng.uniform(0.95, 1.15))
    table = placer.stand(tables.table(finishes, finishes.paint("table"), size, int(rng.choice([0, 2, 3]))), pose)
    if table is not None:
        places = places_round(table, max(2, int(length_m / 0.72)), int(rng.integers(1, 3)))
        placer.chairs_round(table, places, 3 if rng.random() < 0.5 else pick(placer, 3))
    return table


def meeting_room(placer: Placer) -> None:
    """A long table with chairs before a screen or a whiteboard."""
    rng, finishes = placer.rng, placer.finishes
    room = placer.room
    ends = sorted(calm_sides(placer), key=lambda side: round(wall_length_m(room.rect, side), 3))
    front = ends[int(rng.integers(2))]
    deep = depth_m(room, front)
    _front_of_room(placer, front)
    middle = wall_frame(room, front).offset(rng.uniform(-0.15, 0.15), deep / 2 + rng.uniform(0.0, 0.25), math.pi / 2)
    for length in (rng.uniform(0.5, 0.62) * deep, 0.42 * deep, 1.4):
        if _meeting_table(placer, middle, length) is not None:
            break
    sideboard(placer)
    if rng.random() < 0.4:
        beside(placer, "lectern", None)
    if rng.random() < 0.5:
        bookshelf(placer)
    for _ in range(1 + some(placer, 1.0)):
        placer.against_wall(draw(placer, "plant", "floor"))
    waste_bin(placer)
    extras(placer, {"basket": 0.8, "radiator": 0.5, "coat rack": 0.4, "printer": 0.2, "fan": 0.15, "clock/wall": 0.6})
    pictures(placer, int(rng.integers(1, 4)))
    if rng.random() < 0.5:
        placer.against_wall(seating.chair(finishes, finishes.paint("chair"), pick(placer, 3)))


def _front_of_room(placer: Placer, side: int) -> None:
    """Hang a whiteboard, a projector screen or a television in the middle of a wall."""
    kind = placer.rng.random()
    if kind < 0.45:
        piece, low = draw(placer, "whiteboard", "wall", 0), 0.85
    elif kind < 0.8:
        piece, low = draw(placer, "projector screen", "wall"), 0.9
    else:
        finishes = placer.finishes
        piece, low = decor.television(finishes, finishes.paint("television"), 1.4, False), 1.05
    for shift in (0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -1.5):
        if placer.hang_at(piece, side, shift, low):
            return
    placer.hang(piece, low)


def classroom(placer: Placer) -> None:
    """Rows of desks that look at a board, a teacher's desk, shelves at the back."""
    rng, finishes, room = placer.rng, placer.finishes, placer.room
    front = calm_sides(placer)[0]
    placer.hang_at(draw(placer, "whiteboard", "wall", 0), front, rng.uniform(-0.4, 0.4), 0.85)
    frame = wall_frame(room, front)
    hand = 1.0 if rng.random() < 0.5 else -1.0
    aside = hand * wall_length_m(room.rect, front) * rng.uniform(0.16, 0.28)
    desk = tables.desk(finishes, finishes.paint("desk"), pick(placer, 2))
    teacher = placer.stand(desk, frame.offset(aside, 1.35, math.pi))
    if teacher is not None:
        chair = seating.chair(finishes, finishes.paint("chair"), 3)
        placer.tuck(chair, teacher.pose.offset(0.0, desk.high[2] + 0.22, math.pi), teacher)
        work_place(placer, teacher)
    placer.stand(draw(placer, "lectern", "floor"), frame.offset(-aside, 0.9))
    _pupils(placer, front)
    for _ in range(int(rng.integers(1, 3))):
        bookshelf(placer)
    sideboard(placer)
    placer.against_wall(storage.cabinet(finishes, finishes.paint("cabinet"), (0.9, 1.8, 0.42), (2, 1)))
    if rng.random() < 0.5:
        placer.against_wall(draw(placer, "globe", "floor", 1))
    waste_bin(placer)
    extras(placer, {"basket": 0.7, "radiator": 0.6, "box": 0.5, "coat rack/wall": 0.5, "piano": 0.12})
    for _ in range(some(placer, 1.0)):
        placer.against_wall(draw(placer, "plant", "floor"))
    placer.hang(draw(placer, "clock", "wall"), 2.1)
    pictures(placer, int(rng.integers(3, 7)))


def _pupils(placer: Placer, front: int) -> None:
    rng, finishes = placer.rng, placer.finishes
    seats = 2 if rng.random() < 0.6 else 1
    size = (1.25 if seats == 2 else 0.7, rng.uniform(0.7, 0.75), rng.uniform(0.5, 0.56))
    table = tables.table(finishes, finishes.paint("table"), size, int(rng.choice([0, 2])))
    paints = (finishes.paint("chair"), finishes.paint("chair"))
    variant = int(rng.choice([0, 2]))
    gap = (rng.uniform(0.65, 0.9), 0.28)
    for row in grid(placer.room, front, (size[0], size[2] + 0.55), gap, (0.8, 2.1, 0.55)):
        for place in row:
            pose = place.offset(rng.uniform(-0.03, 0.03), -0.25)
            standing = placer.stand(table, pose)
            if standing is None:
                continue
            for seat in range(seats):
                shift = (seat - (seats - 1) / 2) * size[0] / 2
                if rng.random() < 0.93:
                    chair = seating.chair(finishes, paints[int(rng.random() < 0.2)], variant)
                    placer.tuck(chair, pose.offset(shift, size[2] / 2 + 0.14, math.pi), standing)
            if rng.random() < 0.3 * placer.style.clutter:
                placer.beside(draw(placer, "backpack", "floor"), standing, 0.06)
            if rng.random() < 0.5 * placer.style.clutter:
                set_down(placer, "book", standing)
