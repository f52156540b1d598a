"""One row of a table of results."""

import msgspec


class ScoreRow(msgspec.Struct, frozen=True):
    """A figure with its interval and what it rests on."""

    metric: str
    predictor: str
    value: float
    low: float
    """Lower end of the 95 % interval (bootstrap over places)."""
    high: float
    places: int
    maps: int
    """Number of maps, pairs or instructions behind the figure."""
