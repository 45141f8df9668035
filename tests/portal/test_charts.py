"""Charts: round axes, and drawings that say what their tables say."""

import re
from datetime import date, timedelta
from html import unescape

import pytest
from django.template.loader import render_to_string

from portal.charts import Chart, Part, Series, Words, columns, count_words, lines, ranking
from portal.charts import seconds_words as seconds
from portal.charts.axes import count_scale, second_scale, week_ticks
from portal.charts.words import share_words

MONDAY = date(2026, 3, 2)
WORDS = Words("Cups per day", "12", "drunk by all", "No cups.")
WAITS = Words("Wait", "1.00 s", "or less", "Nobody waited.")


def days(number: int) -> list[date]:
    """So many days from a Monday on."""
    return [MONDAY + timedelta(days=n) for n in range(number)]


def show(chart: Chart) -> str:
    """The chart's markup."""
    return render_to_string("portal/charts/chart.html", {"chart": chart, "name": "cups"})


def rows_of(html: str) -> list[list[str]]:
    """The table's rows, heading first."""
    body = html.partition("<tbody>")[2]
    return [
        [unescape(cell) for cell in re.findall(r"<t[hd][^>]*>([^<]*)<", row)]
        for row in body.split("</tr>")[:-1]
    ]


def titles_of(html: str) -> list[list[str]]:
    """What the pointer is told of each day: heading first, then figures without their names."""
    titles = [unescape(title).split("\n") for title in re.findall(r"<title>([^<]*)<", html)]
    return [[day, *(line.rpartition(": ")[2] for line in said)] for day, *said in titles]


# ── Axes and words ─────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("highest", "labels"),
    [
        (1, ["0", "1"]),
        (4, ["0", "1", "2", "3", "4"]),
        (5, ["0", "2", "4", "6"]),
        (183, ["0", "50", "100", "150", "200"]),
        (12_345, ["0", "5,000", "10,000", "15,000"]),
    ],
)
def test_counts_have_few_round_marks(highest: int, labels: list[str]) -> None:
    scale = count_scale(highest)

    assert [tick.label for tick in scale.ticks] == labels
    assert scale.ticks[0].at == "100.00%"
    assert scale.ticks[-1].at == "0.00%"
    assert scale.top >= highest


@pytest.mark.parametrize(
    ("highest", "labels"),
    [
        (0.0, ["0 s", "0.01 s"]),
        (0.3, ["0 s", "0.1 s", "0.2 s", "0.3 s"]),
        (41.0, ["0 s", "15 s", "30 s", "45 s"]),
        (200.0, ["0 s", "1 min", "2 min", "3 min", "4 min"]),
        (9000.0, ["0 s", "1 h", "2 h", "3 h"]),
        (900_000.0, ["0 s", "72 h", "144 h", "216 h", "288 h"]),
    ],
)
def test_seconds_have_marks_that_clocks_have(highest: float, labels: list[str]) -> None:
    assert [tick.label for tick in second_scale(highest).ticks] == labels


def test_days_are_marked_by_mondays_and_every_other_one_may_be_left_out() -> None:
    ticks = week_ticks(days(30))

    assert [tick.label for tick in ticks] == ["2 Mar", "9 Mar", "16 Mar", "23 Mar", "30 Mar"]
    assert [tick.is_spare for tick in ticks] == [False, True, False, True, False]
    assert [tick.label for tick in week_ticks(days(3))] == ["2 Mar", "4 Mar"]
    assert [tick.label for tick in week_ticks(days(1))] == ["2 Mar"]


def test_durations_are_told_in_a_unit_that_suits_them() -> None:
    assert [seconds(value) for value in (None, 0, 0.421, 12.34, 210, 7200)] == [
        "none", "0.00 s", "0.42 s", "12.3 s", "3.5 min", "2.0 h",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("count", "total", "words"),
    [
        (0, 0, "0 (0 %)"),
        (0, 9, "0 (0 %)"),
        (1, 1000, "1 (<1 %)"),
        (999, 1000, "999 (>99 %)"),
        (1000, 1000, "1,000 (100 %)"),
        (1, 3, "1 (33 %)"),
    ],
)
def test_a_share_is_not_nothing_or_all_unless_it_is(count: int, total: int, words: str) -> None:
    assert share_words(count, total) == words


