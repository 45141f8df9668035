"""The list of conversations and a long conversation: `python -m tests.bench.lists`."""

from tests.bench.apart import measure


def main() -> None:
    """Print Markdown: how long each takes, and how the list is found."""
    measure("tests.bench.lists_measured")


if __name__ == "__main__":
    main()
