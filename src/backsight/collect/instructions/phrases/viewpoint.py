"""English for questions about other viewpoints: imagined views, and where things are from here."""

LENGTH_WORDS: dict[float, str] = {0.25: "a quarter of a metre", 0.5: "half a metre"}
WAY_WORDS: dict[str, str] = {"forward": "forward", "back": "back", "left": "to the left", "right": "to the right"}

VIEWPOINT_SENTENCES: dict[str, tuple[str, ...]] = {
    "what_if_where": (
        "If I {did}, where in my view would {the} be?",
        "If I {did}, in which part of my view would I see {the}?",
        "Suppose I {did}: where would {the} appear?",
        "Imagine that I {did}. Where would I see {the}?",
        "Where would {the} be in my view if I {did}?",
        "Where would I see {the} if I {did}?",
        "Where would {the} appear if I {did}?",
        "In which part of my view would {the} be if I {did}?",
        "After {doing}, in which part of my view would {the} be?",
        "After {doing}, where would I see {the}?",
        "What if I {did}: where would {the} be then?",
        "Say I {did}. Where in my view would {the} be?",
        "Were I to {do}, where would {the} appear?",
        "If you {did}, where would you see {the}?",
    ),
    "what_if_seen": (
        "If I {did}, what would I see in the middle of my view?",
        "If I {did}, what would be straight in front of me?",
        "What would I see in the middle if I {did}?",
        "What would I be looking at if I {did}?",
        "What would be in the middle of my view if I {did}?",
        "Imagine that I {did}. What would I be looking at?",
        "Suppose I {did}: what would be in the middle of my view?",
        "After {doing}, what would I be looking at?",
        "After {doing}, what would be in the middle of my view?",
        "Were I to {do}, what would I be looking at?",
        "What if I {did}: what would be straight in front of me?",
        "Say I {did}. What would be in the middle of my view?",
    ),
    "where_from_here": (
        "Where is {the} from here?",
        "From here, where is {the}?",
        "In which direction is {the} from here?",
        "Which way is {the}?",
        "Which way is {the} from where I am?",
        "Where is {the}, as seen from here?",
        "Where is {the} relative to me?",
        "Where exactly is {the} from here?",
        "Tell me the direction to {the}.",
        "How far is {the} from here, and in which direction?",
        "In what direction and how far away is {the}?",
        "Standing here, where would I find {the}?",
        "From where I stand, which way is {the}?",
        "Point me towards {the}.",
    ),
    "how_far_from_here": (
        "How far is {the} from here?",
        "How far away is {the}?",
        "How far is it to {the}?",
        "How far am I from {the}?",
        "How many metres away is {the}?",
        "About how far away is {the}?",
        "From here, how far is {the}?",
        "How far is {the} from where I stand?",
        "What is the distance to {the}?",
        "Tell me how far away {the} is.",
        "Tell me the distance to {the}.",
        "How far off is {the}?",
    ),
    "which_way_from_here": (
        "In which direction is {the} from here?",
        "Which way is {the}?",
        "Which way is {the} from where I am?",
        "From where I stand, which way is {the}?",
        "Tell me the direction to {the}.",
        "In what direction is {the}?",
        "Point me towards {the}.",
        "Which way would I turn to face {the}?",
        "From here, which way is {the}?",
        "In which direction would I look to see {the}?",
        "Which way is {the}, as seen from here?",
        "Standing here, in which direction is {the}?",
    ),
}


def turn_words(turn_deg: int) -> str:
    """Return 'degrees and side' of a turn: '90 degrees to the right'.

    Args:
        turn_deg: To the left; negative to the right.
    """
    return f"{abs(turn_deg)} degrees to the {'left' if turn_deg > 0 else 'right'}"


def pose_slots(turn_deg: int, way: str | None, length_m: float) -> dict[str, str]:
    """Return a move and a turn in three forms: 'did', 'do' and 'doing'.

    Args:
        turn_deg: To the left; negative to the right.
        way: A key of `WAY_WORDS`, None without a move.
        length_m: A key of `LENGTH_WORDS`; not looked at without a move.
    """
    turn = turn_words(turn_deg)
    if way is None:
        return {"did": f"turned {turn}", "do": f"turn {turn}", "doing": f"turning {turn}"}
    move = f"{LENGTH_WORDS[length_m]} {WAY_WORDS[way]}"
    return {
        "did": f"moved {move} and turned {turn}",
        "do": f"move {move} and turn {turn}",
        "doing": f"moving {move} and turning {turn}",
    }
