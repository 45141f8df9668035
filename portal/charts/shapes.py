"""What a chart is made of, as a template needs it.

Places and sizes are percentages of the drawing, which has no size of its own: so a chart fits a
phone and a desk, and its letters have the same size on both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Words(NamedTuple):
    """What is said about a chart: title, chief figure and its explanation, or that it is empty."""

    title: str
    figure: str
    note: str
    empty: str


class Series(NamedTuple):
    """One value in seconds for each day, None where there is none; `style` is its class."""

    name: str
    style: str
    values: Sequence[float | None]


class Part(NamedTuple):
    """One part of a whole; `style` is its class."""

    label: str
    number: int
    style: str


class Row(NamedTuple):
    """A row of a table: its heading, and its figures in words."""

    heading: str
    cells: Sequence[str]


class Table(NamedTuple):
    """A chart's figures for screen readers, and for whoever would rather read numbers."""

    head: Sequence[str]
    rows: Sequence[Row]


class Tick(NamedTuple):
    """A mark of an axis; a narrow drawing shows none that `is_spare`."""

    at: str
    label: str
    is_spare: bool = False


class Bar(NamedTuple):
    """A rectangle that stands on the axis."""

    x: str
    y: str
    width: str
    height: str


class Dot(NamedTuple):
    """A day that has no neighbour to draw a line to."""

    x: str
    y: str


class Line(NamedTuple):
    """A series as lines; `path` is in a box of 100 by 100."""

    name: str
    style: str
    path: str
    dots: Sequence[Dot]


class Band(NamedTuple):
    """A day over the full height, which says the day's figures under the pointer."""

    x: str
    width: str
    title: str


class Rank(NamedTuple):
    """A lying bar: label and figure above it. `text_y` and `bar_y` are in pixels."""

    label: str
    figure: str
    width: str
    style: str
    text_y: int
    bar_y: int


@dataclass(frozen=True)
class Chart:
    """One chart. `template` draws it; without one there is nothing to draw."""

    words: Words
    table: Table
    template: str = ""
    label: str = ""
    height: int = 0
    bands: Sequence[Band] = ()
    bars: Sequence[Bar] = ()
    lines: Sequence[Line] = ()
    ranks: Sequence[Rank] = ()
    x_ticks: Sequence[Tick] = ()
    y_ticks: Sequence[Tick] = ()
