"""Figures, days and shares as words."""

from collections.abc import Sequence
from datetime import date

from django.utils.formats import date_format


def count_words(value: float) -> str:
    """A whole number with its thousands apart: 12,345."""
    return f"{value:,.0f}"


def seconds_words(value: float | None) -> str:
    """A duration in the unit that suits it: 0.42 s, 12.5 s, 3.5 min, 2.0 h; "none" for None."""
    if value is None:
        return "none"
    if value < 10:
        return f"{value:.2f} s"
    if value < 120:
        return f"{value:.1f} s"
    return f"{value / 60:.1f} min" if value < 7200 else f"{value / 3600:.1f} h"


def second_tick_words(value: float) -> str:
    """A round duration, in few letters: 0.5 s, 10 s, 5 min, 2 h."""
    if value < 60:
        return f"{value:g} s"
    return f"{value / 60:g} min" if value < 3600 else f"{value / 3600:g} h"


def share_words(count: int, total: int) -> str:
    """`40 (12 %)`: what is there is never 0 %, and what is not all never 100 %."""
    if not count or count == total:
        return f"{count_words(count)} ({100 if count else 0} %)"
    percent = round(count * 100 / total)
    shown = "<1" if percent < 1 else ">99" if percent > 99 else percent
    return f"{count_words(count)} ({shown} %)"


def day_words(day: date) -> str:
    """Tue 24 Nov."""
    return date_format(day, "D j M")


def span_words(days: Sequence[date]) -> str:
    """26 October to 24 November 2026."""
    return f"{date_format(days[0], 'j F')} to {date_format(days[-1], 'j F Y')}"
