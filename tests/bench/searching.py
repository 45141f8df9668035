"""Search in a tenant with a million messages: `python -m tests.bench.searching`."""

from tests.bench.apart import measure


def main() -> None:
    """Print Markdown: what searches take, what an entry costs, and the plan."""
    measure("tests.bench.searching_measured")


if __name__ == "__main__":
    main()
