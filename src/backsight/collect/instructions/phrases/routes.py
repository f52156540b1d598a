"""English for ways: questions for them, and their parts in words."""

ROUTE_SENTENCES: dict[str, tuple[str, ...]] = {
    "route_to_thing": (
        "How do I get to {the}?",
        "How do I get to {the} from here?",
        "How do I get back to {the}?",
        "Which way do I go to reach {the}?",
        "Which way is it to {the}?",
        "What is the way to {the}?",
        "Tell me the way to {the}.",
        "Show me the way to {the}.",
        "Show me where to walk to reach {the}.",
        "Guide me to {the}.",
        "Lead me to {the}.",
        "Describe the way to {the}.",
        "How can I walk to {the}?",
        "I want to go to {the}. Which way?",
    ),
    "route_to_room": (
        "How do I get to the {room}?",
        "How do I get back to the {room}?",
        "How do I get to the {room} from here?",
        "Which way do I go to reach the {room}?",
        "Which way is it to the {room}?",
        "What is the way back to the {room}?",
        "Tell me the way to the {room}.",
        "Show me the way back to the {room}.",
        "Guide me to the {room}.",
        "Lead me back to the {room}.",
        "Describe the way to the {room}.",
        "How can I walk back to the {room}?",
        "I want to go back to the {room}. Which way?",
    ),
    "way_length_to_thing": (
        "How far do I have to walk to reach {the}?",
        "How far is it to walk to {the}?",
        "How long is the way to {the}?",
        "How many metres is it to walk to {the}?",
        "How far would I walk to get to {the}?",
        "Walking from here, how far is it to {the}?",
        "What distance do I have to walk to reach {the}?",
        "Tell me how far I have to walk to reach {the}.",
        "Tell me how long the way to {the} is.",
        "About how far is it to walk to {the}?",
        "If I walk to {the}, how far is that?",
        "How far would I have to go on foot to reach {the}?",
    ),
    "way_length_to_room": (
        "How far do I have to walk to reach the {room}?",
        "How far is it to walk to the {room}?",
        "How long is the way to the {room}?",
        "How many metres is it to walk to the {room}?",
        "How far would I walk to get to the {room}?",
        "Walking from here, how far is it to the {room}?",
        "What distance do I have to walk to reach the {room}?",
        "Tell me how far I have to walk to reach the {room}.",
        "Tell me how long the way to the {room} is.",
        "About how far is it to walk to the {room}?",
        "If I walk to the {room}, how far is that?",
        "How far would I have to go on foot to reach the {room}?",
    ),
}

FIRST_TURNS: dict[str, str] = {
    "ahead": "go straight ahead",
    "left": "turn left",
    "right": "turn right",
    "slightly left": "turn slightly left",
    "slightly right": "turn slightly right",
    "sharply left": "turn sharply left",
    "sharply right": "turn sharply right",
    "around": "turn around",
}
"""What to do first on a way, by where it begins as seen by the camera."""


def turn_clause(side: str, after_m: float | None = None) -> str:
    """Return 'turn left', or 'after about 3 metres turn left'.

    Args:
        side: left, right or around.
        after_m: How far it is to the turn, where nothing else tells where it is.
    """
    return f"turn {side}" if after_m is None else f"after {metres_words(after_m)} turn {side}"


def passing_clause(words: str, side: str) -> str:
    """Return 'go past the table on your left'.

    Args:
        words: The thing with its article.
        side: left or right.
    """
    return f"go past {words} on your {side}"


def entering_clause(room: str, through_door: bool) -> str:
    """Return 'go through the door into the kitchen'.

    Args:
        room: Its type.
        through_door: Whether there is a door.
    """
    return f"go through the door {into_room(room)}" if through_door else f"go on {into_room(room)}"


def into_room(room: str) -> str:
    """Return 'into the kitchen', 'onto the landing'.

    Args:
        room: Its type.
    """
    return f"onto the {room}" if room == "landing" else f"into the {room}"


def stairs_clause(upwards: bool) -> str:
    """Return 'go up the stairs'.

    Args:
        upwards: Or down.
    """
    return f"go {'up' if upwards else 'down'} the stairs"


def metres_words(length_m: float) -> str:
    """Return 'about 3 metres', at least one.

    Args:
        length_m: In metres.
    """
    whole = max(round(length_m), 1)
    return "about 1 metre" if whole == 1 else f"about {whole} metres"


def route_texts(first: str, clauses: list[str], goal: tuple[str, str], is_room: bool) -> list[str]:
    """Return all clauses of a way.

    Args:
        first: A key of `FIRST_TURNS`.
        clauses: What follows.
        goal: What it leads to, with its article, and how far that is: 'about 3 metres'.
        is_room: A room needs no words of arrival once one goes into it.
    """
    whither, length = goal
    if clauses:
        return [FIRST_TURNS[first], *clauses, *([] if is_room else [f"go on to {whither}"])]
    if first == "ahead":
        return [f"{FIRST_TURNS[first]} for {length} to {whither}"]
    return [FIRST_TURNS[first], f"go {length} to {whither}"]


def joined(clauses: list[str]) -> str:
    """Return the clauses in a row: 'turn left, go past the table, then stop beside the sofa'.

    Args:
        clauses: At least one.
    """
    return clauses[0] if len(clauses) == 1 else f"{', '.join(clauses[:-1])}, then {clauses[-1]}"
