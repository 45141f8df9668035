"""The benchmark's figures as Markdown."""

from tests.bench.levels import Figures

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


def aims(portal: dict[int, Figures]) -> list[str]:
    """Each aim that this run can judge, with what was measured."""
    lines = []
    if 1 in portal:
        lines.append(judged("added first token at 1 user, p50 ms", portal[1].first_p50, 40))
    if 200 in portal:
        most = portal[200]
        lost = most.asked - most.completed
        lines.append(judged("answers lost at 200 users", lost, 0))
        lines.append(judged("added first token at 200 users, p95 ms", most.first_p95, 300))
        lines.append(judged("CPU s per 1,000 tokens at 200 users", most.cpu_total, 0.4))
    return lines


def judged(aim: str, measured: float, most: float) -> str:
    verdict = "met" if measured <= most else "MISSED"
    return f"- {aim}: {measured:.3g} (at most {most:g}): {verdict}"
