"""The benchmark's figures as Markdown."""

from collections.abc import Callable

from tests.bench.levels import Figures

_Aim = tuple[str, float, float | None]  # its name, at most, as measured

HEAD = (
    "| target | users | completed | added first token p50 / p95 ms | added per token p50 / p99 ms"
    " | tokens/s of ideal | CPU s / 1,000 tokens | peak MiB | CPU taken by others |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


def row(figures: Figures) -> str:
    peak = sum(figures.peak.values())
    cells = (
        figures.target,
        str(figures.users),
        f"{figures.completed} of {figures.asked}",
        f"{figures.first_p50:.1f} / {figures.first_p95:.1f}",
        f"{figures.token_p50:.1f} / {figures.token_p99:.1f}",
        f"{figures.rate:,.0f} of {figures.ideal:,.0f} ({figures.rate / figures.ideal:.1%})",
        f"{figures.cpu_total:.3f}" if figures.cpu else "",
        f"{peak:.0f}" if peak else "",
        f"{figures.others:.0%}",
    )
    return f"| {' | '.join(cells)} |"


def by_process(title: str, values: dict[str, float], form: str) -> str:
    parts = ", ".join(f"{name} {value:{form}}" for name, value in values.items())
    return f"{title}: {parts}; together {sum(values.values()):{form}}"


def aims(portal: dict[int, Figures], others: dict[str, float]) -> list[str]:
    """Each aim with what was measured; `others` are those that are not of one level."""
    return [
        _judged(name, measured, most)
        for name, most, measured in [*_of_levels(portal), *_of_others(others)]
    ]


def _of_levels(portal: dict[int, Figures]) -> list[_Aim]:
    levels: dict[str, tuple[int, float, Callable[[Figures], float]]] = {
        "added first token at 1 user, p50 ms": (1, 12, lambda f: f.first_p50),
        "added first token at 50 users, p95 ms": (50, 60, lambda f: f.first_p95),
        "added first token at 200 users, p95 ms": (200, 100, lambda f: f.first_p95),
        "added per token at 200 users, p99 ms": (200, 50, lambda f: f.token_p99),
        "answers lost at 200 users": (200, 0, lambda f: f.asked - f.completed),
        "% of the full rate missing at 200 users": (200, 2, lambda f: 100 * (1 - f.rate / f.ideal)),
        "CPU s per 1,000 tokens at 200 users": (200, 0.20, lambda f: f.cpu_total),
        "MiB at 200 users": (200, 400, lambda f: sum(f.peak.values())),
    }
    return [
        (name, most, read(portal[users]) if users in portal else None)
        for name, (users, most, read) in levels.items()
    ]


def _of_others(others: dict[str, float]) -> list[_Aim]:
    limits = {
        "MiB idle": 250,
        "KiB of web for each idle open stream": 20,
        "s from web's start to its first page": 2.5,
        "streams broken and answers lost with 1,000 open": 0,
        "added first token with 1,000 open, p95 ms": 500,
    }
    return [(name, most, others.get(name)) for name, most in limits.items()]


def _judged(name: str, measured: float | None, most: float) -> str:
    if measured is None:
        return f"- {name}: not measured (at most {most:g})"
    verdict = "met" if measured <= most else "MISSED"
    return f"- {name}: {measured:.3g} (at most {most:g}): {verdict}"
