"""Charts drawn on the server: SVG that fits any width, and the same figures as a table.

Knows nothing of what is charted. `drawing` makes a Chart, `portal/templates/portal/charts/` shows
it, and `portal/static/portal/css/charts.css` gives it its colours.
"""

from portal.charts.drawing import columns, lines, ranking
from portal.charts.shapes import Chart, Part, Series, Words
from portal.charts.words import count_words, seconds_words

__all__ = [
    "Chart",
    "Part",
    "Series",
    "Words",
    "columns",
    "count_words",
    "lines",
    "ranking",
    "seconds_words",
]