# ── Drawings ───────────────────────────────────────────────────────────────────────────────────
def test_columns_and_their_table_have_the_same_figures() -> None:
    counts = [3, 0, 1200]

    html = show(columns(WORDS, days(3), counts))

    expected = [["Mon 2 Mar", "3"], ["Tue 3 Mar", "0"], ["Wed 4 Mar", "1,200"]]
    assert rows_of(html) == titles_of(html) == expected


def test_columns_stand_in_proportion_and_the_smallest_can_be_seen() -> None:
    chart = columns(WORDS, days(4), [1, 0, 1000, 2000])

    assert [bar.height for bar in chart.bars] == ["1.00%", "50.00%", "100.00%"]
    assert [bar.y for bar in chart.bars] == ["99.00%", "50.00%", "0.00%"]


def test_lines_and_their_table_have_the_same_figures() -> None:
    half, most = Series("p50", "is-typical", [0.5, None]), Series("p95", "is-slow", [90.0, None])

    html = show(lines(WAITS, days(2), [half, most]))

    assert rows_of(html) == titles_of(html)
    assert rows_of(html) == [["Mon 2 Mar", "0.50 s", "90.0 s"], ["Tue 3 Mar", "none", "none"]]


def test_a_line_breaks_at_a_day_without_figures_and_a_lonely_day_is_a_dot() -> None:
    series = Series("p50", "is-typical", [0.0, 4.0, None, 2.0])

    line = lines(WAITS, days(4), [series]).lines[0]

    assert line.path == "M12.50 100.00 L37.50 0.00"
    assert line.dots == [("87.50%", "50.00%")]


def test_two_lines_differ_in_more_than_colour() -> None:
    series = [Series("p50", "is-typical", [1.0, 1.0]), Series("p95", "is-slow", [2.0, 2.0])]

    html = show(lines(WAITS, days(2), series))

    assert html.count("chart-line is-typical") == html.count("chart-line is-slow") == 2  # + legend


def test_a_ranking_and_its_table_have_the_same_figures() -> None:
    parts = [Part("Tea", 3, "is-good"), Part("Coffee", 1, "is-bad"), Part("None", 0, "is-plain")]

    chart = ranking(WORDS, parts, head=("Drink", "Cups"))

    assert [[rank.label, rank.figure] for rank in chart.ranks] == rows_of(show(chart))
    assert [rank.figure for rank in chart.ranks] == ["3 (75 %)", "1 (25 %)", "0 (0 %)"]
    assert [rank.width for rank in chart.ranks] == ["75.00%", "25.00%", "0.00%"]


def test_a_drawing_is_one_picture_with_words_and_its_table_has_headings() -> None:
    html = show(columns(WORDS, days(3), [1, 4, 2]))

    assert html.count('role="img"') == 1
    label = (
        "Bar chart. Cups per day, 2 March to 4 March 2026: 12 drunk by all. Most on Tue 3 Mar: 4."
    )
    assert f'aria-label="{label}"' in html
    assert html.count('scope="col"') == 2
    assert html.count('scope="row"') == 3
    assert '<caption class="chart-unseen">Cups per day</caption>' in html


@pytest.mark.parametrize(
    "chart",
    [
        columns(WORDS, days(2), [0, 0]),
        lines(WORDS, days(2), [Series("p50", "", [None, None])]),
        ranking(WORDS, [Part("Tea", 0, "")], head=("Drink", "Cups")),
    ],
)
def test_a_chart_of_nothing_says_so_instead(chart: Chart) -> None:
    html = show(chart)

    assert "No cups." in html
    assert "<svg" not in html
    assert "<table" not in html


def test_markup_in_a_name_is_shown_as_text() -> None:
    hostile = '<img src=x onerror="alert(1)">'
    words = Words(hostile, "1", hostile, hostile)

    for html in (
        show(columns(words, days(1), [1])),
        show(lines(words, days(1), [Series(hostile, "is-slow", [1.0])])),
        show(ranking(words, [Part(hostile, 1, "is-bad")], head=(hostile, hostile))),
        show(columns(words, days(1), [0])),
    ):
        assert "<img" not in html
        assert 'onerror="' not in html


def test_thousands_stand_apart() -> None:
    assert count_words(1_234_567) == "1,234,567"
