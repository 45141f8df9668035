"""What the model of the pictures says, by a word of the question."""

HEATING = """\
Over fifteen years, **district heating** is the cheapest of the three, if the street works happen.

| Option | Cost | Effort | Risk |
|:--|--:|:--|:--|
| Repair the old boiler | 4,200 € | low | breaks again within two years |
| Heat pump | 18,900 € | high | needs a permit |
| District heating | 9,400 € | medium | depends on the street works |

### Recommendation

1. Ask the city **by the end of May** whether the street works are certain.
2. If they are, sign for district heating.
3. If not, repair the boiler once more and decide next year.
"""

IMPORT = """\
The last line of the log says that a date could not be read: `31.04.2026` does not exist. This keeps
the good rows and lists the bad ones:

```python
from datetime import datetime

def split_rows(rows: list[dict[str, str]]) -> tuple[list[dict], list[str]]:
    \"\"\"Rows whose date can be read, and the numbers of the others.\"\"\"
    good, bad = [], []
    for row in rows:
        try:
            row["date"] = datetime.strptime(row["date"], "%d.%m.%Y").date()
            good.append(row)
        except ValueError:
            bad.append(row["number"])  # told to the person, not dropped
    return good, bad
```

Send the list of bad rows back to whoever filled in the sheet.
"""

LETTER = """\
Dear neighbours,

from **Monday** the ferry leaves ten minutes later, at 7:40 and 16:40.
The last crossing stays at 21:00.
"""

ANSWERS = {"heating": HEATING, "import": IMPORT, "ferry": LETTER, "minutes": LETTER, "team": LETTER}

QUESTIONS = (
    "Plan the agenda of our team day",
    "Turn these notes into minutes: budget agreed, roof postponed, next meeting in June",
    "Write a short note to residents about the new ferry times",
    "Why does the import job fail since Friday?",
    "Compare three ways of heating the office: cost, effort, risk. End with a recommendation.",
)
