"""From figures to charts: bars by day, lines by day, and parts of a whole."""

from collections.abc import Sequence
from datetime import date
from itertools import groupby

from portal.charts.axes import count_scale, percent, second_scale, week_ticks
from portal.charts.shapes import (
    Band,
    Bar,
    Chart,
    Dot,
    Line,
    Part,
    Rank,
    Row,
    Series,
    Table,
    Words,
)
from portal.charts.words import count_words, day_words, seconds_words, share_words, span_words

_SMALLEST_BAR = 1.0  # percent: what is not nothing can be seen
_GAP = 0.18  # of a day's width, on each side of its bar
_RANK_HEIGHT, _RANK_TEXT, _RANK_BAR = 40, 14, 21  # pixels: a row, and where its parts stand in it


def columns(words: Words, days: Sequence[date], counts: Sequence[int]) -> Chart:
    """A bar for each day."""
    rows = [Row(day_words(day), [count_words(n)]) for day, n in zip(days, counts, strict=True)]
    table = Table(("Day", words.title), rows)
    if not any(counts):
        return Chart(words, table)
    scale = count_scale(max(counts))
    most = max(counts)
    peak = f"Most on {day_words(days[counts.index(most)])}: {count_words(most)}."
    return Chart(
        words,
        table,
        template="portal/charts/_columns.html",
        label=f"Bar chart. {_label(words, days)} {peak}",
        bars=[_bar(place, n, scale.top, len(days)) for place, n in enumerate(counts) if n],
        bands=_bands(table),
        x_ticks=week_ticks(days),
        y_ticks=scale.ticks,
    )


def lines(words: Words, days: Sequence[date], series: Sequence[Series]) -> Chart:
    """A line of seconds for each series, broken where a day has none."""
    by_day = zip(days, *(one.values for one in series), strict=True)
    rows = [Row(day_words(day), [seconds_words(v) for v in values]) for day, *values in by_day]
    table = Table(("Day", *(one.name for one in series)), rows)
    known = [value for one in series for value in one.values if value is not None]
    if not known:
        return Chart(words, table)
    scale = second_scale(max(known))
    return Chart(
        words,
        table,
        template="portal/charts/_lines.html",
        label=f"Line chart. {_label(words, days)}",
        lines=[_line(one, scale.top) for one in series],
        bands=_bands(table),
        x_ticks=week_ticks(days),
        y_ticks=scale.ticks,
    )


def ranking(words: Words, parts: Sequence[Part], *, head: tuple[str, str]) -> Chart:
    """A lying bar for each part, as long as its share of the whole; `head` is the table's."""
    total = sum(part.number for part in parts)
    rows = [Row(part.label, [share_words(part.number, total)]) for part in parts]
    table = Table(head, rows)
    if not total:
        return Chart(words, table)
    said = ", ".join(f"{row.heading} {row.cells[0]}" for row in rows)
    return Chart(
        words,
        table,
        template="portal/charts/_ranks.html",
        label=f"Bar chart. {words.title}: {said}.",
        height=len(parts) * _RANK_HEIGHT,
        ranks=[_rank(place, part, total) for place, part in enumerate(parts)],
    )


def _label(words: Words, days: Sequence[date]) -> str:
    return f"{words.title}, {span_words(days)}: {words.figure} {words.note}."


def _bar(place: int, count: int, top: float, days: int) -> Bar:
    width = 100 / days
    height = max(_SMALLEST_BAR, 100 * count / top)
    left = (place + _GAP) * width
    return Bar(
        percent(left), percent(100 - height), percent(width * (1 - 2 * _GAP)), percent(height)
    )


def _line(series: Series, top: float) -> Line:
    width = 100 / len(series.values)
    points = [
        None if value is None else (width * (place + 0.5), 100 - 100 * value / top)
        for place, value in enumerate(series.values)
    ]
    runs = [
        [point for point in run if point] for is_there, run in groupby(points, bool) if is_there
    ]
    path = " ".join(_path(run) for run in runs if len(run) > 1)
    dots = [Dot(*map(percent, run[0])) for run in runs if len(run) == 1]
    return Line(series.name, series.style, path, dots)


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + " L".join(f"{x:.2f} {y:.2f}" for x, y in points)


def _bands(table: Table) -> list[Band]:
    width = 100 / len(table.rows)
    return [
        Band(percent(width * place), percent(width), _title(table, row))
        for place, row in enumerate(table.rows)
    ]


def _title(table: Table, row: Row) -> str:
    figures = zip(table.head[1:], row.cells, strict=True)
    return f"{row.heading}\n" + "\n".join(f"{name}: {cell}" for name, cell in figures)


def _rank(place: int, part: Part, total: int) -> Rank:
    share = max(_SMALLEST_BAR, 100 * part.number / total) if part.number else 0
    top = place * _RANK_HEIGHT
    return Rank(
        part.label,
        share_words(part.number, total),
        percent(share),
        part.style,
        top + _RANK_TEXT,
        top + _RANK_BAR,
    )
