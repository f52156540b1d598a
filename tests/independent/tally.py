"""What was looked at, and what of it is not so."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Statements checked and contradictions found, by sort."""

    checked: Counter[str] = field(default_factory=Counter)
    contradictions: list[tuple[str, str, str]] = field(default_factory=list)
    """Sort, sequence, what is wrong."""
    sequence_id: str = ""

    def hold(self, sort: str, is_so: object, otherwise: str) -> bool:
        """Count a statement, and note it where it is not so."""
        self.checked[sort] += 1
        if not is_so:
            self.contradictions.append((sort, self.sequence_id, otherwise))
        return bool(is_so)

    def passed(self, sort: str, count: int) -> None:
        """Count statements that were found to be so."""
        self.checked[sort] += count

    def table(self) -> str:
        """Return the counts, a line for each sort."""
        wrong = Counter(sort for sort, _, _ in self.contradictions)
        lines = [f"{'statements':<34}{'checked':>9}{'contradictions':>16}"]
        lines += [f"{sort:<34}{count:>9}{wrong[sort]:>16}" for sort, count in sorted(self.checked.items())]
        lines.append(f"{'all':<34}{sum(self.checked.values()):>9}{len(self.contradictions):>16}")
        return "\n".join(lines)
