"""Axes: few and round marks."""

from collections.abc import Callable, Sequence
from datetime import date
from math import ceil
from typing import NamedTuple

from django.utils.formats import date_format

from portal.charts.shapes import Tick
from portal.charts.words import count_words, second_tick_words

_MOST_STEPS = 4
_SECOND_STEPS = (
    *(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400),
)


class Scale(NamedTuple):
    """The value at the top of a drawing, and the marks from nothing up to it."""

    top: float
    ticks: Sequence[Tick]


def percent(value: float) -> str:
    """As SVG reads it."""
    return f"{value:.2f}%"


def count_scale(highest: int) -> Scale:
    """For whole numbers from nothing to the highest."""
    return _scale(highest, _count_step(highest / _MOST_STEPS), count_words)


def second_scale(highest: float) -> Scale:
    """For seconds from nothing to the highest, in steps that clocks have."""
    return _scale(highest, _second_step(highest / _MOST_STEPS), second_tick_words)


def week_ticks(days: Sequence[date]) -> list[Tick]:
    """Mondays; where there are not two, the first and the last day. A narrow drawing drops some."""
    mondays = [place for place, day in enumerate(days) if day.weekday() == 0]
    places = mondays if len(mondays) > 1 else sorted({0, len(days) - 1})
    return [
        Tick(percent(100 * (place + 0.5) / len(days)), date_format(days[place], "j M"), n % 2 == 1)
        for n, place in enumerate(places)
    ]


def _scale(highest: float, step: float, words: Callable[[float], str]) -> Scale:
    steps = max(1, ceil(highest / step))
    places = range(steps + 1)
    ticks = [Tick(percent(100 - 100 * n / steps), words(round(n * step, 2))) for n in places]
    return Scale(step * steps, ticks)


def _count_step(needed: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 and so on that is no smaller than needed."""
    power = 1
    while power * 10 <= needed:
        power *= 10
    return next(step * power for step in (1, 2, 5, 10) if step * power >= needed)


def _second_step(needed: float) -> float:
    longest = _SECOND_STEPS[-1]
    fitting = (step for step in _SECOND_STEPS if step >= needed)
    return next(fitting, ceil(needed / longest) * longest)
