"""English grammar: articles, plurals, numbers and lists in words."""

from collections.abc import Sequence

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def with_article(noun_phrase: str) -> str:
    """Return the noun phrase with 'a' or 'an'.

    Args:
        noun_phrase: Begins with a word of the vocabulary: its first letter decides.
    """
    return ("an " if noun_phrase[0] in "aeiou" else "a ") + noun_phrase


def plural(noun: str) -> str:
    """Return the plural of a category name.

    Args:
        noun: Category name in the singular.
    """
    if noun.endswith("f"):
        return noun[:-1] + "ves"
    return noun + ("es" if noun.endswith(("x", "s", "ch", "sh")) else "s")


def number_word(number: int) -> str:
    """Return a number in words up to twelve, in figures beyond; 0 is 'no'.

    Args:
        number: Not negative.
    """
    return NUMBERS[number] if number < len(NUMBERS) else str(number)


def ordinal(number: int) -> str:
    """Return 'first', 'second', and figures with their ending from '11th' on.

    Args:
        number: At least 1.
    """
    if number <= len(ORDINALS):
        return ORDINALS[number - 1]
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def counted(number: int, noun: str) -> str:
    """Return number and noun: 'one chair', 'three chairs', 'no chairs'.

    Args:
        number: Not negative.
        noun: In the singular; its last word takes the plural.
    """
    return f"{number_word(number)} {noun if number == 1 else plural(noun)}"


def listed(items: Sequence[str]) -> str:
    """Return 'a', 'a and b', 'a, b and c'.

    Args:
        items: At least one.
    """
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def capitalised(sentence: str) -> str:
    """Return the sentence with a capital first letter.

    Args:
        sentence: Not empty.
    """
    return sentence[0].upper() + sentence[1:]
