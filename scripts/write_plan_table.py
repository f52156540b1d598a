"""Write the table of kinds into docs/collection.md, between its two marks."""

import sys
from pathlib import Path

from backsight.collect.kinds_in_words import kinds_markdown

DOCUMENT = Path(__file__).parents[1] / "docs" / "collection.md"
BEGIN, END = "<!-- kinds: written by scripts/write_plan_table.py -->", "<!-- end of kinds -->"


def main() -> int:
    """Replace what stands between the marks."""
    text = DOCUMENT.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{kinds_markdown()}\n{END}{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
