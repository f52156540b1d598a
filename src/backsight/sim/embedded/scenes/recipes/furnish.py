"""From a room's type to its recipe."""

from backsight.sim.embedded.scenes.placer import Placer
from backsight.sim.embedded.scenes.recipes import living, public, sleeping, wet, work
from backsight.sim.embedded.scenes.recipes.habits import HABITS
from backsight.sim.embedded.scenes.recipes.things import provide_holders, strew


def furnish_room(placer: Placer) -> None:
    """Furnish a room by the recipe of its type, then strew small things over it."""
    placer.finishes.enter_room()
    recipes = {
        "living room": living.living_room,
        "bedroom": sleeping.bedroom,
        "kitchen": wet.kitchen,
        "bathroom": wet.bathroom,
        "dining room": living.dining_room,
        "study": living.study,
        "hallway": living.hallway,
        "open plan office": work.open_plan_office,
        "meeting room": work.meeting_room,
        "classroom": work.classroom,
        "library": public.library,
        "shop": public.shop_floor,
        "warehouse": public.storehouse,
        "gym": public.gym,
        "landing": living.hallway,
    }
    recipes[placer.room.room_type](placer)
    habits = HABITS[placer.room.room_type]
    provide_holders(placer, habits)
    strew(placer, habits)
